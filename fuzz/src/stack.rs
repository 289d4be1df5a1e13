//! Two stacks in one directory, compared with a sorted map; some operations fail in the storage.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use reftable::format::{Error, FindingKind, Result};
use reftable::internals::{Fault, FaultPlan, FaultStorage, Storage};
use reftable::merged::Tombstones;
use reftable::record::{LogRecord, LogValue, RefRecord, RefValue};
use reftable::stack::{CheckEvent, LogExpiry, OnOutdated, Stack, StackOptions};
use reftable::table::{WriteOptions, Writer};

use super::check::update;
use super::input::Input;
use super::memory::Memory;

/// Refs by name; log entries by name and update index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Model {
    refs: BTreeMap<String, u8>,
    logs: BTreeMap<(String, Reverse<u64>), u8>,
}

type Changes = BTreeMap<String, Option<u8>>;

/// The most bytes of input that are used.
const MOST: usize = 400;

const DIR: &str = "/stack";

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes.get(..MOST).unwrap_or(bytes));
    let memory = Memory::default();
    let options = StackOptions {
        write: WriteOptions {
            block_size: *input.pick(&[256, 4096]).unwrap_or(&256),
            ..WriteOptions::default()
        },
        disable_auto_compact: input.one_in(2),
        auto_compaction_factor: input.byte() % 4,
        ..StackOptions::default()
    };
    let open = |storage: Arc<dyn Storage>| Stack::open_in(storage, Path::new(DIR), options.clone());
    let mut stacks = [(); 2].map(|()| open(Arc::new(memory.clone())).unwrap());
    let mut model = Model::default();
    while !input.is_empty() {
        let which = input.below(2);
        if input.one_in(8) {
            let fault = match input.below(3) {
                0 => Fault::Fail(ErrorKind::StorageFull),
                1 => Fault::FailAfter(ErrorKind::TimedOut),
                _ => Fault::Fail(ErrorKind::PermissionDenied),
            };
            let plan = FaultPlan::at(input.below(48) as u64, fault);
            let storage = FaultStorage::new(Arc::new(memory.clone()), plan);
            let Ok(stack) = open(Arc::new(storage)) else {
                continue;
            };
            // The operation has landed or has changed nothing.
            let mut after = model.clone();
            let before = model.clone();
            let _ = step(&stack, &mut input, &mut after);
            drop(stack);
            memory.remove_leftovers();
            model = snapshot(&open(Arc::new(memory.clone())).unwrap());
            assert!(
                model == before || model == after,
                "{model:?}\n{before:?}\n{after:?}"
            );
            continue;
        }
        if input.one_in(8) {
            stacks[which] = open(Arc::new(memory.clone())).unwrap();
        }
        step(&stacks[which], &mut input, &mut model).unwrap();
    }
    for stack in &stacks {
        stack.reload().unwrap();
        assert_eq!(snapshot(stack), model);
    }
    stacks[0].check(&mut |event| {
        if let CheckEvent::Finding(finding) = event {
            let is_leftover = finding.kind == FindingKind::UnlistedFile;
            assert!(is_leftover, "{}: {finding}", finding.file);
        }
    });
}

fn changes(input: &mut Input<'_>) -> Changes {
    let mut changes = Changes::new();
    for _ in 0..=input.below(6) {
        let dir = input.pick(&["refs/heads", "refs/tags"]).unwrap_or(&"");
        let name = format!("{dir}/{}", input.below(12));
        let value = (!input.one_in(3)).then(|| input.byte());
        changes.insert(name, value);
    }
    changes
}

