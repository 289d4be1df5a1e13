//! `reftable show`: the value of a ref.
#![forbid(unsafe_code)]

use std::ffi::OsString;

use reftable::merged::Tombstones;
use reftable::record::RefValue;
use reftable::{ObjectId, Target};

use crate::args::bytes_of;
use crate::at::MADE_UP;
use crate::failure::{tell, Result};
use crate::json::Object;
use crate::output::{Output, Paint};
use crate::place::Place;
use crate::refs::{Found, Has, Lookup};
use crate::text::{hex, quoted, shown};
use crate::Outcome;

/// Show the value of a ref, and the tables that have records of it.
///
/// The name may be short, such as main. Symbolic refs are followed. Exits with 1 if there is no
/// such ref.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The ref.
    #[arg(value_name = "REF")]
    name: OsString,

    /// Write a JSON object: name, id, peeled, target, chain, records.
    #[arg(long)]
    json: bool,

    /// The refs after the transaction with this update index, of the main stack, as far as its
    /// tables can tell. What they cannot tell is reported.
    #[arg(long, value_name = "UPDATE-INDEX")]
    pub at: Option<u64>,
}

/// One ref of a chain of symbolic refs.
struct Link {
    name: Vec<u8>,
    /// `None` if there is no such ref.
    found: Option<Found>,
}

impl Link {
    fn target(&self) -> Option<&Target> {
        self.found.as_ref().map(|found| &found.target)
    }

    fn peeled(&self) -> Option<ObjectId> {
        self.found.as_ref().and_then(|found| found.peeled)
    }
}

/// A record of a ref in a table.
struct Record {
    /// `None` for one that a reflog tells, or that a table had before it was merged.
    table: Option<String>,
    update_index: u64,
    value: Vec<u8>,
}

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    let mut lookup = Lookup::new(place)?;
    let short = bytes_of(&options.name);
    let Some(name) = lookup.full_name(short, Has::Value)? else {
        tell(format!("there is no ref {}", quoted(short)));
        return Ok(Outcome::Findings);
    };
    let chain = chain_of(&mut lookup, name)?;
    let records = match chain.first() {
        Some(first) => records_of(place, &first.name)?,
        None => Vec::new(),
    };
    if options.json {
        put_json(&chain, &records, output);
        output.end_line()?;
    } else {
        put_text(&chain, &records, output)?;
    }
    Ok(Outcome::Ok)
}

/// The ref and those that it leads to.
fn chain_of(lookup: &mut Lookup<'_>, name: Vec<u8>) -> Result<Vec<Link>> {
    const LONGEST: usize = 6;
    let mut chain = Vec::new();
    let mut next = Some(name);
    while let Some(name) = next.take().filter(|_| chain.len() < LONGEST) {
        let link = Link {
            found: lookup.find(&name)?,
            name,
        };
        if let Some(Target::Symbolic(target)) = link.target() {
            next = Some(target.to_vec());
        }
        chain.push(link);
    }
    Ok(chain)
}

/// The records of a ref in the tables that are left, newest first.
fn records_of(place: &Place, name: &[u8]) -> Result<Vec<Record>> {
    let own = match place {
        Place::Repository(repository) => repository.layout().worktree(),
        _ => None,
    };
    let views = match place {
        Place::Table(_) | Place::Past { .. } => vec![place.view()?],
        _ => {
            let mut views = Vec::new();
            for stack in place.stacks()? {
                let worktree = stack.worktree.as_ref();
                if worktree.is_none() || worktree.map(|name| name.as_ref()) == own {
                    views.push(stack.open()?.merged());
                }
            }
            views
        }
    };
    let mut records = Vec::new();
    // The stack of the linked worktree is the last, and its refs hide the others.
    for view in views.iter().rev() {
        for table in view.tables().iter().rev() {
            let mut refs = view_of(table)?.refs(Tombstones::Show);
            refs.seek(name)?;
            if refs.advance()? && refs.record().name == name {
                let record = refs.record();
                records.push(Record {
                    table: (table.name() != MADE_UP).then(|| table.name().to_owned()),
                    update_index: record.update_index,
                    value: value_bytes(record.value),
                });
            }
        }
        if !records.is_empty() {
            break;
        }
    }
    Ok(records)
}

fn view_of(table: &std::sync::Arc<reftable::table::Table>) -> Result<reftable::merged::Merged> {
    let hash = table.hash_id();
    Ok(reftable::merged::Merged::new(vec![table.clone()], hash)?)
}

/// The value of a record: `deleted`, an id, an id and what it peels to, or `ref: ` and a target.
pub fn value_bytes(value: RefValue<'_>) -> Vec<u8> {
    match value {
        RefValue::Deletion => b"deleted".to_vec(),
        RefValue::Val1(id) => hex(id).into_bytes(),
        RefValue::Val2 { value, target } => {
            format!("{} peeled {}", hex(value), hex(target)).into_bytes()
        }
        RefValue::Symref(target) => [b"ref: ", target].concat(),
    }
}

fn put_text(chain: &[Link], records: &[Record], output: &mut Output) -> Result<()> {
    for link in chain {
        output.paint(Paint::Name, &link.name);
        match link.target() {
            Some(Target::Id(id)) => output.put(format!(" {id}").as_bytes()),
            Some(Target::Symbolic(target)) => {
                output.put(b" -> ");
                output.put(target);
            }
            None => output.put(b" does not exist"),
        }
        output.end_line()?;
        if let Some(peeled) = link.peeled() {
            output.line(format!("  peeled       {peeled}"))?;
        }
    }
    for record in records {
        let Record {
            table,
            update_index,
            value,
        } = record;
        let table = table.as_ref();
        let table = table.map_or(String::new(), |table| format!(", table {table}"));
        output.line(format!(
            "  update index {update_index}{table}: {}",
            shown(value)
        ))?;
    }
    Ok(())
}

fn put_json(chain: &[Link], records: &[Record], output: &mut Output) {
    let mut object = Object::new(output.buffer());
    if let Some(first) = chain.first() {
        object.bytes("name", &first.name);
    }
    if let Some(Target::Symbolic(target)) = chain.first().and_then(Link::target) {
        object.bytes("target", target);
    }
    if let Some(last) = chain.last() {
        if let Some(Target::Id(id)) = last.target() {
            object.id("id", id.as_bytes());
        }
        if let Some(peeled) = last.peeled() {
            object.id("peeled", peeled.as_bytes());
        }
    }
    object.list("chain", chain, |link, item| {
        item.bytes("name", &link.name);
        let update_index = link.found.as_ref().and_then(|found| found.update_index);
        if let Some(update_index) = update_index {
            item.value("update_index", update_index);
        }
    });
    object.list("records", records, |record, item| {
        if let Some(table) = &record.table {
            item.text("table", table);
        }
        item.value("update_index", record.update_index);
        item.bytes("value", &record.value);
    });
    object.end();
}
