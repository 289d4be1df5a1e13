//! `reftable head`: what is checked out.
#![forbid(unsafe_code)]

use bstr::ByteSlice as _;
use reftable::{Head, Target};

use crate::failure::{Failure, Result};
use crate::json::Object;
use crate::output::Output;
use crate::place::Place;
use crate::refs::Lookup;
use crate::Outcome;

/// Show what is checked out: the branch, and its commit.
///
/// Exits with 1 if the branch does not exist yet.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Write a JSON object: state (branch, unborn or detached), name, id, update_index of HEAD,
    /// branch_update_index.
    #[arg(long)]
    json: bool,

    /// The refs after the transaction with this update index, of the main stack, as far as its
    /// tables can tell. What they cannot tell is reported.
    #[arg(long, value_name = "UPDATE-INDEX")]
    pub at: Option<u64>,
}

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    let mut lookup = Lookup::new(place)?;
    let head = match place {
        Place::Repository(repository) => repository.head()?,
        _ => head_of(&mut lookup)?,
    };
    let state = match head {
        Head::Branch { .. } => "branch",
        Head::Unborn { .. } => "unborn",
        _ => "detached",
    };
    if options.json {
        let mut object = Object::new(output.buffer());
        object.text("state", state);
        if let Some(name) = head.name() {
            object.bytes("name", name);
        }
        if let Some(id) = head.id() {
            object.id("id", id.as_bytes());
        }
        let named = [
            ("update_index", Some(b"HEAD".as_bstr())),
            ("branch_update_index", head.name()),
        ];
        for (key, name) in named {
            let found = name.map_or(Ok(None), |name| lookup.find(name))?;
            if let Some(update_index) = found.and_then(|found| found.update_index) {
                object.value(key, update_index);
            }
        }
        object.end();
    } else {
        match (head.name(), head.id()) {
            (Some(name), Some(id)) => {
                output.put(name);
                output.put(format!(" {id}").as_bytes());
            }
            (Some(name), None) => {
                output.put(name);
                output.put(b" (no commit yet)");
            }
            (None, id) => {
                let id = id.map_or(String::new(), |id| id.to_string());
                output.put(format!("detached {id}").as_bytes());
            }
        }
    }
    output.end_line()?;
    Ok(match state {
        "unborn" => Outcome::Findings,
        _ => Outcome::Ok,
    })
}

/// What HEAD of a stack is.
fn head_of(lookup: &mut Lookup<'_>) -> Result<Head> {
    match lookup.find(b"HEAD")?.map(|found| found.target) {
        None => Err(Failure::new("there is no HEAD")),
        Some(Target::Id(id)) => Ok(Head::Detached { id }),
        Some(Target::Symbolic(name)) => Ok(match lookup.resolve(&name)? {
            Some(id) => Head::Branch { name, id },
            None => Head::Unborn { name },
        }),
    }
}
