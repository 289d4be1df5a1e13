//! `reftable verify`: what is wrong with a ref store.
#![forbid(unsafe_code)]

mod refs;

use std::collections::BTreeSet;
use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use reftable::format::FindingKind;
use reftable::stack::{check_in_parallel, CheckEvent};
use reftable::table::{Table, TableData};

use crate::failure::{text_of, Failure, Result};
use crate::json::Object;
use crate::output::{Output, Paint};
use crate::place::{is_unreadable, names_in, read_file, Place, StackDir, LIST};
use crate::progress::{Bar, OnSignal, Progress};
use crate::Outcome;

/// Check a ref store, and report everything that is wrong.
///
/// Every table of every worktree's stack is read completely, as by `git refs verify`; no lock is
/// taken. Each finding is one line: the file, its kind, what is wrong, and where. Exits with 1 if
/// there are findings.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to check, instead of -C.
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,

    /// Only check that all tables are there, and their headers and footers.
    #[arg(long, conflicts_with = "full")]
    fast: bool,

    /// Also check the refs: their names, targets of symbolic refs, names that exclude each other,
    /// and that there is HEAD.
    #[arg(long)]
    full: bool,

    /// Write a JSON object for each finding: stack, file, kind, severity, text.
    #[arg(long)]
    json: bool,
}

/// Something that is wrong.
struct Finding<'f> {
    /// The directory of the stack.
    stack: &'f Path,
    /// A file in it, or a ref.
    subject: &'f str,
    kind: &'static str,
    text: String,
}

/// The findings so far.
struct Report<'o> {
    output: &'o mut Output,
    json: bool,
    count: u64,
    failed: Option<Failure>,
    progress: Arc<Progress>,
}

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    let mut report = Report {
        output,
        json: options.json,
        count: 0,
        failed: None,
        progress: Arc::default(),
    };
    match place {
        Place::Table(path) => check_table(path, options, &mut report)?,
        _ => {
            let stacks = place.stacks()?;
            let total = stacks.iter().map(StackDir::size).sum();
            let progress = Arc::clone(&report.progress);
            let _bar = Bar::start("checking", total, &progress, &OnSignal::End);
            for stack in stacks {
                // A worktree in which nothing has been done yet may have no stack.
                if stack.worktree.is_some() && !stack.dir.exists() {
                    continue;
                }
                if options.fast {
                    check_fast(&stack, &mut report)?;
                    continue;
                }
                // They read different things of the same files.
                thread::scope(|scope| {
                    let refs = options
                        .full
                        .then(|| scope.spawn(|| refs::check(&stack, &progress)));
                    check_stack(&stack, &mut report);
                    let wrong = refs.map(|refs| refs.join().unwrap_or_else(|e| resume_unwind(e)));
                    for (kind, name, text) in wrong.into_iter().flatten() {
                        report.add(&Finding {
                            stack: &stack.dir,
                            subject: &name,
                            kind,
                            text,
                        });
                    }
                });
            }
        }
    }
    let outcome = match report.count {
        0 => Outcome::Ok,
        _ => Outcome::Findings,
    };
    match report.failed {
        Some(failure) => Err(failure),
        None => Ok(outcome),
    }
}

fn check_stack(stack: &StackDir, report: &mut Report<'_>) {
    let mut size = 0;
    check_in_parallel(&stack.dir, stack.hash, &mut |event| {
        let finding = match event {
            CheckEvent::Checking(table) => {
                let before = std::mem::replace(&mut size, stack.size_of(table));
                return report.progress.add(0, before);
            }
            CheckEvent::Finding(finding) => finding,
        };
        report.add(&Finding {
            stack: &stack.dir,
            subject: finding.file,
            kind: name_of(finding.kind),
            text: finding.to_string(),
        });
    });
    report.progress.add(0, size);
}

