//! `reftable bench`: this crate and the command git, on a copy of a repository's refs.
#![forbid(unsafe_code)]

mod copies;
mod work;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use copies::Copies;
use work::{Work, ALL};

use crate::failure::{Failure, Result};
use crate::interrupt::Interrupt;
use crate::json::Object;
use crate::output::Output;
use crate::place::Place;
use crate::text::plural;
use crate::Outcome;

/// Measure git and this program on a copy of a repository's refs.
///
/// The refs and reflogs are copied to two repositories in the temporary directory, which borrow the
/// objects. In one of them the git on the PATH works, in the other one this program, in turns:
/// sorted lists all refs, random looks up 1000 of them by name in random order, update creates 1000
/// refs with a reflog in one transaction, log shows the longest reflog. What both print must be the
/// same. The table has medians; those of git include the start of its process. The repository is
/// not changed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The repository, instead of -C.
    #[arg(value_name = "REPO")]
    pub path: Option<PathBuf>,

    /// Measure this many times, after one time that does not count.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value = "7",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    rounds: u32,

    /// Write a JSON object for each row: work, count; git, git_start and reftable in nanoseconds.
    #[arg(long)]
    json: bool,
}

/// The times of one kind of work.
#[derive(Default)]
struct Times {
    git: Vec<Duration>,
    ours: Vec<Duration>,
}

/// Work and its times.
type Measured = (Work, Times);

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    let Place::Repository(repository) = place else {
        return Err(Failure::new(
            "only a repository can be measured; name one, and not a stack or a table",
        ));
    };
    let interrupt = Interrupt::new()?;
    // A signal of the terminal also ends git, which then fails.
    let failed = |failure| interrupt.check().err().unwrap_or(failure);
    let copies = Copies::new(place, repository, &interrupt).map_err(failed)?;
    let all = measure_all(options.rounds, &copies, &interrupt);
    let (all, start) = all.map_err(failed)?;
    if options.json {
        put_json(&all, start, output)
    } else {
        put_text(&all, start, options.rounds, output)
    }
}

/// The times of all kinds of work, and of the start of git.
fn measure_all(
    rounds: u32,
    copies: &Copies,
    interrupt: &Interrupt,
) -> Result<(Vec<Measured>, Vec<Duration>)> {
    let mut all: Vec<Measured> = Vec::new();
    for kind in ALL {
        all.extend(Work::new(kind, copies)?.map(|work| (work, Times::default())));
    }
    let mut start = Vec::new();
    // Work that only reads comes first, so that the refs are those of the repository.
    for changes_refs in [false, true] {
        for round in 0..=rounds {
            let mut now = all.iter_mut();
            while let Some((work, times)) =
                now.find(|(work, _)| work.changes_refs() == changes_refs)
            {
                interrupt.check()?;
                let [git, ours] = measure(work, copies, round)?;
                // The first round reads files that may not be in memory yet.
                if round > 0 {
                    times.git.push(git);
                    times.ours.push(ours);
                }
            }
            start.push(timed(|| copies.git(&["version"], b"").map(drop))?);
        }
    }
    Ok((all, start))
}

/// The times of both, whose order changes from round to round.
fn measure(work: &Work, copies: &Copies, round: u32) -> Result<[Duration; 2]> {
    let (mut by_git, mut by_us) = (Vec::new(), Vec::new());
    let mut run_git = || timed(|| work.run_git(copies, round).map(|found| by_git = found));
    let mut run_ours = || timed(|| work.run_ours(copies, round).map(|found| by_us = found));
    let times = match round % 2 {
        0 => {
            let git = run_git()?;
            [git, run_ours()?]
        }
        _ => {
            let ours = run_ours()?;
            [run_git()?, ours]
        }
    };
    match by_git == by_us || !work.is_compared() {
        true => Ok(times),
        false => Err(Failure::new(format!(
            "git and this program disagree on '{}'; please report this, and see `reftable verify`",
            work.name()
        ))),
    }
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let begin = Instant::now();
    work()?;
    Ok(begin.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn put_text(
    all: &[Measured],
    start: Vec<Duration>,
    rounds: u32,
    output: &mut Output,
) -> Result<Outcome> {
    let milliseconds = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
    output.line(format!(
        "{:<8} {:<20} {:>12} {:>12} {:>9}",
        "work", "", "git", "reftable", "faster"
    ))?;
    for (work, times) in all {
        let (git, ours) = (median(times.git.clone()), median(times.ours.clone()));
        let factor = git.as_secs_f64() / ours.as_secs_f64().max(f64::MIN_POSITIVE);
        output.line(format!(
            "{:<8} {:<20} {:>12} {:>12} {:>9}",
            work.name(),
            plural(work.count(), work.noun()),
            milliseconds(git),
            milliseconds(ours),
            format!("{factor:.1} times")
        ))?;
    }
    output.line(format!(
        "Medians of {}. The times of git include the start of a process, {}.",
        plural(rounds, "round"),
        milliseconds(median(start))
    ))?;
    Ok(Outcome::Ok)
}

fn put_json(all: &[Measured], start: Vec<Duration>, output: &mut Output) -> Result<Outcome> {
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let start = nanoseconds(median(start));
    for (work, times) in all {
        let mut object = Object::new(output.buffer());
        object
            .text("work", work.name())
            .value("count", work.count());
        object.value("git", nanoseconds(median(times.git.clone())));
        object.value("git_start", start);
        object.value("reftable", nanoseconds(median(times.ours.clone())));
        object.end();
        output.end_line()?;
    }
    Ok(Outcome::Ok)
}
