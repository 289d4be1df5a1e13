//! `reftable repair`: a new ref store from what can be read of a damaged one.
#![forbid(unsafe_code)]

mod list;
mod records;
mod report;
mod salvage;
mod swap;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reftable::merged::Merged;
use reftable::stack::Replacement;

use super::copy::target_of;
use super::stat::visible;
use crate::failure::{quoted_path, Failure, Result};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::place::{Place, StackDir};
use crate::progress::{Bar, OnSignal, Progress};
use crate::writing::{NewStore, Written};
use crate::Outcome;
use report::{Losses, Report};

/// Write a new ref store with every record that can be read of a damaged one, or replace the damaged
/// one by it.
///
/// Without --to and --apply nothing is written. What is lost is printed first: for each damaged place
/// the table, the bytes and the names between which refs are missing; each ref whose reflog ends with
/// another value than the one that was found; and records that the index of a table names. Where a
/// table is damaged, a ref may be missing, older than it was, or back although it had been deleted.
///
/// With --to, the new stack is DIR/reftable; those of linked worktrees are
/// DIR/worktrees/NAME/reftable; if the command fails or is interrupted, nothing of them is left. With
/// --apply, each damaged stack is replaced while its list is locked. Its files are kept beside it, in reftable.broken-DATE; sound stacks stay as they are. If the
/// command is killed, there is the damaged stack or the new one.
///
/// Exits with 1 if anything was lost.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where the new store is written: a directory that does not exist or is empty.
    #[arg(long, value_name = "DIR", conflicts_with = "apply")]
    to: Option<PathBuf>,

    /// Replace the damaged stacks, and keep their files.
    #[arg(long)]
    apply: bool,

    /// Only print what is lost, which is the default.
    #[arg(short = 'n', long, conflicts_with = "to")]
    dry_run: bool,

    /// Write a JSON object for each loss: stack, table, start, end, text, after, before, ref, found,
    /// log, log_entry; and with --apply for each stack that was replaced: stack, kept, refs,
    /// log_entries.
    #[arg(long)]
    json: bool,
}

/// What could be read of a stack.
struct Salvaged {
    stack: StackDir,
    view: Merged,
    /// The lock of a stack that is to be replaced.
    replacement: Option<Replacement>,
}

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    let mut store = options.to.as_deref().map(NewStore::new).transpose()?;
    let interrupt = Interrupt::new()?;
    let applies = options.apply && !options.dry_run;
    let mut write_options = match place.stack_options() {
        Err(error) if applies => return Err(error),
        found => found.unwrap_or_default(),
    };
    write_options.interrupt = Some(interrupt.flag());
    let progress = Arc::new(Progress::default());
    write_options.progress = Some(Arc::clone(&progress));
    let mut report = Report::new(output, options.json);
    let mut all = Vec::new();
    if let Place::Table(path) = place {
        if options.apply {
            let text = "is one table; name the directory that it is in, or a repository";
            return Err(Failure::new(format!("{} {text}", quoted_path(path))));
        }
        all.push(of_table(path, place, &mut report)?);
    } else {
        for stack in place.stacks()? {
            if !stack.dir.exists() {
                if stack.worktree.is_none() {
                    let text = "does not exist; restore it from a copy";
                    return Err(Failure::new(format!("{} {text}", quoted_path(&stack.dir))));
                }
                continue;
            }
            if applies && !swap::is_damaged(&stack)? {
                report.sound(&stack)?;
                continue;
            }
            let replacement = applies.then(|| swap::lock(&stack, &write_options));
            all.push(of_stack(stack, replacement.transpose()?, &mut report)?);
        }
    }
    // What is lost is shown before anything is written.
    report.flush()?;
    let tables = all.iter().flat_map(|salvaged| salvaged.view.tables());
    let total = tables.map(|table| table.size()).sum();
    let bar = Bar::start("writing", total, &progress, &OnSignal::Stop(&interrupt));
    let mut new = Vec::new();
    for Salvaged {
        stack,
        view,
        replacement,
    } in all
    {
        interrupt.check()?;
        if let Some(replacement) = replacement {
            let (written, kept) = swap::replace(&stack, replacement, &view, &write_options)?;
            report.replaced(&stack, written, &kept)?;
        } else if let (Some(store), Some(to)) = (&mut store, &options.to) {
            let dir = target_of(to, &stack);
            let written = store.write(&dir, &view, &write_options)?;
            new.push((dir, written));
        } else {
            let [refs, logs] = visible(&view)?;
            let subject = match place {
                Place::Table(path) => path,
                _ => &stack.dir,
            };
            report.written(subject, Written { refs, logs })?;
        }
    }
    if let Some(store) = store {
        store.keep();
    }
    drop(bar);
    for (dir, written) in new {
        report.written(&dir, written)?;
    }
    Ok(report.outcome)
}

/// Reads a stack, in which damaged tables are replaced by the remainder of them, and reports what is
/// lost.
fn of_stack(
    stack: StackDir,
    replacement: Option<Replacement>,
    report: &mut Report<'_>,
) -> Result<Salvaged> {
    let mut losses = Losses::default();
    let names = list::tables(&stack.dir, &mut |note| {
        report.note(&stack, &mut losses, &note)
    })?;
    let view = read_tables(&stack, &names, report, &mut losses)?;
    report.names(&stack, &view, &losses)?;
    if !losses.is_empty() && view.finder().find(b"HEAD")?.is_none() {
        report.head(&stack)?;
    }
    Ok(Salvaged {
        stack,
        view,
        replacement,
    })
}

/// Reads one table.
fn of_table(path: &Path, place: &Place, report: &mut Report<'_>) -> Result<Salvaged> {
    let name = path.file_name().unwrap_or(path.as_os_str());
    let stack = StackDir {
        dir: path.parent().unwrap_or(Path::new("")).to_owned(),
        hash: place.hash(),
        worktree: None,
    };
    let mut losses = Losses::default();
    let names = [name.to_string_lossy().into_owned()];
    let view = read_tables(&stack, &names, report, &mut losses)?;
    report.names(&stack, &view, &losses)?;
    Ok(Salvaged {
        stack,
        view,
        replacement: None,
    })
}

fn read_tables(
    stack: &StackDir,
    names: &[String],
    report: &mut Report<'_>,
    losses: &mut Losses,
) -> Result<Merged> {
    let mut tables = Vec::new();
    for name in names {
        let mut salvaged = salvage::table(&stack.dir.join(name), name, stack.hash)?;
        tables.extend(salvaged.table.take());
        report.table(stack, name, salvaged, losses)?;
    }
    Ok(Merged::new(tables, stack.hash)?)
}
