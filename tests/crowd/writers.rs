//! Writers: one transaction after another, each in its own process.
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::arena::{extra, has_extra, shared, Arena};
use crate::common::{Git, Output, Random};
use crate::readers::{judge_group, refs_of};

/// One in this number of updates changes the shared refs.
const SHARED_ONE_IN: usize = 4;

/// The results of one writer.
#[derive(Debug, Default)]
pub struct Record {
    /// Transactions that were tried.
    pub tried: u64,
    /// Transactions that git acknowledged.
    pub landed: u64,
    /// Transactions that git refused because of the stack's lock.
    pub busy: u64,
    /// Transactions that git refused because another writer was faster.
    pub beaten: u64,
    /// The longest run time of one process.
    pub longest: Duration,
    /// The longest time between two acknowledgements.
    pub longest_wait: Duration,
    /// The messages of the shared updates that were committed.
    pub shared: HashSet<String>,
    /// The messages of those whose process was killed.
    pub uncertain: HashSet<String>,
}

impl Record {
    pub fn add(&mut self, other: Self) {
        self.tried += other.tried;
        self.landed += other.landed;
        self.busy += other.busy;
        self.beaten += other.beaten;
        self.longest = self.longest.max(other.longest);
        self.longest_wait = self.longest_wait.max(other.longest_wait);
        self.shared.extend(other.shared);
        self.uncertain.extend(other.uncertain);
    }

    /// The share of tried updates that the lock refused.
    pub fn busy_share(&self) -> f64 {
        #[allow(clippy::cast_precision_loss)] // counts of processes
        let share = self.busy as f64 / self.tried.max(1) as f64;
        share
    }
}

/// The result of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Landed,
    Busy,
    Beaten,
    /// Another failure.
    Failed,
    /// No result: the process was killed.
    Killed,
}

pub fn answer(output: &Output) -> Answer {
    let has = |text| output.stderr.contains(text);
    if output.status == 0 {
        Answer::Landed
    } else if has("cannot lock references") {
        Answer::Busy
    } else if has("cannot lock ref '") && has("but expected") {
        Answer::Beaten
    } else {
        Answer::Failed
    }
}

/// Writes as writer number `writer` until the time is over.
pub fn work(arena: &Arena, writer: usize) -> Record {
    let git = arena.plan.git(writer).clone();
    let mut random = Random::new(u64::try_from(writer).unwrap());
    let mut record = Record::default();
    let mut last_landed = Instant::now();
    let mut update = 1;
    let mut round = 0;
    while !arena.is_over() {
        round += 1;
        let begin = Instant::now();
        let answer = if random.one_in(SHARED_ONE_IN) {
            update_shared(arena, &git, writer, round, &mut record, &mut random)
        } else {
            let answer = update_own(arena, &git, writer, update, &mut random);
            if arena.progress[writer].landed() == update {
                update += 1;
            }
            answer
        };
        record.tried += 1;
        match answer {
            Answer::Landed => record.landed += 1,
            Answer::Busy => record.busy += 1,
            Answer::Beaten => record.beaten += 1,
            Answer::Failed | Answer::Killed => {}
        }
        let now = Instant::now();
        record.longest = record.longest.max(now - begin);
        record.longest_wait = record.longest_wait.max(now - last_landed);
        if matches!(answer, Answer::Landed | Answer::Beaten) {
            last_landed = now;
        }
    }
    record
}

/// The commands of one update of the writer's own refs.
pub fn own_commands(arena: &Arena, writer: usize, update: u64) -> String {
    let (new, old) = (arena.value(writer, update), arena.value(writer, update - 1));
    let mut input = String::new();
    for name in arena.group(writer) {
        writeln!(input, "update {name} {new} {old}").unwrap();
    }
    let extra = extra(writer);
    match (has_extra(update - 1), has_extra(update)) {
        (false, true) => writeln!(input, "create {extra} {new}").unwrap(),
        (true, false) => writeln!(input, "delete {extra}").unwrap(),
        (true, true) => writeln!(input, "update {extra} {new} {old}").unwrap(),
        (false, false) => {}
    }
    input
}

/// The message of an update of the writer's own refs.
pub fn own_message(writer: usize, update: u64) -> String {
    format!("w{writer} {update}")
}

fn update_own(arena: &Arena, git: &Git, writer: usize, update: u64, random: &mut Random) -> Answer {
    let progress = &arena.progress[writer];
    let message = own_message(writer, update);
    let input = own_commands(arena, writer, update);
    progress.begin(update);
    let args = ["update-ref", "-m", &message, "--stdin"];
    // Only this writer changes these refs, so their values tell whether the update was committed.
    let look = || match seen_update(arena, git, writer, update) {
        Ok(seen) => progress.land(seen),
        Err(what) => arena.fault(format!("{message}, killed: {what}")),
    };
    let Some(output) = arena.run_or_kill(git, &args, &input, random, look) else {
        return Answer::Killed;
    };
    let answer = answer(&output);
    match answer {
        Answer::Landed => progress.land(update),
        Answer::Busy | Answer::Killed => {}
        Answer::Beaten => arena.fault(format!("{message}: lost an update: {output:?}")),
        Answer::Failed => arena.fault(format!("{message}: {output:?}")),
    }
    quiet(arena, &message, &output);
    answer
}

fn update_shared(
    arena: &Arena,
    git: &Git,
    writer: usize,
    round: u64,
    record: &mut Record,
    random: &mut Random,
) -> Answer {
    let names = shared();
    let read = arena.run(git, &["rev-parse", "--verify", &names[0]], "");
    if read.status != 0 {
        arena.fault(format!("w{writer}: shared refs cannot be read: {read:?}"));
        return Answer::Failed;
    }
    let old = read.stdout.trim();
    let new = arena.value(writer, round);
    if new == old {
        return Answer::Beaten;
    }
    let message = format!("s{writer} {round}");
    let mut input = String::new();
    for name in &names {
        writeln!(input, "update {name} {new} {old}").unwrap();
    }
    let args = ["update-ref", "-m", &message, "--stdin"];
    let Some(output) = arena.run_or_kill(git, &args, &input, random, || ()) else {
        record.uncertain.insert(message);
        return Answer::Killed;
    };
    let answer = answer(&output);
    match answer {
        Answer::Landed => {
            record.shared.insert(message.clone());
        }
        Answer::Failed => arena.fault(format!("{message}: {output:?}")),
        Answer::Busy | Answer::Beaten | Answer::Killed => {}
    }
    quiet(arena, &message, &output);
    answer
}

/// The update that a writer's refs show: `update`, which was just tried, or the previous one.
fn seen_update(arena: &Arena, git: &Git, writer: usize, update: u64) -> Result<u64, String> {
    let format = "--format=%(refname) %(objectname)";
    let group = format!("refs/heads/w{writer}/");
    let output = arena.run(git, &["for-each-ref", format, &group], "");
    judge_group(arena, &refs_of(&output), writer, update - 1, update)
}

/// A committed transaction prints no warnings.
fn quiet(arena: &Arena, message: &str, output: &Output) {
    if output.status == 0 && !output.stderr.is_empty() {
        arena.fault(format!("{message}: landed with words: {}", output.stderr));
    }
}
