//! The commands.
#![forbid(unsafe_code)]

pub mod bench;
pub mod clean;
pub mod compact;
pub mod copy;
pub mod diff;
pub mod dump;
pub mod expire;
pub mod find;
pub mod generate;
pub mod head;
pub mod log;
pub mod ls;
pub mod migrate;
pub mod repair;
pub mod show;
pub mod stat;
pub mod tree;
pub mod unlock;
pub mod verify;

use std::path::PathBuf;

use crate::args::{Args, Command};
use crate::failure::Result;
use crate::output::Output;
use crate::place::Place;
use crate::Outcome;

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    let mut output = Output::new(args.style());
    let outcome = run_command(args, &mut output);
    // What was found before an error is shown before its message.
    let flushed = output.flush();
    let outcome = outcome?;
    flushed?;
    Ok(outcome)
}

fn run_command(args: &Args, output: &mut Output) -> Result<Outcome> {
    let place = |path: &Option<PathBuf>| Place::find(path.as_deref().or(args.path()));
    match &args.command {
        Command::Ls(options) => ls::run(options, &place(&None)?.at(options.at)?, output),
        Command::Show(options) => show::run(options, &place(&None)?.at(options.at)?, output),
        Command::Log(options) => log::run(options, &place(&None)?.at(options.at)?, output),
        Command::Find(options) => find::run(options, &place(&None)?.at(options.at)?, output),
        Command::Head(options) => head::run(options, &place(&None)?.at(options.at)?, output),
        Command::Tree(options) => tree::run(options, &place(&options.path)?, output),
        Command::Diff(options) => diff::run(options, args.path(), output),
        Command::Copy(options) => copy::run(options, &place(&None)?, output),
        Command::Migrate(options) => migrate::run(options, args.path(), output),
        Command::Repair(options) => repair::run(options, &place(&None)?, output),
        Command::Stat(options) => stat::run(options, &place(&options.path)?, output),
        Command::Generate(options) => generate::run(options),
        Command::Dump(options) => dump::run(options, output),
        Command::Verify(options) => verify::run(options, &place(&options.path)?, output),
        Command::Compact(options) => compact::run(options, &place(&options.path)?, output),
        Command::Expire(options) => expire::run(options, &place(&None)?, output),
        Command::Bench(options) => bench::run(options, &place(&options.path)?, output),
        Command::Clean(options) => clean::run(options, &place(&options.path)?, output),
        Command::Unlock(options) => unlock::run(options, &place(&options.path)?, output),
    }
}
