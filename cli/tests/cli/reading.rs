//! The commands that list and show refs and reflogs.

use serde_json::Value;

use crate::sandbox::Sandbox;

/// The objects of JSON lines.
fn parse(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn ls_lists_what_git_lists() {
    for hash in ["sha1", "sha256"] {
        let Some(sandbox) = Sandbox::of_hash(hash) else {
            return;
        };
        for dir in ["r", "w"] {
            for args in [
                &[][..],
                &["refs/heads"],
                &["refs/tags/v*", "refs/heads/**/x"],
            ] {
                for format in [
                    "%(refname)",
                    "%(objectname) %(refname:lstrip=2)%00%%",
                    "%(symref)|%(*objectname)|%(refname:lstrip=-1)",
                ] {
                    let option = format!("--format={format}");
                    let args = [&[&*option], args].concat();
                    let expected = sandbox.git(dir, &[&["for-each-ref"], &args[..]].concat());
                    // git leaves out symbolic refs that lead nowhere.
                    let ours = sandbox.output(dir, &[&["ls"], &args[..]].concat());
                    let is_known = |line: &&str| {
                        !line.contains("dangling") && *line != "refs/heads/none||dangling"
                    };
                    let ours: Vec<&str> = ours.lines().filter(is_known).collect();
                    let expected: Vec<&str> = expected.lines().collect();
                    assert_eq!(ours, expected, "{dir} {args:?}");
                }
            }
        }
    }
}

#[test]
fn ls_peels_as_show_ref() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let expected = sandbox
        .git("r", &["show-ref", "-d", "--tags"])
        .replace(' ', "\t");
    assert_eq!(sandbox.output("r", &["ls", "-d", "refs/tags"]), expected);
    let listed = sandbox.output("r", &["ls", "refs/heads/sym"]);
    assert_eq!(listed, "ref: refs/heads/topic\trefs/heads/sym\n");
    let nothing = sandbox.reftable("r", &["ls", "refs/none"]);
    assert_eq!((nothing.status, &*nothing.stdout), (1, ""));
}

#[test]
fn ls_shows_the_refs_of_all_worktrees() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let names = |dir: &str, args: &[&str]| -> Vec<String> {
        let args = [&["ls", "--format=%(refname)"], args].concat();
        let listed = sandbox.output(dir, &args);
        listed.lines().map(str::to_owned).collect()
    };
    let root = names("r", &["--include-root-refs"]);
    assert_eq!(root[..2], ["HEAD", "ORIG_HEAD"]);
    let all = names("r", &["--all-worktrees"]);
    assert_eq!(
        all[all.len() - 3..],
        [
            "worktrees/w/HEAD",
            "worktrees/w/ORIG_HEAD",
            "worktrees/w/refs/bisect/bad"
        ]
    );
    let all = names("w", &["--all-worktrees"]);
    assert!(all.contains(&"refs/bisect/bad".to_owned()));
    assert_eq!(
        all[all.len() - 2..],
        ["main-worktree/HEAD", "main-worktree/ORIG_HEAD"]
    );
    let named = all.iter().chain(&root);
    for name in named.filter(|name| !name.ends_with("dangling")) {
        sandbox.git("w", &["rev-parse", "--symbolic-full-name", name]);
    }
}

