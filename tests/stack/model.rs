//! Random operations of two stacks in one directory, compared with sorted maps.

use std::cmp::Reverse;
use std::sync::Arc;

use proptest::prelude::*;
use reftable::format::{Error, Result};
use reftable::internals::StdStorage;
use reftable::merged::Tombstones;
use reftable::record::{LogRecord, LogValue};
use reftable::stack::{LogExpiry, OnOutdated, Stack, StackOptions};

use crate::support::*;

#[derive(Clone, Debug)]
enum Step {
    /// Refs written or deleted in one table.
    Add(Vec<(u8, Option<u8>)>),
    /// Several tables in one addition.
    AddTables(Vec<Vec<(u8, Option<u8>)>>),
    /// An addition that is dropped without a commit.
    Abort(Vec<(u8, Option<u8>)>),
    /// Tombstones for these log entries.
    DeleteLogs(Vec<prop::sample::Index>),
    CompactAll,
    AutoCompact,
    /// Full compaction without the entries below this fraction of the update indexes.
    Expire(u8),
    Clean,
    Reload,
    Reopen,
}

fn changes() -> impl Strategy<Value = Vec<(u8, Option<u8>)>> {
    prop::collection::vec((0..24u8, prop::option::weighted(0.7, any::<u8>())), 1..8)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => changes().prop_map(Step::Add),
        2 => prop::collection::vec(changes(), 1..4).prop_map(Step::AddTables),
        1 => changes().prop_map(Step::Abort),
        2 => prop::collection::vec(any::<prop::sample::Index>(), 1..5).prop_map(Step::DeleteLogs),
        1 => Just(Step::CompactAll),
        2 => Just(Step::AutoCompact),
        1 => any::<u8>().prop_map(Step::Expire),
        1 => Just(Step::Clean),
        2 => Just(Step::Reload),
        1 => Just(Step::Reopen),
    ]
}

fn name(ref_number: u8) -> String {
    let directory = ["refs/heads", "refs/heads/topic", "refs/tags"][usize::from(ref_number % 3)];
    format!("{directory}/{}", ref_number / 3)
}

fn named(changes: &[(u8, Option<u8>)]) -> Vec<(String, Option<u8>)> {
    let mut named: Vec<_> = changes.iter().map(|&(n, id)| (name(n), id)).collect();
    named.sort();
    named.dedup_by(|a, b| a.0 == b.0);
    named
}

fn borrowed(changes: &[(String, Option<u8>)]) -> Vec<Change<'_>> {
    changes.iter().map(|(n, id)| (n.as_str(), *id)).collect()
}

/// One addition with these tables; the model changes when it is committed.
fn add_tables(
    stack: &Stack,
    tables: &[Vec<(u8, Option<u8>)>],
    model: Option<&mut Snapshot>,
) -> Result<()> {
    let mut addition = stack.begin(OnOutdated::Reload)?;
    let mut after = model.as_deref().cloned().unwrap_or_default();
    for table in tables {
        let table = named(table);
        let index = addition.next_update_index();
        addition.add_table::<Error>(|w| write(w, index, &borrowed(&table)))?;
        after.apply(&borrowed(&table), index);
    }
    if let Some(model) = model {
        let outcome = stack.commit(addition)?;
        assert!(outcome.published);
        assert!(outcome.compaction.is_none(), "{outcome:?}");
        *model = after;
    }
    Ok(())
}

fn delete_logs(stack: &Stack, which: &[prop::sample::Index], model: &mut Snapshot) -> Result<()> {
    let mut keys: Vec<_> = model.logs.keys().cloned().collect();
    if keys.is_empty() {
        return Ok(());
    }
    let all = keys.len();
    let chosen: Vec<_> = which.iter().map(|index| index.index(all)).collect();
    keys = (0..all)
        .filter(|i| chosen.contains(i))
        .map(|i| keys[i].clone())
        .collect();
    let mut addition = stack.begin(OnOutdated::Reload)?;
    let next = addition.next_update_index();
    addition.add_table::<Error>(|writer| {
        writer.set_limits(next, next)?;
        for (name, Reverse(update_index)) in &keys {
            writer.add_log(&LogRecord {
                name: name.as_bytes(),
                update_index: *update_index,
                value: LogValue::Deletion,
            })?;
        }
        Ok(())
    })?;
    assert!(stack.commit(addition)?.published);
    model.logs.retain(|key, _| !keys.contains(key));
    Ok(())
}

