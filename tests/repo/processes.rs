//! Several threads of this crate and several processes of git change one repository at once. No
//! update is lost.

use std::thread;
use std::time::{Duration, Instant};

use reftable::repo::{Error, Expected, Layout, Repository, Settings};
use reftable::ObjectId;

use crate::common::{run, Git};
use crate::support::{identity, Pair, Shared, HASHES};

/// Updates of each writer.
const UPDATES: usize = 25;
const DEADLINE: Duration = Duration::from_secs(60);

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.committer = Some(identity());
    settings.stack.lock_timeout_ms = 5_000;
    settings
}

/// Ids whose first bytes are a number: a counter.
fn counter(number: usize) -> ObjectId {
    let mut bytes = [0; 20];
    bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
    // Never the null id.
    bytes[19] = 1;
    ObjectId::from_bytes(&bytes).unwrap()
}

fn number(id: ObjectId) -> usize {
    let bytes = id.as_bytes()[..8].try_into().unwrap();
    usize::try_from(u64::from_be_bytes(bytes)).unwrap()
}

/// Adds one to the counter `name`, again whenever another writer was faster.
fn increment(repository: &Repository, name: &str) {
    let start = Instant::now();
    loop {
        let old = repository.resolve(name).unwrap().and_then(|found| found.id);
        let (new, expected) = match old {
            None => (counter(1), Expected::Missing),
            Some(id) => (counter(number(id) + 1), Expected::Id(id)),
        };
        let mut transaction = repository.transaction();
        match transaction.update(name, new, expected).commit() {
            Ok(_) => return,
            Err(Error::Unexpected { .. } | Error::Locked { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        assert!(start.elapsed() < DEADLINE, "no progress");
    }
}

#[test]
fn counters_of_many_threads_reach_the_sum() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("reftable")).unwrap();
    let open = || {
        let layout = Layout::new(dir.path(), dir.path(), reftable::HashId::Sha1);
        Repository::open_at(layout, settings())
    };
    // Two threads share a repository, two have their own.
    let shared = open();
    thread::scope(|scope| {
        for own in [None, None, Some(open()), Some(open())] {
            let shared = &shared;
            scope.spawn(move || {
                for _ in 0..UPDATES {
                    increment(own.as_ref().unwrap_or(shared), "refs/heads/counter");
                }
            });
        }
    });
    let found = shared.resolve("refs/heads/counter").unwrap().unwrap();
    assert_eq!(number(found.id.unwrap()), 4 * UPDATES);
    let log = shared.reflog("refs/heads/counter").unwrap();
    let mut entries = log.newest_first().unwrap();
    let mut count = 0;
    while let Some(entry) = entries.next().unwrap() {
        assert_eq!(number(entry.new), 4 * UPDATES - count);
        count += 1;
    }
    assert_eq!(count, 4 * UPDATES);
    assert!(shared.verify().unwrap().is_empty());
}

/// Adds one to the counter, an index into the list of objects, with `git update-ref`.
fn increment_by_git(pair: &Pair<'_>, git: &Git, name: &str) {
    let dir = pair.work_dir("ours", false);
    let ids = &pair.shared.objects.ids;
    let start = Instant::now();
    loop {
        let old = run(git.command(&dir, &["rev-parse", name]), b"");
        let old = old.stdout.trim().to_owned();
        let at = ids.iter().position(|id| *id == old).unwrap();
        let new = &ids[(at + 1) % pair.shared.objects.commits];
        let args = [
            "-c",
            "reftable.lockTimeout=5000",
            "update-ref",
            name,
            new,
            &old,
        ];
        if run(git.command(&dir, &args), b"").status == 0 {
            return;
        }
        assert!(start.elapsed() < DEADLINE, "no progress");
    }
}

fn increment_cyclic(pair: &Pair<'_>, repository: &Repository, name: &str) {
    let commits = pair.shared.objects.commits;
    let start = Instant::now();
    loop {
        let old = repository.resolve(name).unwrap().unwrap().id.unwrap();
        let at = (0..commits)
            .position(|at| pair.shared.id(at) == old)
            .unwrap();
        let new = pair.shared.id((at + 1) % commits);
        let mut transaction = repository.transaction();
        match transaction.update(name, new, Expected::Id(old)).commit() {
            Ok(_) => return,
            Err(Error::Unexpected { .. } | Error::Locked { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        assert!(start.elapsed() < DEADLINE, "no progress");
    }
}

/// Upstream's git and the patched one, beside threads of this crate.
#[test]
fn no_update_is_lost_beside_git() {
    let Some(shared) = Shared::new(HASHES[0]) else {
        return;
    };
    let pair = shared.pair(settings());
    let name = "refs/heads/main";
    let gits: Vec<Git> = [Git::upstream(), Git::patched()]
        .into_iter()
        .flatten()
        .collect();
    thread::scope(|scope| {
        for git in &gits {
            let pair = &pair;
            scope.spawn(move || (0..UPDATES).for_each(|_| increment_by_git(pair, git, name)));
        }
        for _ in 0..2 {
            let pair = &pair;
            let repository = pair.ours(false);
            scope.spawn(move || {
                (0..UPDATES).for_each(|_| increment_cyclic(pair, &repository, name));
            });
        }
    });
    let repository = pair.ours(false);
    let updates = UPDATES * (2 + gits.len());
    // One entry is from the creation.
    for log in [name, "HEAD"] {
        let mut entries = repository.reflog(log).unwrap().newest_first().unwrap();
        let mut count = 0;
        while entries.next().unwrap().is_some() {
            count += 1;
        }
        assert_eq!(count, updates + 1, "{log}");
    }
    let id = repository.resolve(name).unwrap().unwrap().id.unwrap();
    let commits = shared.objects.commits;
    assert_eq!(id, shared.id((7 + updates) % commits));
    assert!(repository.verify().unwrap().is_empty());
}

/// A commit in a linked worktree changes two stacks; two such worktrees lock the shared one, too.
#[test]
fn transactions_of_several_stacks_wait_for_each_other() {
    let Some(shared) = Shared::new(HASHES[0]) else {
        return;
    };
    let pair = shared.pair(settings());
    thread::scope(|scope| {
        for is_linked in [false, true] {
            let pair = &pair;
            scope.spawn(move || {
                let repository = pair.ours(is_linked);
                let own = [
                    "worktrees/ours-wt/refs/bisect/x",
                    "main-worktree/refs/bisect/x",
                ];
                for step in 0..UPDATES {
                    let start = Instant::now();
                    let mut transaction = repository.transaction();
                    transaction
                        .update("HEAD", pair.shared.id(step % 8), Expected::Any)
                        .update(own[0], pair.shared.id(step % 8), Expected::Any)
                        .update(own[1], pair.shared.id(step % 8), Expected::Any);
                    while let Err(error) = transaction.commit() {
                        assert!(matches!(error, Error::Locked { .. }), "{error}");
                        assert!(start.elapsed() < DEADLINE, "no progress");
                    }
                }
            });
        }
    });
    assert!(pair.ours(false).verify().unwrap().is_empty());
}
