//! `reftable stat`: figures about stacks and tables.
#![forbid(unsafe_code)]

mod count;

use std::path::{Path, PathBuf};

use bstr::BString;
use reftable::merged::{Merged, Tombstones};
use reftable::table::{RawTable, TableData};

use crate::failure::{quoted_path, Failure, Result};
use crate::json::Object;
use crate::output::{Output, Paint};
use crate::place::{Place, StackDir};
use crate::text::plural;
use crate::Outcome;
pub use count::{Section, TableCounts, SECTIONS};

/// Show figures about a ref store: tables, sizes, blocks, records.
///
/// Of each section of a table: records, deletions among them, blocks, how full these are, restarts,
/// and the levels of the index. Of each stack: how many records newer tables hide, and what the next
/// compaction would do.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to look at, instead of -C.
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,

    /// Write a JSON object for each stack.
    #[arg(long)]
    json: bool,
}

/// The figures of a stack or of one table.
struct StackCounts {
    dir: PathBuf,
    worktree: Option<BString>,
    tables: Vec<TableCounts>,
    /// Refs and log entries that are visible.
    visible: [u64; 2],
    /// The tables that the next compaction merges, if there is a stack.
    next: Option<std::ops::Range<usize>>,
}

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    let mut all = Vec::new();
    match place {
        Place::Table(path) => {
            let view = place.view()?;
            all.push(StackCounts {
                dir: path.parent().unwrap_or(Path::new("")).to_owned(),
                worktree: None,
                tables: vec![TableCounts::new(&read(path)?)?],
                visible: visible(&view)?,
                next: None,
            });
        }
        _ => {
            for stack in place.stacks()? {
                if stack.worktree.is_none() || stack.dir.exists() {
                    all.push(count_stack(place, &stack)?);
                }
            }
        }
    }
    for counts in &all {
        match options.json {
            true => counts.put_json(output)?,
            false => counts.put_text(output)?,
        }
    }
    Ok(Outcome::Ok)
}

fn count_stack(place: &Place, stack: &StackDir) -> Result<StackCounts> {
    let open = stack.open_with(place.stack_options()?)?;
    let view = open.merged();
    let tables = view.tables().iter();
    let tables: Result<_> = tables
        .map(|table| TableCounts::new(&read(&stack.dir.join(table.name()))?))
        .collect();
    Ok(StackCounts {
        dir: stack.dir.clone(),
        worktree: stack.worktree.clone(),
        tables: tables?,
        visible: visible(&view)?,
        next: Some(open.next_compaction()),
    })
}

/// Reads a table as it is stored.
pub fn read(path: &Path) -> Result<RawTable> {
    if path.is_dir() {
        let text = "is a directory; name one of the tables in it";
        return Err(Failure::new(format!("{} {text}", quoted_path(path))));
    }
    let data = TableData::open(path).map_err(|e| Failure::io("read", path, &e))?;
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    Ok(RawTable::new(&name, data)?)
}

/// The numbers of refs and of log entries that are visible.
pub fn visible(view: &Merged) -> Result<[u64; 2]> {
    let mut counts = [0; 2];
    let mut refs = view.refs(Tombstones::Hide);
    while refs.advance()? {
        counts[0] += 1;
    }
    let mut logs = view.logs(Tombstones::Hide);
    while logs.advance()? {
        counts[1] += 1;
    }
    Ok(counts)
}

impl StackCounts {
    fn size(&self) -> u64 {
        self.tables.iter().map(|table| table.size).sum()
    }

    /// Records of refs or log entries, deletions among them, and bytes.
    fn sum(&self, section: usize) -> Section {
        let mut sum = Section::default();
        for table in &self.tables {
            if let Some(counts) = table.sections.get(section) {
                sum.add(counts);
            }
        }
        sum
    }

    fn put_text(&self, output: &mut Output) -> Result<()> {
        let name = match &self.worktree {
            Some(worktree) => format!("stack {} of worktree {worktree}", self.dir.display()),
            None => format!("stack {}", self.dir.display()),
        };
        output.paint(Paint::Name, name.as_bytes());
        output.end_line()?;
        let count = self.tables.len();
        output.line(format!(
            "  {}, {} bytes",
            plural(count, "table"),
            self.size()
        ))?;
        for (section, what) in [(0, "ref"), (2, "log entry")] {
            let sum = self.sum(section);
            let visible = self.visible.get(section / 2).copied().unwrap_or_default();
            let hidden = (sum.records - sum.deletions).saturating_sub(visible);
            let mut text = format!("  {}", plural(visible, what));
            if sum.records > visible {
                text += &format!(
                    " in {}: {}, {hidden} hidden",
                    plural(sum.records, "record"),
                    plural(sum.deletions, "deletion")
                );
            }
            if let Some(each) = ratio(sum.bytes + sum.index_bytes, sum.records) {
                text += &format!(", {each:.1} bytes for each record");
            }
            output.line(text)?;
        }
        if let Some(next) = &self.next {
            output.line(match next.is_empty() {
                true => "  next compaction: nothing to do".to_owned(),
                false => format!(
                    "  next compaction: merges the tables {} to {}",
                    next.start + 1,
                    next.end
                ),
            })?;
        }
        for (at, table) in self.tables.iter().enumerate() {
            put_table(at + 1, table, output)?;
        }
        Ok(())
    }

    fn put_json(&self, output: &mut Output) -> Result<()> {
        let mut object = Object::new(output.buffer());
        object.bytes("stack", self.dir.as_os_str().as_encoded_bytes());
        if let Some(worktree) = &self.worktree {
            object.bytes("worktree", worktree);
        }
        object.value("size", self.size());
        object.value("refs", self.visible[0]);
        object.value("log_entries", self.visible[1]);
        if let Some(next) = &self.next {
            object.value("next_compaction", next.clone().collect::<Vec<_>>());
        }
        object.list("tables", &self.tables, |table, item| table.put_json(item));
        object.end();
        output.end_line()
    }
}

fn put_table(number: usize, table: &TableCounts, output: &mut Output) -> Result<()> {
    output.put(format!("  {number} ").as_bytes());
    output.paint(Paint::Name, table.name.as_bytes());
    output.end_line()?;
    let blocks = match table.block_size {
        0 => "blocks not aligned".to_owned(),
        size => format!("blocks of {size} bytes"),
    };
    let (min, max) = table.update_indexes;
    output.line(format!(
        "      {} bytes, version {}, {blocks}, update indexes {min} to {max}",
        table.size, table.version
    ))?;
    for (name, section) in SECTIONS.iter().zip(&table.sections) {
        if section.blocks == 0 {
            continue;
        }
        let fill = ratio(100 * section.used, section.room).unwrap_or(0.0);
        let index = match section.levels {
            0 => "no index".to_owned(),
            levels => format!(
                "index of {} in {}, {} bytes",
                plural(levels, "level"),
                plural(section.index_blocks, "block"),
                section.index_bytes
            ),
        };
        let deletions = match section.deletions {
            0 => String::new(),
            count => format!(" ({})", plural(count, "deletion")),
        };
        output.line(format!(
            "      {name:<7} {}{deletions}, {}, {fill:.0} % full, {}, {} bytes, {index}",
            plural(section.records, "record"),
            plural(section.blocks, "block"),
            plural(section.restarts, "restart"),
            section.bytes,
        ))?;
    }
    Ok(())
}

/// `number / of`, as people need it; `None` for a division by 0.
#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn ratio(number: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| number as f64 / of as f64)
}
