//! What `repair` prints.
#![forbid(unsafe_code)]

use std::path::Path;

use reftable::merged::{Merged, Tombstones};
use reftable::record::LogValue;

use super::list::Note;
use super::records::Named;
use super::salvage::{Lost, Salvaged};
use crate::commands::copy::show;
use crate::failure::Result;
use crate::json::Object;
use crate::output::{Output, Paint};
use crate::place::StackDir;
use crate::text::{hex, quoted, shown};
use crate::writing::Written;
use crate::Outcome;

/// What is printed.
pub struct Report<'o> {
    output: &'o mut Output,
    json: bool,
    pub outcome: Outcome,
}

/// What is lost of the tables of one stack.
#[derive(Debug, Default)]
pub struct Losses {
    ranges: Vec<Lost>,
    /// The tables and the records that their indexes name.
    named: Vec<(String, Named)>,
    /// Whether a table is missing or the list is damaged.
    has_note: bool,
}

impl Losses {
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty() && !self.has_note
    }
}

impl<'o> Report<'o> {
    pub fn new(output: &'o mut Output, json: bool) -> Self {
        Self {
            output,
            json,
            outcome: Outcome::Ok,
        }
    }

    pub fn flush(&mut self) -> Result<()> {
        self.output.flush()
    }

    /// Something that is wrong with the list, or that replaces it.
    pub fn note(&mut self, stack: &StackDir, losses: &mut Losses, note: &Note<'_>) -> Result<()> {
        losses.has_note = true;
        let (Note::Lost(text) | Note::Found(text)) = note;
        if self.json {
            return self.object(stack, |object| {
                object.text("text", text);
            });
        }
        let line = format!("{}: {text}", stack.dir.display());
        match note {
            Note::Lost(_) => self.line(&line),
            Note::Found(_) => {
                self.output.paint(Paint::Good, b"found");
                self.output.line(format!(": {line}"))
            }
        }
    }

    /// What is lost of one table.
    pub fn table(
        &mut self,
        stack: &StackDir,
        table: &str,
        salvaged: Salvaged,
        losses: &mut Losses,
    ) -> Result<()> {
        for lost in salvaged.lost {
            self.lost(stack, table, &lost)?;
            losses.ranges.push(lost);
        }
        let named = salvaged.named.into_iter();
        losses
            .named
            .extend(named.map(|named| (table.to_owned(), named)));
        Ok(())
    }

    fn lost(&mut self, stack: &StackDir, table: &str, lost: &Lost) -> Result<()> {
        if self.json {
            return self.object(stack, |object| {
                object.text("table", table);
                object.value("start", lost.start).value("end", lost.end);
                object.text("text", &lost.text);
                if let Some(name) = &lost.after {
                    object.bytes("after", name);
                }
                if let Some(name) = &lost.before {
                    object.bytes("before", name);
                }
            });
        }
        let what = lost.kind.text();
        let between = match (&lost.after, &lost.before) {
            (Some(after), Some(before)) => {
                format!(" between {} and {}", quoted(after), quoted(before))
            }
            (Some(after), None) => format!(" after {}", quoted(after)),
            (None, Some(before)) => format!(" before {}", quoted(before)),
            (None, None) => String::new(),
        };
        self.line(&format!(
            "{}: bytes {} to {}: {}; {what}{between}",
            shown(table.as_bytes()),
            lost.start,
            lost.end,
            lost.text
        ))
    }

    /// Names the records that are lost, as far as reflogs and indexes name them.
    pub fn names(&mut self, stack: &StackDir, view: &Merged, losses: &Losses) -> Result<()> {
        if losses.is_empty() {
            return Ok(());
        }
        let logged = self.compare_with_logs(stack, view, losses)?;
        self.compare_with_indexes(stack, view, losses, &logged)
    }

