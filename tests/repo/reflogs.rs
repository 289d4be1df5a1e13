//! Expiring, creating and deleting reflogs, compared with git.

use reftable::repo::{Expire, LogRefUpdates, Settings};

use crate::common::{Random, EPOCH};
use crate::support::{time, Pair, Shared, HASHES};

fn always() -> Settings {
    let mut settings = Settings::default();
    settings.log_ref_updates = LogRefUpdates::Always;
    settings
}

/// Gives both repositories logs with many entries: of `HEAD`, a branch, a tag and a symbolic ref.
fn fill(pair: &Pair<'_>) {
    let repository = pair.ours(false);
    for step in 1..20_usize {
        let id = pair.shared.id(step % 8);
        let second = u64::try_from(step).unwrap();
        for name in ["refs/heads/sym", "refs/tags/light", "refs/heads/a"] {
            let message = format!("step {step}");
            let args = [
                "-c",
                "core.logAllRefUpdates=always",
                "update-ref",
                "-m",
                &message,
            ];
            let id = id.to_string();
            let args = [&args[..], &[name, &id]].concat();
            assert_eq!(pair.git(false, &args, "", second).status, 0);
            repository
                .transaction()
                .update(
                    name,
                    pair.shared.id(step % 8),
                    reftable::repo::Expected::Any,
                )
                .message(&message)
                .time(time(second))
                .commit()
                .unwrap();
        }
    }
    let [ours, theirs] = pair.states();
    assert_eq!(ours, theirs);
}

fn assert_same(pair: &Pair<'_>, what: &str) {
    let [ours, theirs] = ["ours", "git"].map(|side| pair.listing(side, false));
    assert_eq!(ours, theirs, "{what}");
}

#[test]
fn entries_expire_as_by_git() {
    for hash in HASHES {
        let Some(shared) = Shared::new(hash) else {
            return;
        };
        let mut random = Random::new(7);
        for _ in 0..3 {
            let pair = shared.pair(always());
            fill(&pair);
            let repository = pair.ours(false);
            for _ in 0..6 {
                let name = random.pick(&[
                    "HEAD",
                    "refs/heads/main",
                    "refs/heads/a",
                    "refs/tags/light",
                    "refs/heads/sym",
                ]);
                let before = EPOCH + random.next() % 24;
                let (rewrites, updates) = (random.one_in(2), random.one_in(2));
                let expire_time = format!("--expire={before}");
                let mut args = vec![
                    "reflog",
                    "expire",
                    &expire_time,
                    "--expire-unreachable=never",
                ];
                let mut expire = Expire::older_than(before);
                if rewrites {
                    args.push("--rewrite");
                    expire = expire.rewrite();
                }
                if updates {
                    args.push("--updateref");
                    expire = expire.update_ref();
                }
                args.push(name);
                let output = pair.git(false, &args, "", 100);
                assert_eq!(output.status, 0, "{output:?}");
                repository.expire_reflog(name, expire).unwrap();
                assert_same(&pair, &format!("{args:?}"));
            }
        }
    }
}

#[test]
fn selected_entries_are_removed_as_by_git() {
    let Some(shared) = Shared::new(HASHES[0]) else {
        return;
    };
    for rewrites in [false, true] {
        let pair = shared.pair(always());
        fill(&pair);
        let repository = pair.ours(false);
        for number in [0_usize, 3, 3, 7] {
            let name = "refs/heads/a";
            let mut args = vec!["reflog", "delete"];
            let mut at = 0;
            let mut expire = Expire::entries(|_| {
                at += 1;
                at == number + 1
            });
            if rewrites {
                args.push("--rewrite");
                expire = expire.rewrite();
            }
            let entry = format!("{name}@{{{number}}}");
            args.push(&entry);
            assert_eq!(pair.git(false, &args, "", 100).status, 0);
            let expired = repository.expire_reflog(name, expire).unwrap();
            assert_eq!(expired.pruned, 1);
            assert_same(&pair, &entry);
        }
    }
}

