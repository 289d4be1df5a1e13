//! The command line.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{
    bench, clean, compact, copy, diff, dump, expire, find, generate, head, log, ls, migrate,
    repair, show, stat, tree, unlock, verify,
};
use crate::output::{Color, Style};

/// Inspect, verify and repair the reftables of git repositories.
///
/// A command works on the repository of the current directory, or on what `-C` names: a
/// repository, a worktree, the directory `reftable` in a git directory, or one table. Nothing is
/// changed unless the command says so.
///
/// Exit status: 0 if all is well, 1 if there are findings or something was not found, 2 if the
/// command could not be run.
#[derive(Debug, Parser)]
#[command(name = "reftable", version, max_term_width = 100)]
pub struct Args {
    /// Work on this repository, worktree, reftable directory or table.
    #[arg(short = 'C', value_name = "PATH", global = true)]
    place: Option<PathBuf>,

    /// Do not show long output in a pager.
    #[arg(long, global = true)]
    no_pager: bool,

    /// Use colors.
    #[arg(
        long,
        value_name = "WHEN",
        global = true,
        default_value = "auto",
        hide_possible_values = false
    )]
    color: Color,

    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    /// What the user has named.
    pub fn path(&self) -> Option<&std::path::Path> {
        self.place.as_deref()
    }

    pub fn style(&self) -> Style {
        Style {
            color: self.color,
            pages: !self.no_pager,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Ls(ls::Options),
    Show(show::Options),
    Log(log::Options),
    Find(find::Options),
    Head(head::Options),
    Stat(stat::Options),
    Tree(tree::Options),
    Dump(dump::Options),
    Diff(diff::Options),
    Verify(verify::Options),
    Repair(repair::Options),
    Unlock(unlock::Options),
    Compact(compact::Options),
    Expire(expire::Options),
    Clean(clean::Options),
    Copy(copy::Options),
    Migrate(migrate::Options),
    Bench(bench::Options),
    #[command(hide = true)]
    Generate(generate::Options),
}

/// The bytes of an argument.
pub fn bytes_of(argument: &OsString) -> &[u8] {
    argument.as_encoded_bytes()
}
