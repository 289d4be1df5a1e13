//! Readers. They must always see the state after complete transactions, which is not older than
//! what was acknowledged before they began.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::arena::{extra, has_extra, shared, Arena};
use crate::common::{Git, Output, Random};
use crate::writers::own_message;

/// Requests to one long-running process.
const REQUESTS: usize = 40;

/// The number of log entries that are read.
const ENTRIES: u64 = 10;

/// What the readers saw, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sight {
    /// Listings of all refs; each checks every group.
    pub listings: u64,
    /// Single refs read by a long-running process.
    pub lookups: u64,
    /// Logs.
    pub logs: u64,
}

impl Sight {
    pub fn add(&mut self, other: Self) {
        self.listings += other.listings;
        self.lookups += other.lookups;
        self.logs += other.logs;
    }
}

/// Reads as reader number `reader` until the time is over.
pub fn work(arena: &Arena, reader: usize) -> Sight {
    // In another order than the writers, so that both gits read in every way.
    let git = arena.plan.git(reader / 4).clone();
    let mut random = Random::new(1000 + u64::try_from(reader).unwrap());
    let mut sight = Sight::default();
    while !arena.is_over() {
        let writer = random.below(arena.plan.writers);
        match reader % 4 {
            0 | 1 => {
                list(arena, &git);
                sight.listings += 1;
            }
            2 => sight.lookups += look_up(arena, &git, &mut random),
            _ => {
                read_log(arena, &git, writer);
                sight.logs += 1;
            }
        }
    }
    sight
}

/// The updates of a writer that a reader may see: from the last one committed before it began to
/// the last one started before it ended.
fn landed_before(arena: &Arena) -> Vec<u64> {
    arena.progress.iter().map(|p| p.landed()).collect()
}

/// Lists all refs and checks every group.
pub fn list(arena: &Arena, git: &Git) {
    let landed = landed_before(arena);
    let format = "--format=%(refname) %(objectname)";
    let output = arena.run(git, &["for-each-ref", format, "refs/heads/"], "");
    if output.status != 0 || !output.stderr.is_empty() {
        arena.fault(format!("for-each-ref: {output:?}"));
        return;
    }
    let refs = refs_of(&output);
    for (writer, landed) in landed.into_iter().enumerate() {
        let begun = arena.progress[writer].begun();
        if let Err(what) = judge_group(arena, &refs, writer, landed, begun) {
            arena.fault(format!("for-each-ref, group {writer}: {what}"));
        }
    }
    let values: Vec<_> = shared().iter().map(|n| refs.get(n.as_str())).collect();
    if values[0].is_none() || values.iter().any(|v| *v != values[0]) {
        arena.fault(format!("for-each-ref, shared: {values:?}"));
    }
    let known = arena.plan.writers * 5 + 4;
    if refs.len() > known {
        arena.fault(format!("for-each-ref: {} refs of {known}", refs.len()));
    }
}

/// Names and values that `for-each-ref` printed.
pub fn refs_of(output: &Output) -> HashMap<&str, &str> {
    let lines = output.stdout.lines();
    lines.filter_map(|line| line.split_once(' ')).collect()
}

/// All refs of the group show the same update, between `landed` and `begun`.
pub fn judge_group(
    arena: &Arena,
    refs: &HashMap<&str, &str>,
    writer: usize,
    landed: u64,
    begun: u64,
) -> Result<u64, String> {
    let names = arena.group(writer);
    let values: Vec<_> = names.iter().map(|n| refs.get(n.as_str())).collect();
    let Some(first) = values[0].filter(|first| values.iter().all(|v| *v == Some(*first))) else {
        return Err(format!("torn or missing: {values:?}"));
    };
    let update = judge_value(arena, writer, first, landed, begun)?;
    let extra = refs.get(extra(writer).as_str());
    let expected = has_extra(update).then_some(first);
    if extra != expected {
        return Err(format!("torn at {update}: {extra:?} beside {first}"));
    }
    Ok(update)
}

fn judge_value(
    arena: &Arena,
    writer: usize,
    id: &str,
    landed: u64,
    begun: u64,
) -> Result<u64, String> {
    match arena.update_of(writer, id, begun) {
        Some(update) if update >= landed => Ok(update),
        seen => Err(format!(
            "value {id} of update {seen:?}, expected {landed} to {begun}"
        )),
    }
}

/// Requests single refs from one process, which must notice changes of the stack.
fn look_up(arena: &Arena, git: &Git, random: &mut Random) -> u64 {
    let mut child = arena
        .command(git, &["cat-file", "--batch-check=%(objectname)"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut requests = 0;
    while requests < REQUESTS && !arena.is_over() {
        let writer = random.below(arena.plan.writers);
        let name = &arena.group(writer)[random.below(4)];
        let landed = arena.progress[writer].landed();
        let mut line = String::new();
        let got = writeln!(input, "{name}").and_then(|()| output.read_line(&mut line));
        let begun = arena.progress[writer].begun();
        let seen = match got {
            Ok(_) => judge_value(arena, writer, line.trim(), landed, begun),
            Err(error) => Err(error.to_string()),
        };
        if let Err(what) = seen {
            arena.fault(format!("cat-file, {name}: {what}, {line:?}"));
        }
        requests += 1;
    }
    drop(input);
    let status = child.wait().unwrap();
    if !status.success() {
        arena.fault(format!("cat-file: {status}"));
    }
    u64::try_from(requests).unwrap()
}

/// The newest entries of a log follow one another without a gap.
fn read_log(arena: &Arena, git: &Git, writer: usize) {
    let landed = arena.progress[writer].landed();
    let name = &arena.group(writer)[3];
    let count = format!("-n{ENTRIES}");
    let args = ["reflog", "show", "--format=%H %gs", &count, name];
    let output = arena.run(git, &args, "");
    let begun = arena.progress[writer].begun();
    if output.status != 0 || !output.stderr.is_empty() {
        arena.fault(format!("reflog show {name}: {output:?}"));
        return;
    }
    let found: Vec<&str> = output.stdout.lines().collect();
    let is_right = |newest: u64| {
        let expected = (0..=newest).rev().map(|update| {
            let message = match update {
                0 => "made".to_owned(),
                _ => own_message(writer, update),
            };
            format!("{} {message}", arena.value(writer, update))
        });
        let count = usize::try_from(ENTRIES).unwrap();
        expected.take(count).eq(found.iter().copied())
    };
    if !(landed..=begun).any(is_right) {
        arena.fault(format!(
            "reflog show {name}, {landed} to {begun}: {found:?}"
        ));
    }
}