    /// Reports refs in the lost ranges whose newest log entry has another value, and returns their
    /// names in order.
    fn compare_with_logs(
        &mut self,
        stack: &StackDir,
        view: &Merged,
        losses: &Losses,
    ) -> Result<Vec<Vec<u8>>> {
        let mut reported = Vec::new();
        let mut finder = view.finder();
        let mut logs = view.logs(Tombstones::Hide);
        let mut last = Vec::new();
        let may_be_lost = |name: &[u8]| {
            losses.has_note || losses.ranges.iter().any(|lost| lost.may_have_ref(name))
        };
        while logs.advance()? {
            let record = logs.record();
            if record.name == last || !may_be_lost(record.name) {
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
            // A missing HEAD is reported on its own.
            let is_head = found.is_none() && record.name == b"HEAD";
            if is_symbolic || is_deletion || is_head || id.as_ref() == Some(&logged) {
                continue;
            }
            self.differs(stack, record.name, id.as_deref(), &logged)?;
            reported.push(record.name.to_vec());
        }
        Ok(reported)
    }

    fn differs(
        &mut self,
        stack: &StackDir,
        name: &[u8],
        found: Option<&str>,
        logged: &str,
    ) -> Result<()> {
        if self.json {
            return self.object(stack, |object| {
                object.bytes("ref", name);
                if let Some(found) = found {
                    object.text("found", found);
                }
                object.text("log", logged);
            });
        }
        let found = found.unwrap_or("missing");
        self.line(&format!(
            "{}: {found}, but its reflog ends with {logged}",
            shown(name)
        ))
    }

    /// Reports the records that only an index names. `logged` are the refs that were reported.
    fn compare_with_indexes(
        &mut self,
        stack: &StackDir,
        view: &Merged,
        losses: &Losses,
        logged: &[Vec<u8>],
    ) -> Result<()> {
        let mut finder = view.finder();
        for (table, Named { name, log }) in &losses.named {
            if log.is_none() && logged.binary_search(name).is_ok() {
                continue;
            }
            let found = match log {
                None => finder.find(name)?.and_then(|record| record.id()).map(hex),
                Some(_) => None,
            };
            if self.json {
                self.object(stack, |object| {
                    object.text("table", table).bytes("ref", name);
                    if let Some(found) = &found {
                        object.text("found", found);
                    }
                    if let Some(update_index) = log {
                        object.value("log_entry", *update_index);
                    }
                })?;
                continue;
            }
            let what = match (log, found) {
                (Some(update_index), _) => {
                    format!("the reflog entry of update index {update_index}")
                }
                (None, Some(found)) => format!("{found} of an older table, instead of its value"),
                (None, None) => "missing".to_owned(),
            };
            self.line(&format!(
                "{}: {what}, which the index of {} names",
                shown(name),
                shown(table.as_bytes())
            ))?;
        }
        Ok(())
    }

    /// There is no HEAD, without which git finds no repository.
    pub fn head(&mut self, stack: &StackDir) -> Result<()> {
        if self.json {
            return self.object(stack, |object| {
                object.bytes("ref", b"HEAD");
            });
        }
        self.line("HEAD: missing; set it with `git symbolic-ref HEAD refs/heads/BRANCH`")
    }

    /// An object about a loss.
    fn object(&mut self, stack: &StackDir, add: impl FnOnce(&mut Object<'_>)) -> Result<()> {
        self.outcome = Outcome::Findings;
        let mut object = Object::new(self.output.buffer());
        object.bytes("stack", stack.dir.as_os_str().as_encoded_bytes());
        add(&mut object);
        object.end();
        self.output.end_line()
    }

    /// A line about a loss.
    fn line(&mut self, text: &str) -> Result<()> {
        self.outcome = Outcome::Findings;
        self.output.paint(Paint::Bad, b"lost");
        self.output.line(format!(": {text}"))
    }

    /// A stack to which nothing was done.
    pub fn sound(&mut self, stack: &StackDir) -> Result<()> {
        match self.json {
            true => Ok(()),
            false => self.output.line(format!("{}: sound", stack.dir.display())),
        }
    }

    /// What was written to `dir`, or would be.
    pub fn written(&mut self, dir: &Path, written: Written) -> Result<()> {
        match self.json {
            true => Ok(()),
            false => show(dir, written, self.output),
        }
    }

    /// What has replaced a stack whose files are now in `kept`.
    pub fn replaced(&mut self, stack: &StackDir, written: Written, kept: &Path) -> Result<()> {
        if self.json {
            let mut object = Object::new(self.output.buffer());
            object.bytes("stack", stack.dir.as_os_str().as_encoded_bytes());
            object.bytes("kept", kept.as_os_str().as_encoded_bytes());
            object.value("refs", written.refs);
            object.value("log_entries", written.logs);
            object.end();
            return self.output.end_line();
        }
        show(&stack.dir, written, self.output)?;
        self.output
            .line(format!("{}: the old files", kept.display()))
    }
}
