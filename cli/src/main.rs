//! `reftable`: inspect, verify, repair and migrate the ref stores of git repositories.
#![forbid(unsafe_code)]

mod args;
mod at;
mod commands;
mod failure;
mod files;
mod glob;
mod interrupt;
mod json;
mod manual;
mod migrate;
mod objects;
mod output;
mod place;
mod progress;
mod refs;
mod template;
mod text;
mod writing;

use std::process::ExitCode;

use clap::Parser as _;

use args::Args;
use failure::{tell, Failure};

/// The exit status after which there were findings, or what was looked for does not exist.
const FINDINGS: u8 = 1;

/// The exit status if the command could not be run.
const FAILED: u8 = 2;

/// The exit status of a program that writes to a closed pipe, as a shell reports it.
const CLOSED_PIPE: u8 = 128 + 13;

/// The exit status after SIGINT, as a shell reports it.
const INTERRUPTED: u8 = 128 + 2;

/// How a command that could be run has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Everything is sound, or was found.
    Ok,
    /// There are findings, or something does not exist.
    Findings,
}

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let status = if error.use_stderr() { FAILED } else { 0 };
            // If standard error is closed, nobody can be told.
            let _ = error.print();
            return status.into();
        }
    };
    match commands::run(&args) {
        Ok(Outcome::Ok) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => FINDINGS.into(),
        Err(Failure::ClosedPipe) => CLOSED_PIPE.into(),
        Err(Failure::Interrupted) => {
            tell("interrupted; what was unfinished has been undone");
            INTERRUPTED.into()
        }
        Err(Failure::Message(text)) => {
            tell(text);
            FAILED.into()
        }
    }
}
