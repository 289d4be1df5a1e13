//! `reftable expire`: drops old reflog entries.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use reftable::format::Error;
use reftable::stack::{LogExpiry, Stack, StackOptions};

use super::stat::visible;
use crate::failure::{Failure, Result};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::place::Place;
use crate::progress::{Bar, OnSignal, Progress};
use crate::text::plural;
use crate::Outcome;

/// Drop old reflog entries of all refs, while the tables are merged into one.
///
/// Unlike `git reflog expire`, this writes no deletions, and does not ask whether the commits are
/// reachable. Refs are not changed.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub struct Options {
    /// Drop entries that are older than this many days.
    #[arg(long, value_name = "DAYS")]
    older_than: Option<u64>,

    /// Drop entries from before this time, in seconds since 1970.
    #[arg(long, value_name = "SECONDS", conflicts_with = "older_than")]
    before: Option<u64>,

    /// Keep this many entries of each ref, and drop the older ones.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    keep: Option<u64>,
}

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    let expiry = LogExpiry {
        time: options.time(),
        max_entries: options.keep.unwrap_or(0),
        ..LogExpiry::default()
    };
    let interrupt = Interrupt::new()?;
    for dir in place.stacks()? {
        if dir.worktree.is_some() && !dir.dir.exists() {
            continue;
        }
        let progress = Arc::new(Progress::default());
        let stack = dir.open_with(StackOptions {
            interrupt: Some(interrupt.flag()),
            progress: Some(Arc::clone(&progress)),
            ..place.stack_options()?
        })?;
        let view = stack.merged();
        let [_, before] = visible(&view)?;
        let total = view.tables().iter().map(|table| table.size()).sum();
        let signals = OnSignal::Stop(&interrupt);
        let bar = Bar::start("expiring", total, &progress, &signals);
        compact(&stack, &expiry, &interrupt)?;
        drop(bar);
        let [_, after] = visible(&stack.merged())?;
        output.line(format!(
            "{}: {}, before {before}",
            dir.dir.display(),
            plural(after, "log entry")
        ))?;
    }
    Ok(Outcome::Ok)
}

impl Options {
    /// The time before which entries are dropped; 0 for none.
    fn time(&self) -> u64 {
        const DAY: u64 = 24 * 60 * 60;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_secs());
        let by_age = self
            .older_than
            .map(|days| now.saturating_sub(days.saturating_mul(DAY)));
        self.before.or(by_age).unwrap_or(0)
    }
}

/// Compacts the stack. If another process is faster, compacts what that has left.
fn compact(stack: &Stack, expiry: &LogExpiry, interrupt: &Interrupt) -> Result<()> {
    const TRIES: usize = 20;
    for _ in 0..TRIES {
        match stack.compact_all(Some(expiry)) {
            Err(Error::Outdated) => stack.reload().map(|_| ())?,
            done => return interrupt.result(done),
        }
    }
    Err(Failure::new(format!(
        "other processes keep changing '{}'; nothing was expired",
        stack.dir().display()
    )))
}