#[test]
fn ls_writes_json() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let all = parse(&sandbox.output("r", &["ls", "--json", "--include-root-refs"]));
    let by_name = |name: &str| all.iter().find(|value| value["name"] == name).unwrap();
    let id = |name: &str| sandbox.git("r", &["rev-parse", name]).trim_end().to_owned();
    assert_eq!(by_name("HEAD")["target"], "refs/heads/main");
    assert_eq!(by_name("refs/heads/main")["id"], id("main"));
    assert_eq!(by_name("refs/tags/v2")["id"], id("v2"));
    assert_eq!(by_name("refs/tags/v2")["peeled"], id("v2^{}"));
    assert_eq!(by_name("refs/heads/sym")["target"], "refs/heads/topic");
    // The same as in the records of `show`, also of refs of another stack and in `find`.
    for dir in ["r", "w"] {
        let listed = parse(&sandbox.output(dir, &["ls", "--json", "--include-root-refs"]));
        let found = parse(&sandbox.output(dir, &["find", "--json", &id("topic")]));
        for value in listed.iter().chain(&found) {
            let name = value["name"].as_str().unwrap();
            let shown = &parse(&sandbox.output(dir, &["show", "--json", name]))[0];
            let newest = &shown["records"][0]["update_index"];
            assert_eq!(&value["update_index"], newest, "{dir} {name}");
        }
    }
}

#[test]
fn show_follows_symbolic_refs_and_names_tables() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let id = |name: &str| sandbox.git("r", &["rev-parse", name]).trim_end().to_owned();
    let text = sandbox.output("r", &["show", "sym"]);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("refs/heads/sym -> refs/heads/topic"));
    assert_eq!(
        lines.next(),
        Some(&*format!("refs/heads/topic {}", id("topic")))
    );
    assert!(lines.next().unwrap().contains("update index "));
    let shown = parse(&sandbox.output("r", &["show", "--json", "v1"]));
    let shown = &shown[0];
    assert_eq!(shown["name"], "refs/tags/v1");
    assert_eq!(shown["id"], id("v1"));
    assert_eq!(shown["peeled"], id("v1^{}"));
    let table = shown["records"][0]["table"].as_str().unwrap();
    assert!(sandbox.stack().join(table).exists());
    let text = sandbox.output("r", &["show", "dangling"]);
    assert!(text.contains("refs/heads/none does not exist\n"));
    // HEAD of a linked worktree is in another stack.
    let shown = sandbox.output("w", &["show", "HEAD"]);
    assert!(shown.starts_with("HEAD -> refs/heads/topic\n"), "{shown}");
    sandbox.fails("r", &["show", "none"], 1, &["there is no ref 'none'"]);
    sandbox.fails("r", &["show", "gone"], 1, &["there is no ref 'gone'"]);
}

#[test]
fn log_shows_the_entries_of_git() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    for (dir, name) in [
        ("r", "HEAD"),
        ("r", "main"),
        ("w", "HEAD"),
        ("r", "deep/er/x"),
    ] {
        let ours = sandbox.output(dir, &["log", name]);
        let format = "%H %gd: %gs";
        let args = ["reflog", &format!("--format={format}"), name];
        let expected = sandbox.git(dir, &args);
        let full = match name {
            "HEAD" => expected,
            _ => expected.replace(&format!(" {name}@"), &format!(" refs/heads/{name}@")),
        };
        assert_eq!(ours, full, "{dir} {name}");
        let newest = sandbox.output(dir, &["log", "-n", "1", name]);
        assert_eq!(newest.lines().next(), ours.lines().next());
        assert_eq!(newest.lines().count(), 1);
        // The numbers are the same.
        let mut lines: Vec<&str> = ours.lines().collect();
        lines.reverse();
        let all = sandbox.output(dir, &["log", "--reverse", name]);
        assert_eq!(all.lines().collect::<Vec<_>>(), lines);
        let oldest = sandbox.output(dir, &["log", "--reverse", "-n", "1", name]);
        assert_eq!(oldest.lines().collect::<Vec<_>>(), lines[..1]);
    }
    let stack = ["log", "--reverse", "main", "-C", ".git/reftable"];
    assert_eq!(
        sandbox.output("r", &stack),
        sandbox.output("r", &["log", "--reverse", "main"])
    );
    let raw = sandbox.output("r", &["log", "--raw", "--reverse"]);
    let ids = sandbox.git("r", &["rev-list", "--reverse", "HEAD"]);
    let ids: Vec<&str> = ids.lines().collect();
    let second = format!(
        "{} {} C O Mitter <committer@example.com> 1700000000 +0200\tcommit: two",
        ids[0], ids[1]
    );
    assert_eq!(raw.lines().nth(1), Some(&*second));
    let stack = sandbox.output("r", &["log", "--raw", "--reverse", "-C", ".git/reftable"]);
    assert_eq!(stack, raw);
    let entry = &parse(&sandbox.output("r", &["log", "--json", "-n1", "--reverse"]))[0];
    assert_eq!(entry["old"], "0".repeat(40));
    assert_eq!(
        (&entry["new"], &entry["name"]),
        (&Value::from(ids[0]), &"C O Mitter".into())
    );
    assert_eq!(
        (&entry["time"], &entry["zone"]),
        (&1_700_000_000.into(), &"+0200".into())
    );
    assert_eq!(entry["message"], "commit (initial): one");
    sandbox.fails("r", &["log", "light"], 1, &["there is no reflog of"]);
}

