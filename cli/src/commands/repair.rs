//! `reftable repair`: a new ref store from what can be read of a damaged one.
#![forbid(unsafe_code)]

mod list;
mod salvage;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reftable::merged::{Merged, Tombstones};
use reftable::record::LogValue;
use reftable::table::Table;

use super::copy::{show, target_of};
use crate::failure::Result;
use crate::json::Object;
use crate::output::{Output, Paint};
use crate::place::{Place, StackDir};
use crate::text::{hex, quoted, shown};
use crate::writing::{prepare_dir, write_stack};
use crate::Outcome;
use salvage::Lost;

/// Write a new ref store with every record that can be read of a damaged one.
///
/// The damaged one is not changed. What is lost is printed first: for each damaged place the table,
/// the bytes and the names between which refs are missing, and each ref whose reflog tells another
/// value than the one that was found. Where a table is damaged, a ref may be missing, older than it
/// was, or back although it had been deleted.
///
/// The new stack is DIR/reftable; those of linked worktrees are DIR/worktrees/NAME/reftable. Exits
/// with 1 if anything was lost.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where the new store is written: a directory that does not exist or is empty.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,

    /// Write a JSON object for each loss: stack, table, start, end, text, after, before, ref, found,
    /// log.
    #[arg(long)]
    json: bool,
}

/// What is printed.
struct Report<'o> {
    output: &'o mut Output,
    json: bool,
    outcome: Outcome,
}

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    prepare_dir(&options.to)?;
    let write_options = place.stack_options().unwrap_or_default();
    let mut report = Report {
        output,
        json: options.json,
        outcome: Outcome::Ok,
    };
    let mut salvaged = Vec::new();
    match place {
        Place::Table(path) => {
            let dir = path.parent().unwrap_or(Path::new(""));
            let name = path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy();
            let stack = StackDir {
                dir: dir.to_owned(),
                hash: place.hash(),
                worktree: None,
            };
            let view = report.salvage(&stack, &[name.into_owned()])?;
            salvaged.push((options.to.join("reftable"), view));
        }
        _ => {
            for stack in place.stacks()? {
                if stack.worktree.is_some() && !stack.dir.exists() {
                    continue;
                }
                let names = list::tables(&stack.dir, &mut |text| report.note(&stack, text))?;
                let view = report.salvage(&stack, &names)?;
                salvaged.push((target_of(&options.to, &stack), view));
            }
        }
    }
    // What is lost is shown before anything is written.
    report.output.flush()?;
    for (dir, view) in salvaged {
        let written = write_stack(&dir, &view, &write_options)?;
        if !report.json {
            show(&dir, written, report.output)?;
        }
    }
    Ok(report.outcome)
}

impl Report<'_> {
    /// The view of all tables of a stack, in which damaged ones are replaced by what is left of them.
    fn salvage(&mut self, stack: &StackDir, names: &[String]) -> Result<Merged> {
        let mut tables: Vec<Arc<Table>> = Vec::new();
        let mut ranges = Vec::new();
        for name in names {
            let (table, lost) = salvage::table(&stack.dir.join(name), name, stack.hash);
            tables.extend(table);
            for lost in lost {
                self.lost(stack, name, &lost)?;
                ranges.push(lost);
            }
        }
        let view = Merged::new(tables, stack.hash)?;
        if !ranges.is_empty() {
            self.compare_with_logs(stack, &view, &ranges)?;
        }
        Ok(view)
    }

    /// Something that is wrong with the list.
    fn note(&mut self, stack: &StackDir, text: &str) -> Result<()> {
        self.outcome = Outcome::Findings;
        if self.json {
            let mut object = Object::new(self.output.buffer());
            object.bytes("stack", stack.dir.as_os_str().as_encoded_bytes());
            object.text("text", text);
            object.end();
            return self.output.end_line();
        }
        self.output.paint(Paint::Bad, b"lost");
        self.output
            .line(format!(": {}: {text}", stack.dir.display()))
    }

    fn lost(&mut self, stack: &StackDir, table: &str, lost: &Lost) -> Result<()> {
        self.outcome = Outcome::Findings;
        if self.json {
            let mut object = Object::new(self.output.buffer());
            object.bytes("stack", stack.dir.as_os_str().as_encoded_bytes());
            object.text("table", table);
            object.value("start", lost.start).value("end", lost.end);
            object.text("text", &lost.text);
            if let Some(name) = &lost.after {
                object.bytes("after", name);
            }
            if let Some(name) = &lost.before {
                object.bytes("before", name);
            }
            object.end();
            return self.output.end_line();
        }
        self.output.paint(Paint::Bad, b"lost");
        let mut text = format!(
            ": {}: bytes {} to {}: {}",
            shown(table.as_bytes()),
            lost.start,
            lost.end,
            lost.text
        );
        let what = lost.kind.text();
        match (&lost.after, &lost.before) {
            (Some(after), Some(before)) => {
                text += &format!("; {what} between {} and {}", quoted(after), quoted(before));
            }
            (Some(after), None) => text += &format!("; {what} after {}", quoted(after)),
            (None, Some(before)) => text += &format!("; {what} before {}", quoted(before)),
            (None, None) => text += &format!("; {what}"),
        }
        self.output.line(text)
    }

    /// Reports refs in the lost ranges whose newest log entry tells another value.
    fn compare_with_logs(&mut self, stack: &StackDir, view: &Merged, lost: &[Lost]) -> Result<()> {
        let mut finder = view.finder();
        let mut logs = view.logs(Tombstones::Hide);
        let mut last = Vec::new();
        while logs.advance()? {
            let record = logs.record();
            if record.name == last || !lost.iter().any(|lost| lost.may_have_ref(record.name)) {
                continue;
            }
            last.clear();
            last.extend_from_slice(record.name);
            let LogValue::Update(update) = record.value else {
                continue;
            };
            let found = finder.find(record.name)?;
            let is_symbolic = found.is_some_and(|record| record.id().is_none());
            let id = found.and_then(|record| record.id()).map(hex);
            let logged = hex(update.new_hash);
            let is_deletion = update.new_hash.iter().all(|&byte| byte == 0);
            if is_symbolic || is_deletion || id.as_ref() == Some(&logged) {
                continue;
            }
            self.differs(stack, record.name, id.as_deref(), &logged)?;
        }
        Ok(())
    }

    fn differs(
        &mut self,
        stack: &StackDir,
        name: &[u8],
        found: Option<&str>,
        logged: &str,
    ) -> Result<()> {
        if self.json {
            let mut object = Object::new(self.output.buffer());
            object.bytes("stack", stack.dir.as_os_str().as_encoded_bytes());
            object.bytes("ref", name);
            if let Some(found) = found {
                object.text("found", found);
            }
            object.text("log", logged);
            object.end();
            return self.output.end_line();
        }
        let found = found.unwrap_or("missing");
        self.output.paint(Paint::Bad, b"lost");
        self.output.line(format!(
            ": {}: {found}, but its reflog ends with {logged}",
            shown(name)
        ))
    }
}