#[test]
fn emptied_logs_still_exist_and_deleted_ones_do_not() {
    let Some(shared) = Shared::new(HASHES[1]) else {
        return;
    };
    let pair = shared.pair(always());
    fill(&pair);
    let repository = pair.ours(false);
    let expired = repository.expire_reflog("HEAD", Expire::all()).unwrap();
    assert_eq!((expired.pruned, expired.kept), (20, 0));
    pair.git(
        false,
        &["reflog", "expire", "--expire=all", "HEAD"],
        "",
        100,
    );
    assert_same(&pair, "expire HEAD");
    assert!(repository.has_reflog("HEAD").unwrap());
    // A log that does not exist is not created.
    let none = repository
        .expire_reflog("refs/heads/none", Expire::all())
        .unwrap();
    assert_eq!((none.pruned, none.kept), (0, 0));
    assert!(!repository.has_reflog("refs/heads/none").unwrap());

    for name in ["refs/heads/a", "HEAD"] {
        repository.delete_reflog(name).unwrap();
        assert_eq!(
            pair.git(false, &["reflog", "drop", name], "", 100).status,
            0
        );
        assert_same(&pair, name);
        assert!(!repository.has_reflog(name).unwrap());
    }
    for name in ["refs/heads/a", "refs/heads/new", "refs/heads/main"] {
        repository.create_reflog(name).unwrap();
        let dir = pair.work_dir("git", false);
        let args = ["ref-store", "main", "create-reflog", name];
        pair.shared.git.test_tool(&dir, &args);
        assert_same(&pair, name);
        assert!(repository.has_reflog(name).unwrap());
    }
}

#[test]
fn an_expiry_without_effect_writes_nothing() {
    let Some(shared) = Shared::new(HASHES[0]) else {
        return;
    };
    let pair = shared.pair(always());
    fill(&pair);
    let repository = pair.ours(false);
    let before = repository.stat().unwrap();
    for name in ["HEAD", "refs/heads/none"] {
        repository
            .expire_reflog(name, Expire::older_than(EPOCH - 1))
            .unwrap();
        repository
            .expire_reflog(name, Expire::older_than(EPOCH - 1).rewrite().update_ref())
            .unwrap();
    }
    assert_eq!(repository.stat().unwrap(), before);
}

/// Upstream's git may write two entries with one key: a batch that rejects an update of the branch
/// that `HEAD` points at, and makes it through a symbolic ref.
#[test]
fn one_of_two_entries_with_the_same_key_is_removed() {
    let Some(shared) = Shared::new(HASHES[0]) else {
        return;
    };
    for (number, rewrites) in [(0_usize, false), (1, false), (0, true), (1, true)] {
        let pair = shared.pair(always());
        let dir = pair.work_dir("ours", false);
        let id = shared.id(1);
        let input = format!("create refs/heads/main {id}\nupdate refs/heads/sym {id}\n");
        let args = ["update-ref", "--stdin", "--batch-updates"];
        shared.git.run(&dir, &args, &input);
        let repository = pair.ours(false);
        let findings = repository.verify().unwrap();
        assert_eq!(findings.len(), 1, "{findings:?}");
        let mut at = 0;
        let mut expire = Expire::entries(|_| {
            at += 1;
            at == number + 1
        });
        if rewrites {
            expire = expire.rewrite();
        }
        let expired = repository.expire_reflog("HEAD", expire).unwrap();
        assert_eq!((expired.pruned, expired.kept), (1, 2));
        repository.compact(reftable::repo::Compact::All).unwrap();
        assert!(repository.verify().unwrap().is_empty());
        let mut entries = repository.reflog("HEAD").unwrap().newest_first().unwrap();
        assert_eq!(entries.next().unwrap().unwrap().new, id);
        assert_eq!(entries.next().unwrap().unwrap().new, shared.id(7));
        assert!(entries.next().unwrap().is_none());
    }
}
