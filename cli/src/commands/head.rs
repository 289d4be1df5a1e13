//! `reftable head`: what is checked out.
#![forbid(unsafe_code)]

use reftable::Head;

use crate::failure::{Failure, Result};
use crate::json::Object;
use crate::output::Output;
use crate::place::Place;
use crate::Outcome;

/// Show what is checked out: the branch, and its commit.
///
/// Exits with 1 if the branch does not exist yet.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Write a JSON object: state (branch, unborn or detached), name, id.
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    let Place::Repository(repository) = place else {
        return Err(Failure::new("only a repository has a current branch"));
    };
    let head = repository.head()?;
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
            object.text("id", id);
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
