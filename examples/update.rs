//! Points a ref to another object if it still has the value that the caller knows, and logs the
//! change.
//!
//! ```sh
//! cargo run --example update REF NEW-ID OLD-ID [MESSAGE]
//! ```
//!
//! An old id of zeros means that the ref does not exist yet. The caller is responsible for the
//! object: this crate does not read objects.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use reftable::repo::Expected;
use reftable::{Error, ObjectId, Repository};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let ([name, new, old] | [name, new, old, _]) = args.as_slice() else {
        eprintln!("usage: update REF NEW-ID OLD-ID [MESSAGE]");
        return ExitCode::from(2);
    };
    let message = args.get(3).map_or("update", String::as_str);
    let (new, old) = match (new.parse(), old.parse()) {
        (Ok(new), Ok(old)) => (new, old),
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("update: {error}");
            return ExitCode::from(2);
        }
    };
    match update(name, new, old, message) {
        Ok(()) => ExitCode::SUCCESS,
        // Someone else was faster: read again, decide again.
        Err(Error::Unexpected { found, .. }) => {
            eprintln!("update: '{name}' has changed: {found}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("update: {error}");
            ExitCode::FAILURE
        }
    }
}

fn update(name: &str, new: ObjectId, old: ObjectId, message: &str) -> Result<(), Error> {
    let repository = Repository::discover(".")?;
    repository
        .transaction()
        .message(message)
        .update(name, new, Expected::Id(old))
        .commit()?;
    Ok(())
}
