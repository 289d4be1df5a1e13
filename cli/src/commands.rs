//! The commands.
#![forbid(unsafe_code)]

pub mod find;
pub mod head;
pub mod log;
pub mod ls;
pub mod show;

use crate::args::{Args, Command};
use crate::failure::Result;
use crate::output::Output;
use crate::place::Place;
use crate::Outcome;

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    let place = Place::find(args.path())?;
    let mut output = Output::new(args.style());
    let outcome = match &args.command {
        Command::Ls(options) => ls::run(options, &place, &mut output),
        Command::Show(options) => show::run(options, &place, &mut output),
        Command::Log(options) => log::run(options, &place, &mut output),
        Command::Find(options) => find::run(options, &place, &mut output),
        Command::Head(options) => head::run(options, &place, &mut output),
    };
    // What was found before an error is shown before its message.
    let flushed = output.flush();
    let outcome = outcome?;
    flushed?;
    Ok(outcome)
}