/// All ways to read the view agree with the model.
fn assert_reads(stack: &Stack, model: &Snapshot) {
    let merged = stack.merged();
    assert_eq!(Snapshot::of(&merged), *model);
    let mut finder = merged.finder();
    let mut refs = merged.refs(Tombstones::Hide);
    let mut logs = merged.logs(Tombstones::Hide);
    for number in 0..24 {
        let name = name(number);
        let found = finder.find(name.as_bytes()).unwrap();
        assert_eq!(found.is_some(), model.refs.contains_key(&name), "{name}");

        refs.seek(name.as_bytes()).unwrap();
        let next = refs.advance().unwrap().then(|| refs.record().name.to_vec());
        let expected = model.refs.range(name.clone()..).next();
        assert_eq!(
            next.as_deref(),
            expected.map(|(n, _)| n.as_bytes()),
            "{name}"
        );

        logs.seek(name.as_bytes()).unwrap();
        let newest = logs.advance().unwrap().then(|| logs.record());
        let newest = newest.map(|r| (r.name.to_vec(), r.update_index));
        let expected = model.logs.range((name.clone(), Reverse(u64::MAX))..).next();
        let expected = expected.map(|((n, i), _)| (n.clone().into_bytes(), i.0));
        assert_eq!(newest, expected, "{name}");
    }
    for prefix in ["refs/heads/", "refs/heads/topic/", "refs/t", "refs/x"] {
        refs.seek_prefix(prefix.as_bytes()).unwrap();
        let mut count = 0;
        while refs.advance().unwrap() {
            count += 1;
        }
        let expected = model.refs.keys().filter(|n| n.starts_with(prefix)).count();
        assert_eq!(count, expected, "{prefix}");
    }
}

fn run(steps: &[(bool, Step)], auto: bool) -> Result<()> {
    let dir = scratch();
    let options = StackOptions {
        disable_auto_compact: !auto,
        ..quiet()
    };
    let open = || open_with(Arc::new(StdStorage), dir.path(), options.clone());
    let mut stacks = [open()?, open()?];
    let mut model = Snapshot::default();
    for (second, step) in steps {
        let stack = &mut stacks[usize::from(*second)];
        let outdated = |done: Result<()>| match done {
            Err(Error::Outdated) => Ok(()),
            done => done,
        };
        match step {
            Step::Add(table) => add_tables(stack, std::slice::from_ref(table), Some(&mut model))?,
            Step::AddTables(tables) => add_tables(stack, tables, Some(&mut model))?,
            Step::Abort(table) => add_tables(stack, std::slice::from_ref(table), None)?,
            Step::DeleteLogs(which) => delete_logs(stack, which, &mut model)?,
            Step::CompactAll => outdated(stack.compact_all(None))?,
            Step::AutoCompact => outdated(stack.auto_compact())?,
            Step::Expire(part) => {
                stack.reload()?;
                let least = stack.next_update_index() * u64::from(*part) / 256;
                let expiry = LogExpiry {
                    time: 0,
                    min_update_index: least,
                    ..LogExpiry::default()
                };
                stack.compact_all(Some(&expiry))?;
                model.logs.retain(|(_, index), _| index.0 >= least);
            }
            Step::Clean => stack.clean()?,
            Step::Reload => {
                stack.reload()?;
            }
            Step::Reopen => *stack = open()?,
        }
        if stack.begin(OnOutdated::Fail).is_ok() {
            assert_reads(stack, &model);
        }
        assert_tidy(dir.path());
    }
    for stack in &stacks {
        stack.reload()?;
        assert_reads(stack, &model);
    }
    stacks[0].compact_all(None)?;
    assert_reads(&stacks[0], &model);
    assert_reads(&open()?, &model);
    assert!(stacks[0].merged().tables().len() <= 1);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn stacks_match_the_model(
        steps in prop::collection::vec((any::<bool>(), step()), 1..40),
        auto in any::<bool>(),
    ) {
        run(&steps, auto).unwrap();
    }
}
