//! Transactions that change refs of several worktrees.

use reftable::repo::{Error, Expected, Layout, Repository, Settings, Target};

use crate::support::{time, Shared, HASHES};

/// The refs of each side's worktrees are equal if git makes the changes in each worktree itself.
#[test]
fn refs_of_other_worktrees_are_changed_by_their_long_names() {
    for hash in HASHES {
        let Some(shared) = Shared::new(hash) else {
            return;
        };
        let pair = shared.pair(Settings::default());
        let id = shared.id(2);
        let git_id = id.to_string();
        pair.ours(false)
            .transaction()
            .create("worktrees/ours-wt/refs/bisect/bad", id)
            .create("refs/bisect/good", id)
            .time(time(0))
            .commit()
            .unwrap();
        pair.ours(true)
            .transaction()
            .create("main-worktree/refs/worktree/x", id)
            .update("worktrees/ours-wt/ORIG_HEAD", id, Expected::Existing)
            .time(time(0))
            .commit()
            .unwrap();
        for (is_linked, name) in [
            (true, "refs/bisect/bad"),
            (false, "refs/bisect/good"),
            (false, "refs/worktree/x"),
            (true, "ORIG_HEAD"),
        ] {
            let output = pair.git(is_linked, &["update-ref", name, &git_id], "", 0);
            assert_eq!(output.status, 0, "{output:?}");
        }
        for is_linked in [false, true] {
            let [ours, theirs] = ["ours", "git"].map(|side| pair.listing(side, is_linked));
            assert_eq!(ours, theirs);
        }
    }
}

#[test]
fn an_update_of_a_branch_in_its_worktree_logs_both() {
    let Some(shared) = Shared::new(HASHES[0]) else {
        return;
    };
    let pair = shared.pair(Settings::default());
    for (step, name) in ["HEAD", "refs/heads/linked", "refs/heads/a"]
        .into_iter()
        .enumerate()
    {
        let id = shared.id(step);
        let second = u64::try_from(step).unwrap();
        let repository = pair.ours(true);
        let mut transaction = repository.transaction();
        transaction
            .update(name, id, Expected::Any)
            .message("m")
            .time(time(second));
        let prepared = transaction.prepare().unwrap();
        let changes: Vec<_> = prepared.changes().collect();
        assert_eq!(changes.len(), 1);
        let branch = ["refs/heads/linked", "refs/heads/linked", "refs/heads/a"][step];
        assert_eq!(changes[0].name, branch);
        assert_eq!(changes[0].new, Some(Target::Id(id)));
        prepared.commit().unwrap();
        let id = id.to_string();
        pair.git(true, &["update-ref", "-m", "m", name, &id], "", second);
        let [ours, theirs] = pair.states();
        assert_eq!(ours, theirs, "{name}");
    }
}

#[test]
fn the_same_ref_by_two_names_is_a_duplicate() {
    let Some(shared) = Shared::new(HASHES[0]) else {
        return;
    };
    let pair = shared.pair(Settings::default());
    let error = pair
        .ours(true)
        .transaction()
        .update("worktrees/ours-wt/ORIG_HEAD", shared.id(1), Expected::Any)
        .update("ORIG_HEAD", shared.id(2), Expected::Any)
        .commit()
        .unwrap_err();
    assert!(
        matches!(&error, Error::Duplicate { name } if name == "ORIG_HEAD"),
        "{error}"
    );
}

/// A lock of any stack that is concerned stops the whole transaction.
#[test]
fn a_locked_worktree_stops_the_transaction() {
    let Some(shared) = Shared::new(HASHES[0]) else {
        return;
    };
    let pair = shared.pair(Settings::default());
    let repository = pair.ours(false);
    let mut transaction = repository.transaction();
    transaction
        .create("refs/heads/new", shared.id(1))
        .create("worktrees/ours-wt/refs/bisect/bad", shared.id(1));
    let lock = pair
        .git_dir("ours")
        .join("worktrees/ours-wt/reftable/tables.list.lock");
    std::fs::write(&lock, "").unwrap();
    let before = repository.stat().unwrap();
    let error = transaction.commit().unwrap_err();
    assert!(
        matches!(&error, Error::Locked { path } if *path == lock),
        "{error}"
    );
    std::fs::remove_file(&lock).unwrap();
    assert_eq!(repository.stat().unwrap(), before);
    transaction.commit().unwrap();
}

#[test]
fn a_worktree_that_does_not_exist_is_not_created() {
    let Some(shared) = Shared::new(HASHES[0]) else {
        return;
    };
    let pair = shared.pair(Settings::default());
    let common = pair.git_dir("ours");
    let layout = Layout::new(common.join("worktrees/gone"), &common, shared.hash_id());
    let repository = Repository::open_at(layout, pair.settings.clone());
    let error = repository
        .transaction()
        .create("refs/bisect/bad", shared.id(1))
        .commit()
        .unwrap_err();
    assert!(
        matches!(&error, Error::NoWorktree { name } if name == "gone"),
        "{error}"
    );
    assert!(!common.join("worktrees/gone").exists());
}
