//! Several releases of git, with this backend and with upstream's, use the same repositories.
//!
//! The tests run if `REFTABLE_RELEASES` names built gits, as `NAME=FILE` separated by white space:
//! the file is the git in `bin-wrappers`, and the names of gits without the patches begin with
//! `upstream-`. `scripts/cross-releases` sets it.
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;

mod pairs;
mod sequences;
mod state;

use std::env;
use std::path::PathBuf;

use common::Git;

/// A built git and its name.
#[derive(Clone, Debug)]
struct Release {
    name: String,
    git: Git,
}

/// The gits that are named, if there are at least two.
fn releases() -> Option<Vec<Release>> {
    const VARIABLE: &str = "REFTABLE_RELEASES";
    let list = env::var(VARIABLE).unwrap_or_default();
    let all: Vec<Release> = list.split_whitespace().map(release).collect();
    if all.len() < 2 {
        eprintln!("NOT RUN: {VARIABLE} does not name several gits");
        return None;
    }
    Some(all)
}

fn release(entry: &str) -> Release {
    let (name, wrapper) = entry.split_once('=').expect("NAME=FILE");
    let is_patched = !name.starts_with("upstream-");
    Release {
        name: name.to_owned(),
        git: Git::at(PathBuf::from(wrapper), is_patched),
    }
}
