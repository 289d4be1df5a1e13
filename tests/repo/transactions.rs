//! Transactions: what each change does, and every error.

use reftable::repo::{
    Change, Error, Expected, Log, LogRefUpdates, Settings, Target, Value, Warning,
};
use reftable::{HashId, ObjectId};

use crate::common::directory::listed;
use crate::support::{id, identity, plain};

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.committer = Some(identity());
    settings
}

#[test]
fn a_ref_is_created_updated_and_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let repository = plain(dir.path(), settings());
    let name = "refs/heads/main";
    repository
        .transaction()
        .create(name, id(1))
        .commit()
        .unwrap();
    let mut transaction = repository.transaction();
    transaction.update(name, id(2), Expected::Id(id(1)));
    let prepared = transaction.prepare().unwrap();
    let changes: Vec<_> = prepared.changes().collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].name, name);
    assert_eq!(changes[0].old, Some(Target::Id(id(1))));
    assert_eq!(changes[0].new, Some(Target::Id(id(2))));
    assert!(prepared.commit().unwrap().warnings().is_empty());
    repository
        .transaction()
        .delete(name, Expected::Id(id(2)))
        .commit()
        .unwrap();
    repository
        .transaction()
        .verify(name, Expected::Missing)
        .commit()
        .unwrap();
}

#[test]
fn a_dropped_transaction_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let repository = plain(dir.path(), settings());
    let files = || {
        std::fs::read_dir(dir.path().join("reftable"))
            .unwrap()
            .count()
    };
    let prepared = repository
        .transaction()
        .create("refs/heads/main", id(1))
        .prepare()
        .unwrap();
    assert_eq!(files(), 1, "the lock");
    drop(prepared);
    assert_eq!(files(), 0);
}

#[test]
fn a_failed_transaction_can_be_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let repository = plain(dir.path(), settings());
    let other = plain(dir.path(), settings());
    let held = other
        .transaction()
        .create("refs/heads/other", id(1))
        .prepare()
        .unwrap();
    let mut transaction = repository.transaction();
    transaction.create("refs/heads/main", id(1));
    let error = transaction.commit().unwrap_err();
    let lock = dir.path().join("reftable/tables.list.lock");
    assert!(
        matches!(&error, Error::Locked { path } if *path == lock),
        "{error}"
    );
    drop(held);
    transaction.commit().unwrap();
    repository
        .transaction()
        .verify("refs/heads/main", id(1).into())
        .commit()
        .unwrap();
}

fn error_of(change: Change) -> Error {
    let dir = tempfile::tempdir().unwrap();
    let repository = plain(dir.path(), settings());
    repository
        .transaction()
        .create("refs/heads/main", id(1))
        .set_symbolic("HEAD", "refs/heads/main", Expected::Missing)
        .set_symbolic("refs/heads/loop", "refs/heads/loop2", Expected::Any)
        .set_symbolic("refs/heads/loop2", "refs/heads/loop", Expected::Any)
        .commit()
        .unwrap();
    repository.transaction().add(change).commit().unwrap_err()
}

