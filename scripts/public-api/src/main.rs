//! Prints the public API that the JSON output of rustdoc describes, one item per line. The exit
//! code is 3 if the file is not of a known version.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use public_api::{Builder, PublicApi};

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: reftable-public-api FILE");
        return ExitCode::from(2);
    };
    let read = |derived: bool| {
        Builder::from_rustdoc_json(&path)
            .omit_blanket_impls(true)
            .omit_auto_trait_impls(true)
            .omit_auto_derived_impls(!derived)
            .build()
    };
    match (read(true), read(false)) {
        (Ok(all), Ok(written)) => {
            print(&all, &written);
            ExitCode::SUCCESS
        }
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("{path}: {error}");
            ExitCode::from(3)
        }
    }
}

/// Prints the items of `written`, which are some of `all` in the same order, and of the others,
/// which are derived, only the names of the traits.
fn print(all: &PublicApi, written: &PublicApi) {
    let mut written = written.items().map(ToString::to_string).peekable();
    for line in all.items().map(ToString::to_string) {
        let is_trait = line.starts_with("impl") && !line.contains("StructuralPartialEq");
        if written.next_if_eq(&line).is_some() || is_trait {
            println!("{line}");
        }
    }
}
