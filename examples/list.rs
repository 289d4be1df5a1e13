//! Lists branches and tags with their ids, and what annotated tags point to, in the format of
//! `git show-ref --dereference`.
//!
//! ```sh
//! cargo run --example list [PREFIX...]
//! ```
//!
//! A prefix is the beginning of names, such as `refs/remotes/`.
#![forbid(unsafe_code)]

use std::io::{self, BufWriter, Write};

use reftable::repo::TargetRef;
use reftable::Repository;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut prefixes: Vec<String> = std::env::args().skip(1).collect();
    if prefixes.is_empty() {
        prefixes = ["refs/heads/", "refs/tags/"].map(String::from).into();
    }
    let repository = Repository::discover(".")?;
    // All refs as of one moment.
    let mut snapshot = repository.snapshot()?;
    let mut out = BufWriter::new(io::stdout().lock());
    for prefix in prefixes {
        let mut refs = snapshot.refs(prefix)?;
        while let Some(found) = refs.next()? {
            let (id, peeled) = match found.target() {
                TargetRef::Id(id) => (Some(id), found.peeled()),
                TargetRef::Symbolic(target) => {
                    let resolved = snapshot.resolve(target)?;
                    resolved.map_or((None, None), |last| (last.id, last.peeled))
                }
            };
            // A dangling symbolic ref has no id.
            let Some(id) = id else { continue };
            writeln!(out, "{id} {}", found.name)?;
            if let Some(peeled) = peeled {
                writeln!(out, "{peeled} {}^{{}}", found.name)?;
            }
        }
    }
    out.flush()?;
    Ok(())
}
