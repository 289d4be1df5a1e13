//! What threads may share.

use std::thread;

use reftable::repo::{
    Committed, Error, Generation, LogEntry, NewestFirst, OldestFirst, Prepared, Reflog, Refs,
    Settings, Snapshot, Transaction,
};
use reftable::{Head, ObjectId, Reference, Repository};

use crate::support::{id, plain};

/// Compiles only if the types are.
#[test]
fn types_can_be_shared_by_threads() {
    fn check<T: Send + Sync>() {}
    check::<Repository>();
    check::<Snapshot<'_>>();
    check::<Refs>();
    check::<Reflog>();
    check::<NewestFirst>();
    check::<OldestFirst>();
    check::<(Head, Reference, ObjectId, LogEntry, Generation, Error)>();
    check::<Transaction<'_>>();
    check::<Committed>();
    // It is used by one thread at a time.
    fn check_send<T: Send>() {}
    check_send::<Prepared<'_>>();
}

/// Both refs of each transaction are seen, or neither, while another thread commits.
#[test]
fn threads_read_while_another_writes() {
    const COMMITS: u8 = 60;
    let dir = tempfile::tempdir().unwrap();
    let repository = plain(dir.path(), Settings::default());
    let names = ["refs/heads/a", "refs/heads/b"];
    let read = || {
        let mut last = None;
        while last != Some(id(COMMITS)) {
            let mut snapshot = repository.snapshot().unwrap();
            let [a, b] = names.map(|name| {
                let found = snapshot.find(name).unwrap();
                found.and_then(|found| found.id())
            });
            assert_eq!(a, b);
            let listed = repository.refs("").unwrap().owned();
            let listed: Vec<_> = listed.map(|found| found.unwrap().target).collect();
            assert!(listed.is_empty() || listed.len() == 2 && listed[0] == listed[1]);
            assert!(a >= last, "an older state after a newer one");
            last = a;
        }
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(read);
        }
        for n in 1..=COMMITS {
            let mut transaction = repository.transaction();
            for name in names {
                transaction.update(name, id(n), reftable::repo::Expected::Any);
            }
            transaction.log(reftable::repo::Log::Never);
            transaction.commit().unwrap();
        }
    });
}