/// Performs one operation, and applies it to the model as if it succeeded.
fn step(stack: &Stack, input: &mut Input<'_>, model: &mut Model) -> Result<()> {
    match input.below(10) {
        0..=3 => add(stack, &[changes(input)], model),
        4 => {
            let tables: Vec<Changes> = (0..=input.below(3)).map(|_| changes(input)).collect();
            add(stack, &tables, model)
        }
        5 => delete_logs(stack, input, model),
        6 => {
            stack.reload()?;
            stack.compact_all(None)
        }
        7 => {
            stack.reload()?;
            stack.auto_compact()
        }
        8 => {
            stack.reload()?;
            let max = stack.next_update_index();
            let expiry = LogExpiry {
                time: 0,
                min_update_index: max * u64::from(input.byte()) / 255,
                ..LogExpiry::default()
            };
            let least = expiry.min_update_index;
            model.logs.retain(|(_, Reverse(index)), _| *index >= least);
            stack.compact_all(Some(&expiry))
        }
        _ => stack.clean(),
    }
}

fn add(stack: &Stack, tables: &[Changes], model: &mut Model) -> Result<()> {
    let mut addition = stack.begin(OnOutdated::Reload)?;
    let mut after = model.clone();
    for changes in tables {
        let index = addition.next_update_index();
        addition.add_table::<Error>(|writer| write(writer, index, changes))?;
        for (name, value) in changes {
            match value {
                Some(byte) => drop(after.refs.insert(name.clone(), *byte)),
                None => drop(after.refs.remove(name)),
            }
            let key = (name.clone(), Reverse(index));
            after.logs.insert(key, value.unwrap_or(0));
        }
    }
    // A commit that fails may have landed.
    *model = after;
    assert!(stack.commit(addition)?.published);
    Ok(())
}

fn write(writer: &mut Writer<'_>, index: u64, changes: &Changes) -> Result<()> {
    writer.set_limits(index, index)?;
    for (name, value) in changes {
        let id = value.map(|byte| [byte; 20]);
        writer.add_ref(&RefRecord {
            name: name.as_bytes(),
            update_index: index,
            value: id
                .as_ref()
                .map_or(RefValue::Deletion, |id| RefValue::Val1(id)),
        })?;
    }
    for (name, value) in changes {
        let id = [value.unwrap_or(0); 20];
        writer.add_log(&LogRecord {
            name: name.as_bytes(),
            update_index: index,
            value: LogValue::Update(update(&id, 1000 + index, b"update\n")),
        })?;
    }
    Ok(())
}

fn delete_logs(stack: &Stack, input: &mut Input<'_>, model: &mut Model) -> Result<()> {
    let mut after = model.clone();
    after.logs.retain(|_, _| !input.one_in(3));
    let gone = model
        .logs
        .keys()
        .filter(|key| !after.logs.contains_key(*key));
    let gone: Vec<_> = gone.cloned().collect();
    let mut addition = stack.begin(OnOutdated::Reload)?;
    let next = addition.next_update_index();
    addition.add_table::<Error>(|writer| {
        writer.set_limits(next, next)?;
        for (name, Reverse(update_index)) in &gone {
            writer.add_log(&LogRecord {
                name: name.as_bytes(),
                update_index: *update_index,
                value: LogValue::Deletion,
            })?;
        }
        Ok(())
    })?;
    *model = after;
    let outcome = stack.commit(addition)?;
    assert_eq!(outcome.published, !gone.is_empty());
    Ok(())
}

fn snapshot(stack: &Stack) -> Model {
    let merged = stack.merged();
    let mut model = Model::default();
    let mut refs = merged.refs(Tombstones::Hide);
    while refs.advance().unwrap() {
        let record = refs.record();
        let name = String::from_utf8(record.name.to_vec()).unwrap();
        model.refs.insert(name, record.value.id().unwrap()[0]);
    }
    let mut logs = merged.logs(Tombstones::Hide);
    while logs.advance().unwrap() {
        let record = logs.record();
        let name = String::from_utf8(record.name.to_vec()).unwrap();
        let LogValue::Update(update) = record.value else {
            panic!("{record:?}");
        };
        let key = (name, Reverse(record.update_index));
        model.logs.insert(key, update.new_hash[0]);
    }
    model
}
