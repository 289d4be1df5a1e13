//! `reftable tree`: a picture of a stack.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use bstr::BString;

use super::stat::{read, Section, TableCounts, SECTIONS};
use crate::failure::{Failure, Result};
use crate::json::Object;
use crate::output::{Output, Paint};
use crate::place::{listed, Place, LIST};
use crate::text::plural;
use crate::Outcome;

/// Draw the stacks: tables from the oldest to the newest, and what is in them.
///
/// The length of a bar is the size of the table, compared with the largest one. Exits with 1 if a
/// table is damaged or missing.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to draw, instead of -C.
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,

    /// Write a JSON object for each stack: the tables as in `stat`, or is_damaged.
    #[arg(long)]
    json: bool,
}

/// Length of the longest bar.
const BAR: u64 = 20;

/// A stack, or one table.
struct Tree {
    /// The directory of the tables.
    dir: PathBuf,
    worktree: Option<BString>,
    /// Names of tables, and what is in them; `None` if a table is damaged or missing.
    tables: Vec<(String, Option<TableCounts>)>,
}

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    let mut outcome = Outcome::Ok;
    for tree in trees(place)? {
        if tree.tables.iter().any(|(_, counts)| counts.is_none()) {
            outcome = Outcome::Findings;
        }
        match (options.json, place, tree.tables.as_slice()) {
            (true, ..) => tree.put_json(output)?,
            (false, Place::Table(_), [(_, Some(counts))]) => {
                draw_table(counts, counts.size, ["", ""], output)?;
            }
            _ => tree.draw(output)?,
        }
    }
    Ok(outcome)
}

fn trees(place: &Place) -> Result<Vec<Tree>> {
    if let Place::Table(path) = place {
        let counts = TableCounts::new(&read(path)?)?;
        return Ok(vec![Tree {
            dir: path.parent().unwrap_or(Path::new("")).to_owned(),
            worktree: None,
            tables: vec![(counts.name.clone(), Some(counts))],
        }]);
    }
    let mut trees = Vec::new();
    for stack in place.stacks()? {
        if stack.worktree.is_some() && !stack.dir.exists() {
            continue;
        }
        let names =
            listed(&stack.dir).map_err(|e| Failure::io("read", &stack.dir.join(LIST), &e))?;
        let count = |name: &String| {
            let table = read(&stack.dir.join(name));
            table.and_then(|table| TableCounts::new(&table)).ok()
        };
        let tables = names.into_iter().map(|name| {
            let counts = count(&name);
            (name, counts)
        });
        trees.push(Tree {
            tables: tables.collect(),
            dir: stack.dir.clone(),
            worktree: stack.worktree.clone(),
        });
    }
    Ok(trees)
}

impl Tree {
    fn sizes(&self) -> impl Iterator<Item = u64> + '_ {
        let counts = self.tables.iter().filter_map(|(_, counts)| counts.as_ref());
        counts.map(|counts| counts.size)
    }

    fn draw(&self, output: &mut Output) -> Result<()> {
        output.paint(Paint::Id, self.dir.display().to_string().as_bytes());
        output.line(format!(
            ": {}, {}",
            plural(self.tables.len(), "table"),
            size_text(self.sizes().sum())
        ))?;
        let largest = self.sizes().max().unwrap_or(1);
        let last = self.tables.len().saturating_sub(1);
        for (at, (name, counts)) in self.tables.iter().enumerate() {
            let lines = match at == last {
                true => ["`-- ", "    "],
                false => ["|-- ", "|   "],
            };
            match counts {
                Some(counts) => draw_table(counts, largest, lines, output)?,
                None => {
                    output.put(lines[0].as_bytes());
                    output.paint(Paint::Bad, name.as_bytes());
                    output.line("  damaged or missing; see `reftable verify`")?;
                }
            }
        }
        Ok(())
    }

    fn put_json(&self, output: &mut Output) -> Result<()> {
        let mut object = Object::new(output.buffer());
        object.bytes("stack", self.dir.as_os_str().as_encoded_bytes());
        if let Some(worktree) = &self.worktree {
            object.bytes("worktree", worktree);
        }
        object.value("size", self.sizes().sum::<u64>());
        object.list(
            "tables",
            &self.tables,
            |(name, counts), item| match counts {
                Some(counts) => counts.put_json(item),
                None => {
                    item.text("name", name).value("is_damaged", true);
                }
            },
        );
        object.end();
        output.end_line()
    }
}

fn draw_table(
    table: &TableCounts,
    largest: u64,
    [before, inside]: [&str; 2],
    output: &mut Output,
) -> Result<()> {
    let length = (table.size.saturating_mul(BAR)).div_ceil(largest.max(1));
    let bar = "#".repeat(usize::try_from(length).unwrap_or(0));
    let (min, max) = table.update_indexes;
    output.put(before.as_bytes());
    output.paint(Paint::Name, table.name.as_bytes());
    let width = usize::try_from(BAR).unwrap_or(0);
    output.line(format!(
        "  {bar:<width$} {:>10}  update indexes {min} to {max}",
        size_text(table.size)
    ))?;
    let sections = || {
        SECTIONS
            .iter()
            .zip(&table.sections)
            .filter(|(_, section)| section.blocks > 0)
    };
    let count = sections().count();
    for (at, (name, section)) in sections().enumerate() {
        let branch = if at + 1 == count { "`-- " } else { "|-- " };
        output.line(format!(
            "{inside}{branch}{name:<7}  {}",
            section_text(section)
        ))?;
    }
    Ok(())
}

fn section_text(section: &Section) -> String {
    let mut text = format!(
        "{} in {}",
        plural(section.records, "record"),
        plural(section.blocks, "block")
    );
    if section.deletions > 0 {
        text += &format!(", {}", plural(section.deletions, "deletion"));
    }
    if section.levels > 0 {
        text += &format!(
            ", index of {} in {}",
            plural(section.levels, "level"),
            plural(section.index_blocks, "block")
        );
    }
    text
}

/// A size for people.
fn size_text(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let (mut number, mut unit) = (bytes.saturating_mul(10) / 1024, 0);
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    while number >= 10_240 && unit + 1 < UNITS.len() {
        number /= 1024;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    format!("{}.{} {name}", number / 10, number % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_digit_after_the_point() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1 << 20, "1.0 MiB"),
            ((1 << 20) - 1, "1023.9 KiB"),
        ] {
            assert_eq!(size_text(bytes), text);
        }
    }
}
