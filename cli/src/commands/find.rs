//! `reftable find`: the refs of an object.
#![forbid(unsafe_code)]

use reftable::format::IdPrefix;
use reftable::ObjectId;

use super::ls::put_json;
use crate::failure::{Failure, Result};
use crate::output::{Output, Paint};
use crate::place::Place;
use crate::refs::Item;
use crate::text::put_hex;
use crate::Outcome;

/// List the refs that point at an object, directly or through an annotated tag.
///
/// The id may be abbreviated to at least 4 digits; the refs of all objects that begin with them are
/// listed. The object section of a table leads to its refs; if it has none, all its refs are read.
/// Exits with 1 if there are none.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The object id, or its first digits.
    #[arg(value_name = "OID")]
    id: String,

    /// Write a JSON object for each ref, as `ls` does.
    #[arg(long)]
    json: bool,

    /// The refs after the transaction with this update index, of the main stack, as far as its
    /// tables can tell. What they cannot tell is reported.
    #[arg(long, value_name = "UPDATE-INDEX")]
    pub at: Option<u64>,
}

/// The fewest digits of an abbreviation, as in git.
const LEAST: usize = 4;

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    let hash = place.hash();
    let most = 2 * hash.len();
    let prefix = IdPrefix::from_hex(&options.id);
    let Some(prefix) = prefix.filter(|_| (LEAST..=most).contains(&options.id.len())) else {
        return Err(Failure::new(format!(
            "'{}' is not an object id of {LEAST} to {most} hexadecimal digits",
            options.id.escape_debug()
        )));
    };
    let wanted = match options.id.parse::<ObjectId>() {
        // 40 digits may also be the beginning of a longer id.
        Ok(id) if id.hash() == hash => Wanted::Id(id),
        _ => Wanted::Prefix(prefix),
    };
    let mut show = |item: &Item<'_>| put(item, options.json, output);
    Ok(match find(place, &wanted, &mut show)? {
        true => Outcome::Ok,
        false => Outcome::Findings,
    })
}

/// A function that shows a ref.
type Show<'s> = &'s mut dyn FnMut(&Item<'_>) -> Result<()>;

/// What refs must point at.
enum Wanted {
    Id(ObjectId),
    Prefix(IdPrefix),
}

/// Shows the refs that point at the object; `false` if there are none.
fn find(place: &Place, wanted: &Wanted, show: Show<'_>) -> Result<bool> {
    let mut found = false;
    if let Place::Repository(repository) = place {
        let mut snapshot = repository.snapshot()?;
        let references = match wanted {
            Wanted::Id(id) => snapshot.refs_of(*id)?,
            Wanted::Prefix(prefix) => snapshot.refs_of_prefix(prefix)?,
        };
        for reference in references {
            found = true;
            let stored = snapshot.find(&reference.name)?;
            show(&Item {
                update_index: stored.and_then(|stored| stored.update_index()),
                ..Item::of_owned(&reference)
            })?;
        }
        return Ok(found);
    }
    let view = place.view()?;
    let mut refs = match wanted {
        Wanted::Id(id) => view.refs_of(id.as_bytes())?,
        Wanted::Prefix(prefix) => view.refs_of_prefix(prefix)?,
    };
    while refs.advance()? {
        if let Some(item) = Item::of_record(refs.record()) {
            if place.hides_root_refs() && !item.name.starts_with(b"refs/") {
                continue;
            }
            found = true;
            show(&item)?;
        }
    }
    Ok(found)
}

fn put(item: &Item<'_>, is_json: bool, output: &mut Output) -> Result<()> {
    if is_json {
        put_json(item, output.buffer());
        return output.end_line();
    }
    put_hex(output.buffer(), item.id().unwrap_or_default());
    output.put(b"\t");
    output.paint(Paint::Name, item.name);
    output.end_line()
}
