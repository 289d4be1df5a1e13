//! `reftable clean`: removes leftovers of killed processes.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::place::Place;
use crate::Outcome;

/// Remove leftovers of killed processes: tables that no list names, locks of tables, temporary
/// files.
///
/// What may still belong to a process is only removed after a day. Prints each file that it has
/// removed. tables.list.lock stays: see `reftable unlock`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to clean, instead of -C.
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,
}

pub fn run(_: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    // Cleaning takes a moment, after which the lock is released.
    let interrupt = Interrupt::new()?;
    for dir in place.stacks()? {
        interrupt.check()?;
        if !dir.dir.exists() {
            continue;
        }
        let stack = dir.open_with(place.stack_options()?)?;
        let failed = |e: io::Error| Failure::io("read", &dir.dir, &e);
        let before = names(&dir.dir).map_err(failed)?;
        stack.clean()?;
        let after = names(&dir.dir).map_err(failed)?;
        let listed: BTreeSet<OsString> = stack
            .merged()
            .tables()
            .iter()
            .map(|table| table.name().into())
            .collect();
        // Another process may have replaced tables meanwhile.
        for name in before
            .difference(&after)
            .filter(|name| !listed.contains(*name))
        {
            output.line(format!("removed {}", dir.dir.join(name).display()))?;
        }
    }
    Ok(Outcome::Ok)
}

fn names(dir: &Path) -> io::Result<BTreeSet<OsString>> {
    fs::read_dir(dir)?
        .map(|entry| Ok(entry?.file_name()))
        .collect()
}
