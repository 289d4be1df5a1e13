//! grit-lib, a library for git repositories in Rust.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use grit_lib::config::environment::RepositoryOptions;
use grit_lib::objects::ObjectId;
use grit_lib::refs::commit_ref_update_on_store;
use grit_lib::refs::store::{Expected, RawRef, RefUpdate, RefUpdateFlags, ReflogUpdate};
use grit_lib::repo::Repository;

use crate::fixture::{scattered, Copy};
use crate::{timed, Contestant, Task};

pub struct Grit(pub Copy);

fn open(dir: &Path) -> Repository {
    Repository::discover(Some(dir), &RepositoryOptions::empty()).expect("a repository")
}

fn update(repository: &Repository, id: reftable::ObjectId) {
    let id = ObjectId::from_bytes(id.as_bytes()).expect("an id");
    let update = RefUpdate {
        name: "refs/heads/updated".into(),
        new_value: Some(RawRef::Direct(id)),
        expected: Expected::Any,
        reflog: Some(ReflogUpdate {
            identity: "A U Thor <author@example.com>".into(),
            message: "update".into(),
            time: repository.identity_now(),
            old_oid: None,
            new_oid: None,
        }),
        flags: RefUpdateFlags {
            // The others do not read objects either.
            skip_oid_verification: true,
            ..RefUpdateFlags::default()
        },
    };
    commit_ref_update_on_store(repository.refs(), update).expect("an update");
}

impl Contestant for Grit {
    fn name(&self) -> &'static str {
        "grit-lib"
    }

    fn run(&mut self, task: Task) -> Option<Duration> {
        let dir = self.0.work_dir.clone();
        match task {
            Task::Head => timed(task, || {
                let repository = open(&dir);
                let head = repository.refs().read_raw("HEAD").expect("a look-up");
                let Some(RawRef::Symbolic(branch)) = head else {
                    panic!("HEAD is detached");
                };
                black_box(repository.refs().resolve(&branch).expect("a branch"));
            }),
            Task::List => timed(task, || {
                let mut count = 0;
                let repository = open(&dir);
                let all = repository.refs().for_each_ref("refs/", &mut |found| {
                    black_box(found);
                    count += 1;
                    ControlFlow::Continue(())
                });
                all.expect("refs");
                assert_eq!(count, self.0.refs + 1);
            }),
            Task::LookUp => {
                let names = scattered(self.0.refs);
                timed(task, || {
                    // Its public functions open the tables for each name.
                    let repository = open(&dir);
                    for name in &names {
                        let found = repository.refs().read_raw(name).expect("a look-up");
                        assert!(matches!(found, Some(RawRef::Direct(_))));
                    }
                })
            }
            Task::LastLog => timed(task, || {
                let repository = open(&dir);
                let mut count = 0;
                let all = repository.refs().for_each_reflog_entry(
                    "refs/heads/main",
                    true,
                    &mut |entry| {
                        black_box(entry);
                        count += 1;
                        ControlFlow::Break(())
                    },
                );
                all.expect("a log");
                assert_eq!(count, 1);
            }),
            Task::Update => timed(task, || update(&open(&dir), self.0.next_commit())),
        }
    }
}
