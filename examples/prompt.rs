//! Prints the current branch, for the prompt of a shell.
//!
//! ```sh
//! cargo run --release --example prompt [DIRECTORY]
//! ```
//!
//! Prints the branch's name, whether it has a commit or not; if `HEAD` is detached, the first
//! digits of the commit's id in parentheses. Prints nothing outside of a repository and in one
//! whose refs are in files.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use reftable::{Error, Head, Repository};

fn main() -> ExitCode {
    let dir = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    match Repository::discover(dir).and_then(|repository| repository.head()) {
        Ok(head @ Head::Detached { .. }) => println!("({head})"),
        Ok(head) => println!("{head}"),
        // A prompt goes on with its own reader of files.
        Err(Error::NotFound { .. } | Error::NotReftable { .. }) => return ExitCode::FAILURE,
        Err(error) => {
            eprintln!("prompt: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
