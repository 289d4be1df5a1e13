//! The log entries that transactions write: committer, message, and which changes are logged.

use reftable::repo::{
    Change, Error, Expected, Identity, Log, LogEntry, LogRefUpdates, Repository, Settings, Time,
};
use reftable::{HashId, ObjectId};

use crate::support::{id, identity, plain, time, Shared, HASHES};

fn repository(log_ref_updates: LogRefUpdates) -> (tempfile::TempDir, Repository) {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = Settings::default();
    settings.committer = Some(identity());
    settings.log_ref_updates = log_ref_updates;
    let repository = plain(dir.path(), settings);
    (dir, repository)
}

fn entries(repository: &Repository, name: &str) -> Vec<LogEntry> {
    let mut entries = repository.reflog(name).unwrap().newest_first().unwrap();
    let mut all = Vec::new();
    while let Some(entry) = entries.next().unwrap() {
        all.push(entry.to_owned());
    }
    all
}

#[test]
fn an_entry_has_all_that_the_caller_gives() {
    let (_dir, repository) = repository(LogRefUpdates::Usual);
    let committer = Identity {
        name: " <Some> One,\n".into(),
        email: "<one@example.com>".into(),
    };
    repository
        .transaction()
        .committer(committer)
        .time(time(5))
        .message("the\n  message\t")
        .create("refs/heads/main", id(1))
        .add(Change::create("refs/heads/other", id(2)).message(" own "))
        .commit()
        .unwrap();
    let [entry] = &entries(&repository, "refs/heads/main")[..] else {
        panic!("not one entry");
    };
    assert_eq!(entry.old, ObjectId::null(HashId::Sha1));
    assert_eq!(entry.new, id(1));
    assert_eq!(entry.committer.name, "Some One");
    assert_eq!(entry.committer.email, "one@example.com");
    assert_eq!(entry.time, time(5));
    assert_eq!(entry.message, "the message");
    assert_eq!(entries(&repository, "refs/heads/other")[0].message, "own");
}

#[test]
fn without_a_time_an_entry_has_the_current_one() {
    let (_dir, repository) = repository(LogRefUpdates::Usual);
    let before = Time::now();
    let mut transaction = repository.transaction();
    transaction
        .create("refs/heads/main", id(1))
        .commit()
        .unwrap();
    let after = Time::now();
    let entry = &entries(&repository, "refs/heads/main")[0];
    assert!((before.seconds..=after.seconds).contains(&entry.time.seconds));
    assert_eq!(entry.time.zone, before.zone);
    assert_eq!(entry.message, "");
}

/// As by git, at half a block.
#[test]
fn long_messages_are_cut() {
    let Some(shared) = Shared::new(HASHES[0]) else {
        return;
    };
    let pair = shared.pair(Settings::default());
    let name = "refs/heads/a";
    for (step, length) in [(1, 2047), (2, 2048), (3, 2049), (4, 10_000)] {
        let message = "m".repeat(length);
        let new = shared.id(step);
        pair.ours(false)
            .transaction()
            .message(&message)
            .time(time(0))
            .update(name, new, Expected::Any)
            .commit()
            .unwrap();
        let new = new.to_string();
        let output = pair.git(false, &["update-ref", "-m", &message, name, &new], "", 0);
        assert_eq!(output.status, 0);
        let [ours, theirs] = pair.states();
        assert_eq!(ours, theirs, "{length}");
    }
}

#[test]
fn the_setting_selects_what_is_logged() {
    let names = [
        "refs/heads/x",
        "refs/remotes/o/x",
        "refs/notes/x",
        "refs/tags/x",
        "refs/x/y",
    ];
    for (setting, logged) in [
        (LogRefUpdates::Usual, &names[..3]),
        (LogRefUpdates::Unset, &names[..3]),
        (LogRefUpdates::Always, &names),
        (LogRefUpdates::Existing, &[]),
    ] {
        let (_dir, repository) = repository(setting);
        let mut transaction = repository.transaction();
        for name in names {
            transaction.create(name, id(1));
        }
        transaction.commit().unwrap();
        for name in names {
            let is_logged = repository.has_reflog(name).unwrap();
            assert_eq!(is_logged, logged.contains(&name), "{setting:?} {name}");
        }
    }
}

