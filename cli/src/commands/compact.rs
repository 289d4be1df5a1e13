//! `reftable compact`: merges the tables of a stack.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::sync::Arc;

use reftable::stack::StackOptions;

use crate::failure::Result;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::place::Place;
use crate::progress::{Bar, OnSignal, Progress};
use crate::text::plural;
use crate::Outcome;

/// Merge the tables of each stack into one.
///
/// Other processes may use the repository meanwhile. Locks are waited for as long as
/// reftable.lockTimeout says. This also removes deletions that hide nothing any more.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to compact, instead of -C.
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,

    /// Merge all tables, which is the default.
    #[arg(long, conflicts_with = "auto")]
    all: bool,

    /// Only merge tables until each is at least twice as large as the next newer one, as git does
    /// after a transaction.
    #[arg(long)]
    auto: bool,
}

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    let interrupt = Interrupt::new()?;
    for dir in place.stacks()? {
        if dir.worktree.is_some() && !dir.dir.exists() {
            continue;
        }
        let progress = Arc::new(Progress::default());
        let options_of_stack = StackOptions {
            interrupt: Some(interrupt.flag()),
            progress: Some(Arc::clone(&progress)),
            ..place.stack_options()?
        };
        let stack = dir.open_with(options_of_stack)?;
        let view = stack.merged();
        let before = view.tables().len();
        let total = view.tables().iter().map(|table| table.size()).sum();
        let signals = OnSignal::Stop(&interrupt);
        let bar = Bar::start("compacting", total, &progress, &signals);
        interrupt.result(stack.optimize(options.auto && !options.all))?;
        drop(bar);
        stack.reload()?;
        let after = stack.merged().tables().len();
        output.line(format!(
            "{}: {}, before {before}",
            dir.dir.display(),
            plural(after, "table")
        ))?;
    }
    Ok(Outcome::Ok)
}