#[test]
fn find_lists_the_refs_of_an_object() {
    for hash in ["sha1", "sha256"] {
        let Some(sandbox) = Sandbox::of_hash(hash) else {
            return;
        };
        for dir in ["r", "w"] {
            let id = sandbox.git("r", &["rev-parse", "HEAD"]);
            let id = id.trim_end();
            let format = "--format=%(objectname)%09%(refname)%00%(symref)";
            let args = ["for-each-ref", format, "--points-at", id];
            let expected = sandbox.git(dir, &args);
            let expected: String = expected
                .lines()
                .filter_map(|line| line.strip_suffix('\0'))
                .map(|line| format!("{line}\n"))
                .collect();
            for digits in [id, &id[..7], &id[..4], &id.to_ascii_uppercase()] {
                assert_eq!(sandbox.output(dir, &["find", digits]), expected, "{digits}");
            }
        }
        let stack = sandbox.git("r", &["rev-parse", "v2^{}"]);
        let found = sandbox.output(".", &["find", "-C", "r/.git/reftable", stack.trim_end()]);
        assert!(found.ends_with("\trefs/tags/v2\n"), "{found}");
        let none = sandbox.reftable("r", &["find", &"0".repeat(40)]);
        assert_eq!((none.status, &*none.stdout), (1, ""));
        sandbox.fails("r", &["find", "xyz0"], 2, &["'xyz0' is not an object id"]);
        sandbox.fails("r", &["find", "abc"], 2, &["'abc' is not an object id"]);
    }
}

#[test]
fn head_is_a_branch_unborn_or_detached() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let id = sandbox.git("r", &["rev-parse", "HEAD"]);
    assert_eq!(
        sandbox.output("r", &["head"]),
        format!("refs/heads/main {id}")
    );
    let json = &parse(&sandbox.output("r", &["head", "--json"]))[0];
    assert_eq!(
        (&json["state"], &json["name"]),
        (&"branch".into(), &"refs/heads/main".into())
    );
    assert_eq!(json["id"], id.trim_end());
    let updates = sandbox.output("r", &["show", "--json", "HEAD"]);
    let chain = &parse(&updates)[0]["chain"];
    assert_eq!(json["update_index"], chain[0]["update_index"]);
    assert_eq!(json["branch_update_index"], chain[1]["update_index"]);
    assert!(json["update_index"].as_u64() < json["branch_update_index"].as_u64());
    sandbox.git("r", &["checkout", "-q", "--detach"]);
    assert_eq!(sandbox.output("r", &["head"]), format!("detached {id}"));
    sandbox.git("r", &["symbolic-ref", "HEAD", "refs/heads/new"]);
    let unborn = sandbox.reftable("r", &["head"]);
    assert_eq!(
        (unborn.status, &*unborn.stdout),
        (1, "refs/heads/new (no commit yet)\n")
    );
    let of_stack = sandbox.reftable(".", &["head", "-C", "r/.git/reftable"]);
    assert_eq!(of_stack, unborn);
}
