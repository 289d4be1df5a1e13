//! `reftable tree`: a picture of a stack.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use super::stat::{read, Section, TableCounts, SECTIONS};
use crate::failure::Result;
use crate::output::{Output, Paint};
use crate::place::{listed, Place};
use crate::text::plural;
use crate::Outcome;

/// Draw the stacks: tables from the oldest to the newest, and what is in them.
///
/// The length of a bar is the size of the table, compared with the largest one.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to draw, instead of -C.
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,
}

/// Length of the longest bar.
const BAR: u64 = 20;

pub fn run(_: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    if let Place::Table(path) = place {
        let counts = TableCounts::new(&read(path)?)?;
        draw_table(&counts, counts.size, ["", ""], output)?;
        return Ok(Outcome::Ok);
    }
    for stack in place.stacks()? {
        if stack.worktree.is_some() && !stack.dir.exists() {
            continue;
        }
        let names = listed(&stack.dir).map_err(|e| {
            crate::failure::Failure::io("read", &stack.dir.join(crate::place::LIST), &e)
        })?;
        draw(&stack.dir, &names, output)?;
    }
    Ok(Outcome::Ok)
}

fn draw(dir: &Path, names: &[String], output: &mut Output) -> Result<()> {
    let tables: Vec<_> = names
        .iter()
        .map(|name| read(&dir.join(name)).and_then(|table| TableCounts::new(&table)))
        .collect();
    let sizes = || tables.iter().flatten().map(|table| table.size);
    output.paint(Paint::Id, dir.display().to_string().as_bytes());
    output.line(format!(
        ": {}, {}",
        plural(tables.len(), "table"),
        size_text(sizes().sum())
    ))?;
    let largest = sizes().max().unwrap_or(1);
    let last = tables.len().saturating_sub(1);
    for (at, (name, table)) in names.iter().zip(&tables).enumerate() {
        let lines = match at == last {
            true => ["`-- ", "    "],
            false => ["|-- ", "|   "],
        };
        match table {
            Ok(table) => draw_table(table, largest, lines, output)?,
            Err(_) => {
                output.put(lines[0].as_bytes());
                output.paint(Paint::Bad, name.as_bytes());
                output.line("  damaged or missing; see `reftable verify`")?;
            }
        }
    }
    Ok(())
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