/// Opens the tables, and reads no blocks.
fn check_fast(stack: &StackDir, report: &mut Report<'_>) -> Result<()> {
    let path = stack.dir.join(LIST);
    let list = match read_file(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(e) if is_unreadable(&e) => {
            report.add(&Finding {
                stack: &stack.dir,
                subject: LIST,
                kind: name_of(FindingKind::List),
                text: format!("cannot be read: {}", text_of(&e)),
            });
            return Ok(());
        }
        list => list.map_err(|e| Failure::io("read", &path, &e))?,
    };
    let names = names_in(&list);
    if !is_list_of(&list, &names) {
        report.add(&Finding {
            stack: &stack.dir,
            subject: LIST,
            kind: name_of(FindingKind::List),
            text: "not a list of table names, one on each line".to_owned(),
        });
    }
    for name in names {
        let mut add = |kind, text| {
            report.add(&Finding {
                stack: &stack.dir,
                subject: &name,
                kind,
                text,
            });
        };
        match TableData::open(&stack.dir.join(&name)) {
            Ok(data) => match Table::inspect(&name, data) {
                Ok(table) if table.hash_id() == stack.hash => {}
                Ok(_) => add(
                    name_of(FindingKind::Hash),
                    "hash function differs from the stack's".to_owned(),
                ),
                Err(flaw) => add(name_of(flaw.kind), flaw.to_string()),
            },
            Err(error) => add(
                name_of(FindingKind::MissingTable),
                format!(
                    "table that tables.list names cannot be opened: {}",
                    text_of(&error)
                ),
            ),
        }
    }
    Ok(())
}

/// Whether a list has these names and nothing else. As for git, empty lines do not matter.
fn is_list_of(list: &[u8], names: &[String]) -> bool {
    /// The largest list that is read, in bytes.
    const MOST: usize = 4 << 20;
    let lines = list.split_inclusive(|&byte| byte == b'\n');
    let lines = lines.filter(|line| *line != b"\n");
    let distinct: BTreeSet<&String> = names.iter().collect();
    let expected = names.iter().map(|name| name.as_bytes());
    list.len() <= MOST
        && distinct.len() == names.len()
        && lines
            .map(|line| line.strip_suffix(b"\n"))
            .eq(expected.map(Some))
}

fn check_table(path: &Path, options: &Options, report: &mut Report<'_>) -> Result<()> {
    let data = TableData::open(path).map_err(|e| Failure::io("read", path, &e))?;
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    let dir = path.parent().unwrap_or(Path::new(""));
    let mut add = |flaw: &reftable::table::Flaw| {
        report.add(&Finding {
            stack: dir,
            subject: &name,
            kind: name_of(flaw.kind),
            text: flaw.to_string(),
        });
    };
    match Table::inspect(&name, data) {
        Ok(table) if !options.fast => table.verify(&mut |flaw| add(&flaw)),
        Ok(_) => {}
        Err(flaw) => add(&flaw),
    }
    Ok(())
}

impl Report<'_> {
    fn add(&mut self, finding: &Finding<'_>) {
        self.count += 1;
        if self.failed.is_none() {
            self.failed = self.show(finding).err();
        }
    }

    fn show(&mut self, finding: &Finding<'_>) -> Result<()> {
        let Finding {
            stack,
            subject,
            kind,
            text,
        } = finding;
        let severity = match *kind {
            "table-name" | "unlisted-file" => "warning",
            _ => "error",
        };
        if self.json {
            let mut object = Object::new(self.output.buffer());
            object.bytes("stack", stack.as_os_str().as_encoded_bytes());
            object.bytes("file", subject.as_bytes());
            object.text("kind", kind).text("severity", severity);
            object.text("text", text);
            object.end();
        } else {
            self.output.paint(Paint::Bad, severity.as_bytes());
            let path = stack.join(subject);
            let file = match kind.starts_with("ref-") {
                true => format!("{}: {subject}", stack.display()),
                false => path.display().to_string(),
            };
            self.output
                .put(format!(": {}: {kind}: {text}", one_line(&file)).as_bytes());
        }
        self.output.end_line()
    }
}

/// Text without control characters.
fn one_line(text: &str) -> String {
    let escape = |c: char| match c.is_control() {
        true => c.escape_default().collect::<String>(),
        false => c.to_string(),
    };
    text.chars().map(escape).collect()
}

/// The kind of a finding in the output.
fn name_of(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::TableName => "table-name",
        FindingKind::List => "list",
        FindingKind::MissingTable => "missing-table",
        FindingKind::UnlistedFile => "unlisted-file",
        FindingKind::Header => "header",
        FindingKind::Footer => "footer",
        FindingKind::Hash => "hash",
        FindingKind::UpdateIndex => "update-index",
        FindingKind::Block => "block",
        FindingKind::Order => "order",
        FindingKind::Index => "index",
        FindingKind::Objects => "objects",
        _ => "other",
    }
}
