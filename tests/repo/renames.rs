//! Renaming and copying refs, compared with git's ref store.

use reftable::repo::{Error, LogRefUpdates, Settings, Value};

use crate::support::{time, Pair, Shared, HASHES};

fn rename_both(pair: &Pair<'_>, old: &str, new: &str, is_copy: bool) -> Result<(), Error> {
    let repository = pair.ours(false);
    let copied = format!("Branch: copied {old} to {new}");
    let ours = match is_copy {
        true => repository.copy(old, new).message(copied),
        false => repository.rename(old, new).message(" moved\n"),
    };
    let ours = ours.time(time(0)).commit();
    if ours.is_ok() && is_copy {
        let short = |name: &str| name.strip_prefix("refs/heads/").unwrap().to_owned();
        let args = ["branch", "-c", &short(old), &short(new)];
        assert_eq!(pair.git(false, &args, "", 0).status, 0);
    } else if ours.is_ok() {
        let dir = pair.work_dir("git", false);
        let args = ["ref-store", "main", "rename-ref", old, new, " moved\n"];
        pair.shared.git.test_tool(&dir, &args);
    }
    let [ours_after, git_after] = pair.states();
    assert_eq!(ours_after, git_after, "{old} {new}");
    ours.map(|_| ())
}

#[test]
fn refs_are_renamed_and_copied_as_by_git() {
    for hash in HASHES {
        let Some(shared) = Shared::new(hash) else {
            return;
        };
        let mut settings = Settings::default();
        settings.log_ref_updates = LogRefUpdates::Always;
        let pair = shared.pair(settings);
        for (old, new, is_copy) in [
            ("refs/heads/a", "refs/heads/b", false),
            ("refs/heads/b", "refs/heads/b2/c", true),
            // A directory of the old name, and the other way round.
            ("refs/heads/dir/x", "refs/heads/dir", false),
            ("refs/heads/dir", "refs/heads/dir/y", false),
            // HEAD points at it.
            ("refs/heads/main", "refs/heads/other", false),
            // It has a peeled id.
            ("refs/tags/t1", "refs/tags/t3", false),
        ] {
            rename_both(&pair, old, new, is_copy).unwrap();
        }
        for is_linked in [false, true] {
            let [ours, theirs] = ["ours", "git"].map(|side| pair.listing(side, is_linked));
            assert_eq!(ours, theirs);
        }
    }
}

#[test]
fn refused_renames_change_nothing() {
    let Some(shared) = Shared::new(HASHES[0]) else {
        return;
    };
    let pair = shared.pair(Settings::default());
    let rename = |old, new| rename_both(&pair, old, new, false).unwrap_err();
    let missing = rename("refs/heads/none", "refs/heads/b");
    assert!(
        matches!(&missing, Error::Unexpected { name, found: Value::Missing, .. }
            if name == "refs/heads/none"),
        "{missing}"
    );
    let symbolic = rename("refs/heads/sym", "refs/heads/b");
    assert!(
        matches!(&symbolic, Error::Unexpected { found: Value::Symbolic(target), .. }
            if target == "refs/heads/main"),
        "{symbolic}"
    );
    let existing = rename("refs/heads/a", "refs/heads/main");
    assert!(
        matches!(&existing, Error::Unexpected { name, expected: Value::Missing, .. }
            if name == "refs/heads/main"),
        "{existing}"
    );
    let conflict = rename("refs/heads/a", "refs/heads/main/sub");
    assert!(
        matches!(&conflict, Error::NameConflict { existing, .. } if existing == "refs/heads/main"),
        "{conflict}"
    );
    let bad = rename("refs/heads/a", "refs/heads/b..c");
    assert!(matches!(bad, Error::InvalidName { .. }), "{bad}");
    let elsewhere = rename("refs/heads/a", "worktrees/ours-wt/refs/bisect/a");
    assert!(
        matches!(elsewhere, Error::InvalidName { .. }),
        "{elsewhere}"
    );
}
