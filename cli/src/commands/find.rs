//! `reftable find`: the refs of an object.
#![forbid(unsafe_code)]

use reftable::repo::TargetRef;
use reftable::ObjectId;

use super::ls::put_json;
use crate::failure::{Failure, Result};
use crate::output::{Output, Paint};
use crate::place::Place;
use crate::refs::{Item, List};
use crate::template::put_id;
use crate::Outcome;

/// List the refs that point at an object, directly or through an annotated tag.
///
/// The id may be abbreviated to at least 4 digits. For a whole id, the object section of each table
/// leads to the refs; for an abbreviated one, all refs are read. Exits with 1 if there are none.
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
    let digits = options.id.to_ascii_lowercase();
    let most = 2 * place.hash().len();
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex || !(LEAST..=most).contains(&digits.len()) {
        return Err(Failure::new(format!(
            "'{}' is not an object id of {LEAST} to {most} hexadecimal digits",
            options.id.escape_debug()
        )));
    }
    let mut show = |item: &Item<'_>| put(item, options.json, output);
    let found = match digits.parse::<ObjectId>() {
        // 40 digits may also be the beginning of a longer id.
        Ok(id) if id.hash() != place.hash() => by_digits(place, &digits, &mut show)?,
        Ok(id) => by_id(place, id, &mut show)?,
        Err(_) => by_digits(place, &digits, &mut show)?,
    };
    Ok(match found {
        true => Outcome::Ok,
        false => Outcome::Findings,
    })
}

/// A function that shows a ref.
type Show<'s> = &'s mut dyn FnMut(&Item<'_>) -> Result<()>;

fn by_id(place: &Place, id: ObjectId, show: Show<'_>) -> Result<bool> {
    let mut found = false;
    if let Place::Repository(repository) = place {
        for reference in repository.refs_of(id)? {
            found = true;
            let Some(target) = reference.target.id() else {
                continue;
            };
            show(&Item {
                name: &reference.name,
                target: TargetRef::Id(target),
                peeled: reference.peeled,
            })?;
        }
        return Ok(found);
    }
    let view = place.view()?;
    let mut refs = view.refs_of(id.as_bytes())?;
    while refs.advance()? {
        let record = refs.record();
        if let Some(item) = Item::of_record(record.name, record.value) {
            found = true;
            show(&item)?;
        }
    }
    Ok(found)
}

fn by_digits(place: &Place, digits: &str, show: Show<'_>) -> Result<bool> {
    let wanted = Digits::new(digits);
    let mut found = false;
    let mut list = List::new(place, b"")?;
    while let Some(item) = list.next()? {
        let TargetRef::Id(id) = item.target else {
            continue;
        };
        if wanted.begins(&id) || item.peeled.is_some_and(|id| wanted.begins(&id)) {
            found = true;
            show(&item)?;
        }
    }
    Ok(found)
}

/// The first digits of an id.
struct Digits {
    whole: Vec<u8>,
    /// The last digit, if their number is odd, as the upper half of a byte.
    half: Option<u8>,
}

impl Digits {
    fn new(text: &str) -> Self {
        let numbers: Vec<u8> = text
            .chars()
            .filter_map(|digit| digit.to_digit(16).and_then(|n| u8::try_from(n).ok()))
            .collect();
        let pairs = numbers.chunks_exact(2);
        let half = pairs.remainder().first().map(|digit| digit << 4);
        let whole = pairs.map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit));
        Self {
            whole: whole.collect(),
            half,
        }
    }

    fn begins(&self, id: &ObjectId) -> bool {
        let Some(rest) = id.as_bytes().strip_prefix(self.whole.as_slice()) else {
            return false;
        };
        self.half
            .is_none_or(|half| rest.first().is_some_and(|byte| byte & 0xf0 == half))
    }
}

fn put(item: &Item<'_>, is_json: bool, output: &mut Output) -> Result<()> {
    if is_json {
        put_json(item, output.buffer());
        return output.end_line();
    }
    if let TargetRef::Id(id) = item.target {
        put_id(output.buffer(), &id);
    }
    output.put(b"\t");
    output.paint(Paint::Name, item.name);
    output.end_line()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_may_have_an_odd_number_of_digits() {
        let id: ObjectId = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".parse().unwrap();
        for (digits, expected) in [
            ("e69d", true),
            ("e69de", true),
            ("e69d1", false),
            ("e69e", false),
            ("e69de29bb2d1d6434b8b29ae775ad8c2e48c539", true),
        ] {
            assert_eq!(Digits::new(digits).begins(&id), expected, "{digits}");
        }
    }
}
