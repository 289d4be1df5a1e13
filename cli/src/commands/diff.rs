//! `reftable diff`: how two ref stores differ.
#![forbid(unsafe_code)]

use std::cmp::Ordering;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use reftable::merged::Merged;

use crate::at::Past;
use crate::failure::{tell, Result};
use crate::json::Object;
use crate::output::{Output, Paint};
use crate::place::Place;
use crate::refs::{Item, List};
use crate::text::hex;
use crate::Outcome;

/// Show which refs differ between two tables, stacks, or moments.
///
/// Each side is a repository, a reftable directory, a table, or an update index: the stack of -C
/// after that transaction, as far as its tables can tell. Of a repository, the stack of the shared
/// refs and the main worktree counts. Lines that begin with - are only in the first, those with +
/// only in the second. Exits with 1 if there is a difference.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The first side.
    #[arg(value_name = "A")]
    first: OsString,

    /// The second side.
    #[arg(value_name = "B")]
    second: OsString,

    /// Write a JSON object for each ref that differs: name, old, new.
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options, path: Option<&Path>, output: &mut Output) -> Result<Outcome> {
    let first = view_of(&options.first, path)?;
    let second = view_of(&options.second, path)?;
    let mut outcome = Outcome::Ok;
    let mut lists = (List::of_view(&first, b"")?, List::of_view(&second, b"")?);
    let mut old = lists.0.next()?;
    let mut new = lists.1.next()?;
    loop {
        let order = match (&old, &new) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.name.cmp(new.name),
        };
        let before = old.filter(|_| order != Ordering::Greater);
        let after = new.filter(|_| order != Ordering::Less);
        let is_same = match (&before, &after) {
            (Some(before), Some(after)) => before.has_target_of(after),
            _ => false,
        };
        if !is_same {
            outcome = Outcome::Findings;
            show(before.as_ref(), after.as_ref(), options.json, output)?;
        }
        if order != Ordering::Greater {
            old = lists.0.next()?;
        }
        if order != Ordering::Less {
            new = lists.1.next()?;
        }
    }
    Ok(outcome)
}

/// The refs of one side.
fn view_of(side: &OsString, path: Option<&Path>) -> Result<Arc<Merged>> {
    let index = side.to_str().and_then(|text| text.parse().ok());
    match index {
        Some(update_index) if !Path::new(side).exists() => {
            let past = Past::new(&Place::find(path)?.view()?, update_index)?;
            for note in past.notes {
                tell(note);
            }
            Ok(past.view)
        }
        _ => Place::find(Some(Path::new(side)))?.view(),
    }
}

fn show(
    old: Option<&Item<'_>>,
    new: Option<&Item<'_>>,
    is_json: bool,
    output: &mut Output,
) -> Result<()> {
    if is_json {
        let mut object = Object::new(output.buffer());
        if let Some(item) = old.or(new) {
            object.bytes("name", item.name);
        }
        for (key, item) in [("old", old), ("new", new)] {
            if let Some(item) = item {
                object.bytes(key, value_of(item).as_slice());
            }
        }
        object.end();
        return output.end_line();
    }
    for (sign, paint, item) in [(b"-", Paint::Bad, old), (b"+", Paint::Good, new)] {
        if let Some(item) = item {
            let line = [sign.as_slice(), &value_of(item), b"\t", item.name].concat();
            output.paint(paint, &line);
            output.end_line()?;
        }
    }
    Ok(())
}

fn value_of(item: &Item<'_>) -> Vec<u8> {
    match item.symbolic() {
        None => hex(item.id().unwrap_or_default()).into_bytes(),
        Some(target) => [b"ref: ".as_slice(), target].concat(),
    }
}
