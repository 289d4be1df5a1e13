//! `reftable copy`: a copy of a ref store that others may be changing.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reftable::stack::StackOptions;

use crate::failure::Result;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::place::{Place, StackDir};
use crate::progress::{Bar, OnSignal, Progress};
use crate::text::plural;
use crate::writing::{NewStore, Written};
use crate::Outcome;

/// Copy a ref store as it is at one moment, with one table for each stack. For backups.
///
/// Other processes may change it meanwhile: each stack is copied as it was at one moment. The copy
/// of a stack is DIR/reftable; those of linked worktrees are DIR/worktrees/NAME/reftable, as in a
/// git directory. The copy is checked before the command succeeds; if it fails or is interrupted,
/// nothing of it is left.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where the copy is written: a directory that does not exist or is empty.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    let mut store = NewStore::new(&options.to)?;
    let interrupt = Interrupt::new()?;
    let progress = Arc::new(Progress::default());
    let write_options = StackOptions {
        interrupt: Some(interrupt.flag()),
        progress: Some(Arc::clone(&progress)),
        ..place.stack_options()?
    };
    // All are opened before the first is written, so that they are of nearly the same moment.
    let mut views = Vec::new();
    match place {
        Place::Repository(_) | Place::Stack(_) => {
            for stack in place.stacks()? {
                if stack.dir.exists() {
                    views.push((target_of(&options.to, &stack), stack.open()?.merged()));
                }
            }
        }
        _ => views.push((options.to.join("reftable"), place.view()?)),
    }
    let tables = views.iter().flat_map(|(_, view)| view.tables());
    let total = tables.map(|table| table.size()).sum();
    let bar = Bar::start("copying", total, &progress, &OnSignal::Stop(&interrupt));
    let mut all = Vec::new();
    for (dir, view) in &views {
        all.push((dir, store.write(dir, view, &write_options)?));
    }
    store.keep();
    drop(bar);
    for (dir, written) in all {
        show(dir, written, output)?;
    }
    Ok(Outcome::Ok)
}

/// The directory of the copy of a stack.
pub fn target_of(to: &Path, stack: &StackDir) -> PathBuf {
    match stack.dir.parent().and_then(Path::file_name) {
        Some(name) if stack.worktree.is_some() => to.join("worktrees").join(name).join("reftable"),
        _ => to.join("reftable"),
    }
}

/// Reports what was written.
pub fn show(dir: &Path, written: Written, output: &mut Output) -> Result<()> {
    output.line(format!(
        "{}: {}, {}",
        dir.display(),
        plural(written.refs, "ref"),
        plural(written.logs, "log entry")
    ))
}
