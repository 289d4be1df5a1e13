//! This crate: its layer for repositories, and the layer of stacks below it.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::Duration;

use reftable::format::Error;
use reftable::merged::Tombstones;
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::repo::{Expected, Identity};
use reftable::stack::{OnOutdated, Stack, StackOptions};
use reftable::{ObjectId, Repository};

use crate::fixture::{scattered, Copy};
use crate::{timed, Contestant, Task};

/// `reftable::Repository`.
pub struct Refs(pub Copy);

impl Contestant for Refs {
    fn name(&self) -> &'static str {
        "this crate"
    }

    fn run(&mut self, task: Task) -> Option<Duration> {
        let dir = self.0.work_dir.clone();
        let open = || Repository::discover(&dir).expect("a repository");
        match task {
            Task::Head => timed(task, || {
                let head = open().head().expect("HEAD");
                assert!(head.branch().is_some() && head.id().is_some());
            }),
            Task::List => timed(task, || {
                let mut refs = open().refs("refs/").expect("refs");
                let mut count = 0;
                while let Some(found) = refs.next().expect("a ref") {
                    black_box((found.name, found.id()));
                    count += 1;
                }
                assert_eq!(count, self.0.refs + 1);
            }),
            Task::LookUp => {
                let names = scattered(self.0.refs);
                timed(task, || {
                    let repository = open();
                    let mut snapshot = repository.snapshot().expect("a snapshot");
                    for name in &names {
                        let found = snapshot.find(name).expect("a look-up");
                        assert!(found.is_some_and(|found| found.id().is_some()));
                    }
                })
            }
            Task::LastLog => timed(task, || {
                let log = open().reflog("refs/heads/main").expect("a log");
                let mut entries = log.newest_first().expect("entries");
                assert!(entries.next().expect("an entry").is_some());
            }),
            Task::Update => timed(task, || {
                let committer = Identity {
                    name: "A U Thor".into(),
                    email: "author@example.com".into(),
                };
                let done = open()
                    .transaction()
                    .message("update")
                    .committer(committer)
                    .update("refs/heads/updated", self.0.next_commit(), Expected::Any)
                    .commit();
                done.expect("an update");
            }),
        }
    }
}

/// `reftable::stack`: what the layer above is measured against.
pub struct Stacks(pub Copy);

impl Stacks {
    fn update(&self, stack: &Stack, id: ObjectId) {
        let name = b"refs/heads/updated";
        let index = stack.next_update_index();
        let mut old = ObjectId::null(stack.hash_id());
        if let Some(found) = stack.merged().finder().find(name).expect("a look-up") {
            old = found.id().and_then(ObjectId::from_bytes).expect("an id");
        }
        let added = stack.add::<Error>(OnOutdated::Fail, |writer| {
            writer.set_limits(index, index)?;
            writer.add_ref(&RefRecord {
                name,
                update_index: index,
                value: RefValue::Val1(id.as_bytes()),
            })?;
            writer.add_log(&LogRecord {
                name,
                update_index: index,
                value: LogValue::Update(LogUpdate {
                    old_hash: old.as_bytes(),
                    new_hash: id.as_bytes(),
                    name: b"A U Thor",
                    email: b"author@example.com",
                    time: 1_700_000_000,
                    tz_offset: Zone::from_stored(0),
                    message: b"update",
                }),
            })
        });
        assert!(added.expect("an addition").published);
    }
}

impl Contestant for Stacks {
    fn name(&self) -> &'static str {
        "its stack layer"
    }

    fn run(&mut self, task: Task) -> Option<Duration> {
        let dir = self.0.stack_dir();
        let open = || Stack::open(&dir, StackOptions::default()).expect("a stack");
        match task {
            Task::Head => timed(task, || {
                let mut finder = open().merged().finder();
                let head = finder.find(b"HEAD").expect("a look-up").expect("HEAD");
                let RefValue::Symref(branch) = head.value else {
                    panic!("HEAD is detached");
                };
                let branch = branch.to_vec();
                let found = finder.find(&branch).expect("a look-up");
                assert!(found.expect("a branch").id().is_some());
            }),
            Task::List => timed(task, || {
                let mut refs = open().merged().refs(Tombstones::Hide);
                refs.seek_prefix(b"refs/").expect("refs");
                let mut count = 0;
                while refs.advance().expect("a ref") {
                    black_box((refs.record().name, refs.record().id()));
                    count += 1;
                }
                assert_eq!(count, self.0.refs + 1);
            }),
            Task::LookUp => {
                let names = scattered(self.0.refs);
                timed(task, || {
                    let mut finder = open().merged().finder();
                    for name in &names {
                        let found = finder.find(name.as_bytes()).expect("a look-up");
                        assert!(found.is_some_and(|found| found.id().is_some()));
                    }
                })
            }
            Task::LastLog => timed(task, || {
                let mut logs = open().merged().logs(Tombstones::Hide);
                logs.seek_only(b"refs/heads/main").expect("a log");
                assert!(logs.advance().expect("an entry"));
            }),
            Task::Update => {
                let mut ids = Vec::new();
                for _ in 0..task.repetitions() {
                    ids.push(self.0.next_commit());
                }
                timed(task, || {
                    self.update(&open(), ids.pop().expect("an id"));
                })
            }
        }
    }
}
