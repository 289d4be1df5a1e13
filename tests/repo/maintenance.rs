//! Verifying, compacting and measuring, compared with `git refs verify` and `git pack-refs`.

use std::fs;

use reftable::format::FindingKind;
use reftable::repo::{Compact, Expected, Finding, RefProblem, Settings};

use crate::common::{directory, run};
use crate::support::{Pair, Shared, HASHES};

fn fill(pair: &Pair<'_>, is_linked: bool) {
    let repository = pair.ours(is_linked);
    for step in 0..6 {
        repository
            .transaction()
            .update("HEAD", pair.shared.id(step), Expected::Any)
            .commit()
            .unwrap();
    }
}

#[test]
fn stacks_are_compacted() {
    let Some(shared) = Shared::new(HASHES[0]) else {
        return;
    };
    let mut settings = Settings::default();
    settings.stack.disable_auto_compact = true;
    let pair = shared.pair(settings);
    let sizes = |pair: &Pair<'_>| -> Vec<(Option<String>, usize)> {
        let stats = pair.ours(false).stat().unwrap();
        stats
            .iter()
            .map(|stat| {
                let name = stat.worktree.as_ref().map(ToString::to_string);
                let files = directory::listed(&stat.dir);
                let names: Vec<_> = stat.tables.iter().map(|table| table.name.clone()).collect();
                assert_eq!(names, files);
                for table in &stat.tables {
                    let file = fs::metadata(stat.dir.join(&table.name)).unwrap();
                    assert_eq!(table.size, file.len());
                    assert!(table.update_indexes.0 <= table.update_indexes.1);
                }
                (name, names.len())
            })
            .collect()
    };
    fill(&pair, false);
    fill(&pair, true);
    let before = sizes(&pair);
    assert_eq!(before[1].0.as_deref(), Some("ours-wt"));
    assert!(before.iter().all(|(_, tables)| *tables > 6), "{before:?}");
    // What a killed process leaves.
    let stack = pair.git_dir("ours").join("reftable");
    let table = directory::listed(&stack).remove(0);
    let leftover = stack.join("0x000000000001-0x000000000001-00000000.ref");
    fs::copy(stack.join(table), &leftover).unwrap();

    assert!(pair.ours(false).compact(Compact::All).unwrap());
    assert!(!leftover.exists());
    let after = sizes(&pair);
    assert_eq!(after[0].1, 1);
    assert_eq!(after[1], before[1], "the stack of another worktree");
    assert!(pair.ours(true).compact(Compact::Auto).unwrap());
    assert!(sizes(&pair)[1].1 < before[1].1);
    assert!(
        !pair.ours(false).compact(Compact::All).unwrap(),
        "one table"
    );
    assert!(pair.ours(false).verify().unwrap().is_empty());
}

fn git_verify(pair: &Pair<'_>) -> String {
    let dir = pair.work_dir("ours", false);
    let output = run(shared_git(pair, &dir), b"");
    output.stderr
}

fn shared_git(pair: &Pair<'_>, dir: &std::path::Path) -> std::process::Command {
    pair.shared.git.command(dir, &["refs", "verify"])
}

#[test]
fn bad_refs_are_found_as_by_git() {
    for hash in HASHES {
        let Some(shared) = Shared::new(hash) else {
            return;
        };
        let pair = shared.pair(Settings::default());
        let repository = pair.ours(true);
        assert!(repository.verify().unwrap().is_empty());
        assert_eq!(git_verify(&pair), "");
        let dir = pair.work_dir("ours", false);
        let tool = |name: &str, target: &str| {
            let args = ["ref-store", "main", "create-symref", name, target, "m"];
            shared.git.test_tool(&dir, &args);
        };
        let wt = pair.work_dir("ours", true);
        tool("HEAD", "refs/tags/t1");
        tool("refs/heads/bad-target", "refs/heads/a..b");
        tool("refs/heads/one-level", "main");
        tool("refs/heads/outside", "heads/main");
        tool("refs/heads/root", "ORIG_HEAD");
        let args = [
            "ref-store",
            "main",
            "create-symref",
            "refs/bisect/bad",
            "x..",
            "m",
        ];
        shared.git.test_tool(&wt, &args);
        let problems: Vec<_> = repository
            .verify()
            .unwrap()
            .into_iter()
            .map(|finding| match finding {
                Finding::Ref { name, problem } => (name.to_string(), problem),
                other => panic!("{other}"),
            })
            .collect();
        let expected = |name: &str, problem| (name.to_owned(), problem);
        let bad = |target: &str| RefProblem::BadTarget {
            target: target.into(),
        };
        assert_eq!(
            problems,
            [
                expected(
                    "main-worktree/HEAD",
                    RefProblem::HeadWithoutBranch {
                        target: "refs/tags/t1".into()
                    }
                ),
                expected("refs/heads/bad-target", bad("refs/heads/a..b")),
                expected("refs/heads/one-level", bad("main")),
                expected(
                    "refs/heads/outside",
                    RefProblem::TargetOutsideRefs {
                        target: "heads/main".into()
                    }
                ),
                expected("refs/bisect/bad", bad("x..")),
            ]
        );
        let by_git = git_verify(&pair);
        assert_eq!(by_git.lines().count(), problems.len(), "{by_git}");
    }
}

#[test]
fn damaged_tables_are_found() {
    let Some(shared) = Shared::new(HASHES[0]) else {
        return;
    };
    let pair = shared.pair(Settings::default());
    fill(&pair, false);
    let stack = pair.git_dir("ours").join("reftable");
    let table = stack.join(directory::listed(&stack).remove(0));
    let mut bytes = fs::read(&table).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    // The table may be mapped by this process.
    fs::remove_file(&table).unwrap();
    fs::write(&table, bytes).unwrap();
    let findings = pair.ours(false).verify().unwrap();
    let is_footer = |finding: &Finding| {
        matches!(
            finding,
            Finding::File {
                kind: FindingKind::Footer,
                ..
            }
        )
    };
    assert!(findings.iter().any(is_footer), "{findings:?}");
    assert!(findings
        .iter()
        .any(|finding| matches!(finding, Finding::Unreadable { .. })));
    for finding in &findings {
        assert!(finding.to_string().starts_with(stack.to_str().unwrap()));
    }
    assert!(pair.ours(false).stat().is_err());
    assert!(pair
        .ours(false)
        .transaction()
        .create("refs/heads/x", shared.id(1))
        .commit()
        .is_err());
}
