//! `reftable generate`: the manual pages and the completions, for installation.
#![forbid(unsafe_code)]

use std::fs;
use std::path::PathBuf;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Args;
use crate::failure::{Failure, Result};
use crate::manual;
use crate::Outcome;

/// Write the manual pages and the completions of shells.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The directory, which is created.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

pub fn run(options: &Options) -> Result<Outcome> {
    let dir = &options.dir;
    let failed = |e| Failure::io("write to", dir, &e);
    fs::create_dir_all(dir).map_err(failed)?;
    let command = Args::command();
    for (name, page) in manual::pages(&command).map_err(failed)? {
        fs::write(dir.join(name), page).map_err(failed)?;
    }
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut Args::command(), "reftable", dir).map_err(failed)?;
    }
    Ok(Outcome::Ok)
}
