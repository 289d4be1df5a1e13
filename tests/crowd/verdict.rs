//! Checks when all processes have ended.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, HashSet};
use std::fs;

use crate::arena::{shared, Arena, LEAVES};
use crate::common::Git;
use crate::readers::{judge_group, refs_of};
use crate::writers::{own_message, Record};

/// One entry of a log.
#[derive(Debug)]
struct Entry {
    old: String,
    new: String,
    message: String,
}

/// Checks the values, the logs and the tables with each of the gits.
pub fn check(arena: &Arena, record: &Record) {
    let mut seen: Vec<Git> = Vec::new();
    for git in &arena.plan.gits {
        if seen.iter().any(|other| other.program() == git.program()) {
            continue;
        }
        seen.push(git.clone());
        check_values(arena, git);
        for writer in 0..arena.plan.writers {
            check_own_logs(arena, git, writer);
        }
        check_shared_logs(arena, git, record);
        let verified = arena.run(git, &["refs", "verify"], "");
        if verified.status != 0 || !verified.stderr.is_empty() {
            arena.fault(format!("refs verify: {verified:?}"));
        }
    }
}

fn check_values(arena: &Arena, git: &Git) {
    let format = "--format=%(refname) %(objectname)";
    let output = arena.run(git, &["for-each-ref", format], "");
    let refs = refs_of(&output);
    for (writer, progress) in arena.progress.iter().enumerate() {
        let landed = progress.landed();
        match judge_group(arena, &refs, writer, landed, progress.begun()) {
            Ok(update) if update == landed => {}
            found => arena.fault(format!("group {writer}: {found:?}, expected {landed}")),
        }
    }
}

/// Every update of the writer is in the log of each of its refs, once and in order.
fn check_own_logs(arena: &Arena, git: &Git, writer: usize) {
    let landed = arena.progress[writer].landed();
    for name in arena.group(writer) {
        let entries = log_of(arena, git, &name);
        check_chain(arena, &name, &entries);
        let expected = (0..=landed).map(|update| match update {
            0 => "made".to_owned(),
            _ => own_message(writer, update),
        });
        if !expected.eq(entries.iter().map(|e| e.message.clone())) {
            arena.fault(format!("log of {name}: {} of {landed}", entries.len()));
        }
    }
}

/// The logs of the shared refs contain exactly the committed updates, in the same order.
fn check_shared_logs(arena: &Arena, git: &Git, record: &Record) {
    let mut orders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, leaf) in shared().iter().zip(LEAVES) {
        let entries = log_of(arena, git, name);
        check_chain(arena, name, &entries);
        let messages: Vec<String> = entries.into_iter().skip(1).map(|e| e.message).collect();
        let set: HashSet<String> = messages.iter().cloned().collect();
        let lost: Vec<_> = record.shared.difference(&set).collect();
        let known = |m: &&String| record.shared.contains(*m) || record.uncertain.contains(*m);
        let gained: Vec<_> = set.iter().filter(|m| !known(m)).collect();
        if set.len() != messages.len() || !lost.is_empty() || !gained.is_empty() {
            arena.fault(format!("log of {name}: lost {lost:?}, gained {gained:?}"));
        }
        orders.insert(leaf.to_owned(), messages);
    }
    let mut all = orders.values();
    let first = all.next();
    if all.any(|order| Some(order) != first) {
        arena.fault("the shared refs were updated in different orders".to_owned());
    }
}

/// Each entry begins with the value at which the previous one ended.
fn check_chain(arena: &Arena, name: &str, entries: &[Entry]) {
    for pair in entries.windows(2) {
        if pair[0].new != pair[1].old {
            arena.fault(format!("log of {name} has a gap: {pair:?}"));
        }
    }
    if entries
        .first()
        .is_none_or(|e| !e.old.trim_matches('0').is_empty())
    {
        arena.fault(format!("log of {name} does not begin with its creation"));
    }
}

/// The entries of a log, oldest first.
fn log_of(arena: &Arena, git: &Git, name: &str) -> Vec<Entry> {
    let args = ["ref-store", "main", "for-each-reflog-ent", name];
    let output = git.test_tool(arena.dir(), &args);
    let mut lines = output.lines();
    let parse = |line: &str| {
        let (head, message) = line.split_once('\t')?;
        let mut words = head.split(' ');
        Some(Entry {
            old: words.next()?.to_owned(),
            new: words.next()?.to_owned(),
            message: message.to_owned(),
        })
    };
    lines.by_ref().filter_map(parse).collect()
}

/// The files in the stack's directory that are neither the list nor listed tables.
pub fn leftovers(arena: &Arena) -> Vec<String> {
    let stack = arena.stack();
    let list = fs::read_to_string(stack.join("tables.list")).unwrap();
    let listed: HashSet<&str> = list.lines().collect();
    let names = fs::read_dir(&stack).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_other = |name: &String| name != "tables.list" && !listed.contains(name.as_str());
    names.filter(is_other).collect()
}