#[test]
fn a_change_may_be_logged_whatever_the_setting() {
    let (_dir, repository) = repository(LogRefUpdates::Existing);
    let (one, other) = ("refs/tags/one", "refs/tags/other");
    let mut transaction = repository.transaction();
    transaction.log(Log::Always);
    transaction.create(one, id(1));
    transaction.add(Change::create(other, id(1)).log(Log::Never));
    transaction.commit().unwrap();
    assert!(repository.has_reflog(one).unwrap());
    assert!(!repository.has_reflog(other).unwrap());
    // What has a log is logged, unless the caller does not want it.
    for (log, count) in [(Log::ByRules, 2), (Log::Never, 2), (Log::Always, 3)] {
        let new = id(10 + count);
        let mut transaction = repository.transaction();
        transaction.log(log).update(one, new, Expected::Any);
        transaction.commit().unwrap();
        assert_eq!(
            entries(&repository, one).len(),
            usize::from(count),
            "{log:?}"
        );
    }
    // The log goes with the ref.
    let mut transaction = repository.transaction();
    transaction
        .delete(one, Expected::Existing)
        .commit()
        .unwrap();
    assert!(!repository.has_reflog(one).unwrap());
    assert!(repository.reflog_names().unwrap().is_empty());
}

#[test]
fn switching_branches_is_logged() {
    let (_dir, repository) = repository(LogRefUpdates::Usual);
    repository
        .transaction()
        .create("refs/heads/main", id(1))
        .create("refs/heads/topic", id(2))
        .set_symbolic("HEAD", "refs/heads/main", Expected::Missing)
        .commit()
        .unwrap();
    assert!(
        entries(&repository, "HEAD").is_empty(),
        "the branch was unborn"
    );
    repository
        .transaction()
        .message("checkout: moving from main to topic")
        .set_symbolic(
            "HEAD",
            "refs/heads/topic",
            Expected::Symbolic("refs/heads/main".into()),
        )
        .commit()
        .unwrap();
    let head = entries(&repository, "HEAD");
    assert_eq!((head[0].old, head[0].new), (id(1), id(2)));
    // Detached.
    repository
        .transaction()
        .add(Change::update("HEAD", id(3), id(2).into()).no_deref())
        .commit()
        .unwrap();
    let head = entries(&repository, "HEAD");
    assert_eq!((head[0].old, head[0].new), (id(2), id(3)));
    let topic = repository.resolve("refs/heads/topic").unwrap().unwrap();
    assert_eq!(topic.id, Some(id(2)));
}

/// As a tool from another century may have left it.
#[test]
fn a_head_with_a_bad_target_can_only_be_replaced() {
    use reftable::record::{RefRecord, RefValue};
    use reftable::stack::{OnOutdated, Stack, StackOptions};

    let (dir, repository) = repository(LogRefUpdates::Usual);
    let stack = Stack::open(&dir.path().join("reftable"), StackOptions::default()).unwrap();
    for target in ["refs/heads/.invalid", "main", "FETCH_HEAD", ""] {
        let now = stack.next_update_index();
        let written = stack.add(OnOutdated::Reload, |writer| {
            writer.set_limits(now, now)?;
            writer.add_ref(&RefRecord {
                name: b"HEAD",
                update_index: now,
                value: RefValue::Symref(target.as_bytes()),
            })
        });
        assert!(written.unwrap().published);
        let mut transaction = repository.transaction();
        let error = transaction
            .update("HEAD", id(1), Expected::Any)
            .commit()
            .unwrap_err();
        assert!(
            matches!(&error, Error::InvalidName { name, .. } if name == target),
            "{error}"
        );
        repository
            .transaction()
            .set_symbolic("HEAD", "refs/heads/main", Expected::Existing)
            .commit()
            .unwrap();
        stack.reload().unwrap();
    }
    let error = repository
        .transaction()
        .set_symbolic("HEAD", "ORIG_HEAD", Expected::Any)
        .commit()
        .unwrap_err();
    assert!(
        matches!(&error, Error::InvalidName { name, .. } if name == "ORIG_HEAD"),
        "{error}"
    );
}

#[test]
fn a_peeled_id_is_stored() {
    let (_dir, repository) = repository(LogRefUpdates::Usual);
    let tag = Change::create("refs/tags/v1", id(1)).peeled(id(2));
    repository.transaction().add(tag).commit().unwrap();
    let found = repository.find("refs/tags/v1").unwrap().unwrap();
    assert_eq!(found.peeled, Some(id(2)));
    let null = ObjectId::null(HashId::Sha1);
    let tag = Change::create("refs/tags/v2", id(1)).peeled(null);
    let error = repository.transaction().add(tag).commit().unwrap_err();
    assert!(matches!(error, Error::NullId { .. }));
}