#[test]
fn unexpected_values_are_reported() {
    let name = "refs/heads/main";
    let symref = || Value::Symbolic(name.into());
    for (change, wanted, is) in [
        (
            Change::create(name, id(2)),
            Value::Missing,
            Value::Id(id(1)),
        ),
        (
            Change::update(name, id(2), id(3).into()),
            Value::Id(id(3)),
            Value::Id(id(1)),
        ),
        (
            Change::delete("refs/heads/none", Expected::Existing),
            Value::Existing,
            Value::Missing,
        ),
        (
            Change::verify("HEAD", Expected::Missing).no_deref(),
            Value::Missing,
            symref(),
        ),
        (
            Change::symbolic(
                "HEAD",
                "refs/heads/x",
                Expected::Symbolic("refs/heads/y".into()),
            ),
            Value::Symbolic("refs/heads/y".into()),
            symref(),
        ),
        (
            Change::update("HEAD", id(2), id(3).into()).no_deref(),
            Value::Id(id(3)),
            Value::Id(id(1)),
        ),
    ] {
        let ref_name = change.name().to_owned();
        match error_of(change) {
            Error::Unexpected {
                name,
                expected,
                found,
            } => assert_eq!((name, expected, found), (ref_name, wanted, is)),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn other_errors_are_reported() {
    let null = ObjectId::null(HashId::Sha1);
    let sha256 = ObjectId::from_bytes(&[1; 32]).unwrap();
    let name = "refs/heads/new";
    assert!(
        matches!(error_of(Change::create(name, null)), Error::NullId { name } if name == "refs/heads/new")
    );
    assert!(
        matches!(error_of(Change::create(name, sha256)), Error::WrongHash { id } if id == sha256)
    );
    assert!(matches!(
        error_of(Change::verify(name, sha256.into())),
        Error::WrongHash { id } if id == sha256
    ));
    for name in [
        "main",
        "refs/heads/a..b",
        "FETCH_HEAD",
        "refs/",
        "heads/main",
        "worktrees/w",
        "worktrees/w/refs/heads/x",
    ] {
        let error = error_of(Change::create(name, id(1)));
        assert!(
            matches!(&error, Error::InvalidName { name: bad, .. } if bad == name),
            "{error}"
        );
    }
    let conflict = error_of(Change::create("refs/heads/main/sub", id(1)));
    assert!(
        matches!(&conflict, Error::NameConflict { name, existing }
            if name == "refs/heads/main/sub" && existing == "refs/heads/main"),
        "{conflict}"
    );
    let circle = error_of(Change::update("refs/heads/loop", id(1), Expected::Any));
    assert!(
        matches!(&circle, Error::TooManySymrefs { name } if name == "refs/heads/loop"),
        "{circle}"
    );
    let worktree = error_of(Change::create("worktrees/none/refs/bisect/bad", id(1)));
    assert!(
        matches!(&worktree, Error::NoWorktree { name } if name == "none"),
        "{worktree}"
    );
}

#[test]
fn a_committer_is_only_needed_for_log_entries() {
    let dir = tempfile::tempdir().unwrap();
    let repository = plain(dir.path(), Settings::default());
    let mut transaction = repository.transaction();
    transaction.create("refs/heads/main", id(1));
    assert!(matches!(transaction.commit(), Err(Error::NoCommitter)));
    transaction.log(Log::Never).commit().unwrap();
    repository
        .transaction()
        .create("refs/tags/v1", id(1))
        .commit()
        .unwrap();
}

/// Many names, in no order, some of which are directories of almost all others.
#[test]
fn large_transactions_are_made_as_a_whole() {
    const COUNT: usize = 5_000;
    let dir = tempfile::tempdir().unwrap();
    let repository = plain(dir.path(), settings());
    let name = |number: usize| {
        let number = number * 7919 % COUNT;
        format!("refs/heads/{}/{}/{number}", number % 10, number % 100)
    };
    let id_of = |number: usize| id(u8::try_from(1 + number % 250).unwrap());
    let mut transaction = repository.transaction();
    for number in 0..COUNT {
        transaction.create(name(number), id_of(number));
    }
    let conflict = "refs/heads/3/33";
    let mut refused = repository.transaction();
    for number in 0..COUNT {
        refused.create(name(number), id_of(number));
    }
    let error = refused.create(conflict, id(1)).commit().unwrap_err();
    assert!(matches!(&error, Error::NameConflict { .. }), "{error}");
    assert!(error.to_string().contains(conflict), "{error}");
    assert!(repository.refs("").unwrap().next().unwrap().is_none());

    transaction.commit().unwrap();
    let mut count = 0;
    let mut refs = repository.refs("refs/heads/").unwrap();
    while refs.next().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, COUNT);
    for number in [0, 1, COUNT - 1] {
        let found = repository.find(name(number)).unwrap().unwrap();
        assert_eq!(found.target, Target::Id(id_of(number)));
    }
    let error = repository
        .transaction()
        .create(conflict, id(1))
        .commit()
        .unwrap_err();
    assert!(
        matches!(&error, Error::NameConflict { name, existing }
        if name == conflict && existing.starts_with(b"refs/heads/3/33/")),
        "{error}"
    );
    let mut transaction = repository.transaction();
    for number in 0..COUNT {
        transaction.delete(name(number), Expected::Id(id_of(number)));
    }
    transaction.commit().unwrap();
    repository
        .transaction()
        .create(conflict, id(1))
        .commit()
        .unwrap();
}

/// The log of an older table is damaged, which only a compaction reads.
#[test]
fn a_failed_compaction_is_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.log_ref_updates = LogRefUpdates::Always;
    settings.stack.disable_auto_compact = true;
    let repository = plain(dir.path(), settings.clone());
    for (name, message) in [("refs/heads/a", "x"), ("refs/heads/b", "y")] {
        let mut transaction = repository.transaction();
        transaction
            .message(message.repeat(200))
            .create(name, id(1))
            .commit()
            .unwrap();
    }
    let stack = dir.path().join("reftable");
    let table = stack.join(listed(&stack).remove(1));
    let mut bytes = std::fs::read(&table).unwrap();
    // Within the deflated log block, before the footer.
    let at = bytes.len() - 68 - 20;
    bytes[at] ^= 0x55;
    std::fs::remove_file(&table).unwrap();
    std::fs::write(&table, bytes).unwrap();

    settings.stack.disable_auto_compact = false;
    settings.stack.fold_small_tables = false;
    let repository = plain(dir.path(), settings);
    let mut transaction = repository.transaction();
    let committed = transaction.create("refs/heads/c", id(1)).commit().unwrap();
    let [warning] = committed.warnings() else {
        panic!("{committed:?}");
    };
    assert!(matches!(warning, Warning::NotCompacted(_)), "{warning}");
    let text = warning.to_string();
    assert!(text.starts_with("tables not compacted: "), "{text}");
    let name = table.file_name().unwrap().to_str().unwrap();
    assert!(text.contains(name), "{text}");
    assert!(repository.find("refs/heads/c").unwrap().is_some());
}
