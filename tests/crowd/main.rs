//! Many git processes on one repository: writers, readers, and maintenance. Acknowledged updates
//! persist, no reader sees half of a transaction, and the history of every ref is linear.
//!
//! Runs if `REFTABLE_GIT` and `REFTABLE_UPSTREAM_GIT` name built gits. A run is short;
//! `REFTABLE_CROWD_SECONDS` sets the duration of each crowd, `REFTABLE_CROWD_SIZE` the number of
//! writers, and `REFTABLE_CROWD_DIR` the directory to work in. `scripts/crowd` makes long runs.
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;

mod arena;
mod keepers;
mod kills;
mod readers;
mod verdict;
mod writers;

use std::thread;
use std::time::{Duration, Instant};

use arena::{Arena, Plan};
use common::{number, Git};
use keepers::Chores;
use kills::Toll;
use readers::Sight;
use writers::Record;

/// The number of writers, and of readers, unless `REFTABLE_CROWD_SIZE` is set.
const SIZE: u64 = 16;

/// The least number of rounds for which the shares of refused updates are compared.
const ROUNDS_TO_JUDGE: u64 = 10;

/// What a crowd has done.
struct Outcome {
    record: Record,
    sight: Sight,
    chores: Chores,
    elapsed: Duration,
}

fn plan(gits: Vec<Git>, seconds: u64) -> Plan {
    let size = usize::try_from(number("REFTABLE_CROWD_SIZE", SIZE)).unwrap();
    Plan {
        gits,
        writers: size,
        readers: size,
        duration: Duration::from_secs(number("REFTABLE_CROWD_SECONDS", seconds)),
        keepers: true,
        kills: false,
    }
}

/// Runs a crowd and checks the repository afterwards.
fn run(plan: Plan) -> (Arena, Outcome) {
    let arena = Arena::new(plan);
    let begin = Instant::now();
    let mut outcome = Outcome {
        record: Record::default(),
        sight: Sight::default(),
        chores: Chores::default(),
        elapsed: Duration::ZERO,
    };
    let shared = &arena;
    thread::scope(|scope| {
        let writers: Vec<_> = (0..shared.plan.writers)
            .map(|n| scope.spawn(move || writers::work(shared, n)))
            .collect();
        let readers: Vec<_> = (0..shared.plan.readers)
            .map(|n| scope.spawn(move || readers::work(shared, n)))
            .collect();
        let keepers: Vec<_> = (0..usize::from(shared.plan.keepers))
            .map(|n| scope.spawn(move || keepers::work(shared, n)))
            .collect();
        while begin.elapsed() < shared.plan.duration {
            thread::sleep(Duration::from_millis(20));
        }
        shared.stop();
        for writer in writers {
            outcome.record.add(writer.join().unwrap());
        }
        outcome.elapsed = begin.elapsed();
        for reader in readers {
            outcome.sight.add(reader.join().unwrap());
        }
        for keeper in keepers {
            outcome.chores.add(keeper.join().unwrap());
        }
    });
    if arena.plan.expects_clean_up() {
        kills::clean_up(&arena, &arena.toll.lock().unwrap());
    }
    verdict::check(&arena, &outcome.record);
    (arena, outcome)
}

fn report(name: &str, outcome: &Outcome) {
    let Outcome {
        record,
        sight,
        chores,
        elapsed,
    } = outcome;
    let seconds = elapsed.as_secs_f64();
    println!("{name}: {seconds:.1} s, {}", summary(record));
    println!("{name}: {sight:?} {chores:?}");
}

fn summary(record: &Record) -> String {
    format!(
        "{} updates tried, {} landed, {} beaten, {} busy ({:.2} %), longest process {:.1?}, \
         longest wait {:.1?}",
        record.tried,
        record.landed,
        record.beaten,
        record.busy,
        100.0 * record.busy_share(),
        record.longest,
        record.longest_wait,
    )
}

fn crowd(name: &str, gits: Vec<Git>) {
    let (arena, outcome) = run(plan(gits, 4));
    report(name, &outcome);
    assert_eq!(arena.faults(), [""; 0]);
    assert_eq!(verdict::leftovers(&arena), [""; 0]);
    assert!(outcome.record.landed > 0 && outcome.sight.listings > 0);
}

#[test]
fn a_crowd_of_the_rust_backend() {
    let Some(git) = Git::patched() else { return };
    crowd("rust", vec![git]);
}

#[test]
fn a_crowd_of_both_backends() {
    let (Some(ours), Some(theirs)) = (Git::patched(), Git::upstream()) else {
        return;
    };
    crowd("mixed", vec![ours, theirs]);
}

/// Processes are killed all the time: no update is torn or lost, and leftovers do not accumulate.
#[test]
fn a_crowd_in_which_many_are_killed() {
    let Some(git) = Git::patched() else { return };
    let mut plan = plan(vec![git], 4);
    plan.kills = true;
    let (arena, outcome) = run(plan);
    report("killed", &outcome);
    let toll = *arena.toll.lock().unwrap();
    println!("killed: {toll:?}");
    assert_eq!(arena.faults(), [""; 0]);
    assert!(toll.killed > 0 && outcome.record.landed > 0);
}

/// Both backends in turn under the same load: how many updates find the lock busy, how long a
/// writer waits, and what killed processes leave behind. `REFTABLE_CROWD_ROUNDS` asks for more than
/// one short round, `REFTABLE_CROWD_KILLS=1` for kills.
#[test]
fn both_backends_under_the_same_load() {
    let (Some(ours), Some(theirs)) = (Git::patched(), Git::upstream()) else {
        return;
    };
    let rounds = number("REFTABLE_CROWD_ROUNDS", 1);
    let kills = number("REFTABLE_CROWD_KILLS", 0) > 0;
    let mut sums = [(); 2].map(|()| (Record::default(), Toll::default()));
    for _ in 0..rounds {
        for ((name, git), (record, toll)) in [("rust", &ours), ("c", &theirs)].iter().zip(&mut sums)
        {
            let mut plan = plan(vec![(*git).clone()], 2);
            plan.readers = usize::try_from(number("REFTABLE_CROWD_READERS", SIZE)).unwrap();
            plan.kills = kills;
            let (arena, outcome) = run(plan);
            report(name, &outcome);
            toll.add(*arena.toll.lock().unwrap());
            record.add(outcome.record);
            // Failures of upstream's git do not fail this test.
            let faults = arena.faults();
            println!("{name}: {} faults {faults:?}", faults.len());
            assert!(*name == "c" || faults.is_empty());
        }
    }
    for (name, (record, toll)) in ["rust", "c"].iter().zip(&sums) {
        println!("{name}, rounds: {rounds}, {}; {toll:?}", summary(record));
    }
    let [(ours, _), (theirs, _)] = sums;
    // Few rounds are not significant, and a lock left by a killed process refuses many updates.
    if rounds >= ROUNDS_TO_JUDGE && !kills {
        assert!(ours.busy_share() <= theirs.busy_share());
    }
}
