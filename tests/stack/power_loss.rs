//! Power fails at every point of a series of changes to a stack: the stack is read from everything
//! that file systems with different orders may leave.
//!
//! `docs/reliability.md` says what is promised.

use std::path::Path;
use std::sync::Arc;

use crate::power::disk::{FileSystem, NAMES_ONLY, ORDERED, POSIX};
use crate::power::judge::{judge, state_of, Tally};
use crate::power::recorder::{Flush, Recorder};
use crate::power::trace::Trace;
use reftable::format::Error;
use reftable::stack::{LogExpiry, OnOutdated, Stack, StackOptions};

use crate::support::*;

/// Changes until everything is on disk: three.
fn seed(dir: &Path) {
    let stack = open(dir);
    for id in 1..=3 {
        add(
            &stack,
            &[("refs/heads/main", Some(id)), ("refs/heads/a", Some(id))],
        )
        .unwrap();
    }
}

/// A series of changes, one after another.
type Changes = [fn(&Stack)];

fn update(stack: &Stack) {
    let changes = [("refs/heads/main", Some(4)), ("refs/heads/b", Some(4))];
    add(stack, &changes).unwrap();
}

fn delete(stack: &Stack) {
    add(stack, &[("refs/heads/a", None)]).unwrap();
}

fn several_tables(stack: &Stack) {
    let mut addition = stack.begin(OnOutdated::Fail).unwrap();
    for (name, id) in [("refs/heads/x", 7), ("refs/heads/y", 8)] {
        let index = addition.next_update_index();
        let change = [(name, Some(id))];
        addition
            .add_table::<Error>(|w| write(w, index, &change))
            .unwrap();
    }
    assert!(stack.commit(addition).unwrap().published);
}

fn pack(stack: &Stack) {
    stack.compact_all(None).unwrap();
}

fn expire(stack: &Stack) {
    let expiry = LogExpiry {
        time: 0,
        min_update_index: 3,
        ..LogExpiry::default()
    };
    stack.compact_all(Some(&expiry)).unwrap();
}

/// How a stack is changed.
#[derive(Clone, Copy, Debug)]
struct Series<'a> {
    flush: Flush,
    auto_compact: bool,
    /// Whether the stack has contents before the first change.
    seeded: bool,
    changes: &'a Changes,
}

/// Lets power fail at every point of the changes.
fn fail_everywhere(series: Series<'_>, systems: &[FileSystem]) -> Vec<Tally> {
    let (dir, other) = (scratch(), scratch());
    if series.seeded {
        seed(dir.path());
    }
    let recorder = Recorder::new(series.flush);
    let options = StackOptions {
        disable_auto_compact: !series.auto_compact,
        ..quiet()
    };
    let mut trace = Trace::starting_at(dir.path());
    let stack = open_with(Arc::new(recorder.clone()), dir.path(), options).unwrap();
    let mut states = vec![state_of(dir.path()).unwrap()];
    for change in series.changes {
        change(&stack);
        recorder.acknowledge();
        states.push(state_of(dir.path()).unwrap());
    }
    trace.events = recorder.events();
    let tallies = systems.iter().map(|system| {
        let tally = judge(&trace, &states, *system, other.path());
        println!(
            "flush {:?}, auto-compaction {}, {}: {tally}",
            series.flush, series.auto_compact, system.name
        );
        assert!(tally.directories > 20, "{tally}");
        tally
    });
    tallies.collect()
}

/// Series of many changes, with and without compactions, starting with the first change.
fn series(flush: Flush) -> [Series<'static>; 3] {
    [(true, true), (false, true), (true, false)].map(|(auto_compact, seeded)| Series {
        flush,
        auto_compact,
        seeded,
        changes: &MANY,
    })
}

const MANY: [fn(&Stack); 6] = [update, delete, several_tables, update, expire, pack];

#[test]
fn flushed_changes_are_never_lost() {
    for series in series(Flush::All) {
        for tally in fail_everywhere(series, &[ORDERED, NAMES_ONLY, POSIX]) {
            let sound = Tally {
                directories: tally.directories,
                ..Tally::default()
            };
            assert_eq!(tally, sound);
        }
    }
}

#[test]
fn unflushed_changes_are_old_or_new_if_contents_are_written_first() {
    for series in series(Flush::Begin) {
        let tally = fail_everywhere(series, &[ORDERED])[0];
        assert_eq!((tally.unreadable, tally.never), (0, 0));
        // The model does detect losses.
        assert!(tally.outdated > 0);
    }
}

/// Without early writing, and on file systems that ignore it, a listed new table may be empty: the
/// weakness is real.
#[test]
fn losses_without_early_writing_are_detected() {
    for (flush, system) in [
        (Flush::Nothing, ORDERED),
        (Flush::Nothing, NAMES_ONLY),
        (Flush::Begin, NAMES_ONLY),
    ] {
        let series = Series {
            flush,
            auto_compact: true,
            seeded: true,
            changes: &[update],
        };
        let tally = fail_everywhere(series, &[system])[0];
        assert!(tally.unreadable > 0);
    }
}
