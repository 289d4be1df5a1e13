//! The commands that write another store, or compare stores.

use std::fs;
use std::path::Path;

use crate::faults::{extent, Extent};
use crate::sandbox::{copy_all, damage, Sandbox};

/// Makes `name` a repository whose main stack is `dir`, and lists its refs and a log with git.
fn adopt(sandbox: &Sandbox, name: &str, dir: &Path) -> (String, String) {
    let target = sandbox.path(name);
    let _ = fs::remove_dir_all(&target);
    fs::create_dir(&target).unwrap();
    for entry in ["config", "HEAD", "objects", "refs"] {
        let from = sandbox.path("r/.git").join(entry);
        copy_all(&from, &target.join(entry));
    }
    copy_all(dir, &target.join("reftable"));
    sandbox.git(name, &["refs", "verify"]);
    let list = sandbox.git(name, &["for-each-ref", "--include-root-refs"]);
    (list, sandbox.git(name, &["reflog", "refs/heads/main"]))
}

#[test]
fn copy_has_all_refs_and_logs() {
    for hash in ["sha1", "sha256"] {
        let Some(sandbox) = Sandbox::of_hash(hash) else {
            return;
        };
        let expected = adopt(&sandbox, "x", &sandbox.stack());
        let text = sandbox.output("r", &["copy", "--to", "../copy"]);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert_eq!(
            adopt(&sandbox, "y", &sandbox.path("copy/reftable")),
            expected
        );
        let worktree = sandbox.output(".", &["ls", "-C", "copy/worktrees/w/reftable"]);
        assert_eq!(
            worktree,
            sandbox.output(".", &["ls", "-C", "r/.git/worktrees/w/reftable"])
        );
        sandbox.fails(
            "r",
            &["copy", "--to", "../copy"],
            2,
            &["../copy' is not empty"],
        );
        // Of a stack or of one table.
        sandbox.output(".", &["copy", "-C", "r/.git/reftable", "--to", "c2"]);
        assert_eq!(adopt(&sandbox, "y", &sandbox.path("c2/reftable")), expected);
    }
}

#[test]
fn an_empty_stack_can_be_copied() {
    let Some(sandbox) = Sandbox::new() else {
        return;
    };
    fs::create_dir(sandbox.path("reftable")).unwrap();
    sandbox.output(".", &["copy", "-C", "reftable", "--to", "copy"]);
    assert_eq!(sandbox.output(".", &["ls", "-C", "copy/reftable"]), "");
}

#[test]
fn repair_of_a_sound_store_is_a_copy() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let expected = adopt(&sandbox, "x", &sandbox.stack());
    sandbox.output("r", &["repair", "--to", "../new"]);
    assert_eq!(
        adopt(&sandbox, "y", &sandbox.path("new/reftable")),
        expected
    );
}

/// A repository with one table of many blocks.
fn large() -> Option<Sandbox> {
    let sandbox = Sandbox::with_repository()?;
    let many: String = (0..1000)
        .map(|n| format!("create refs/heads/many/{n:05} HEAD\n"))
        .collect();
    sandbox.git_with_input("r", &["update-ref", "--stdin"], &many);
    sandbox.git("r", &["pack-refs"]);
    Some(sandbox)
}

#[test]
fn repair_keeps_all_records_outside_of_the_damaged_block() {
    let Some(sandbox) = large() else {
        return;
    };
    let table = &sandbox.tables()[0];
    let sound = fs::read(table).unwrap();
    let listed = sandbox.output(".", &["ls", "-C", "r/.git/reftable"]);
    let refs: Vec<&str> = listed.lines().collect();
    let logs = |path: &str| -> u64 {
        let stat = sandbox.output(".", &["stat", "--json", path]);
        let stat: serde_json::Value = serde_json::from_str(stat.lines().next().unwrap()).unwrap();
        stat["log_entries"].as_u64().unwrap()
    };
    let all_logs = logs("r/.git/reftable");
    let places = match extent() {
        Extent::Few => 8,
        _ => 24,
    };
    for at in (0..sound.len()).step_by(sound.len() / places) {
        damage(table, |bytes| bytes[at] ^= 0x55);
        let dir = format!("new{at}");
        let outcome = sandbox.reftable(".", &["repair", "-C", "r/.git/reftable", "--to", &dir]);
        let is_sound = sandbox.reftable(".", &["verify", "r/.git/reftable"]).status == 0;
        assert_eq!(outcome.status == 0, is_sound, "{at}: {outcome:?}");
        let new = format!("{dir}/reftable");
        assert_eq!(sandbox.output(".", &["verify", &new]), "", "{at}");
        let left = sandbox.output(".", &["ls", "-C", &new]);
        let missing = refs.iter().filter(|line| !left.contains(*line)).count();
        // A block of 4096 bytes has at most 150 such refs.
        assert!(missing <= 150, "{at}: {missing} of {} refs", refs.len());
        let lost_logs = all_logs - logs(&new).min(all_logs);
        assert!(lost_logs <= 60, "{at}: {lost_logs} of {all_logs} entries");
        if missing > 0 {
            assert!(outcome.stdout.contains("lost: "), "{at}: {outcome:?}");
        }
        fs::write(table, &sound).unwrap();
    }
}

#[test]
fn repair_tells_what_is_lost() {
    let Some(sandbox) = large() else {
        return;
    };
    let table = &sandbox.tables()[0];
    damage(table, |bytes| bytes[5000..5100].fill(0xff));
    let outcome = sandbox.reftable("r", &["repair", "--to", "../new"]);
    assert_eq!((outcome.status, &*outcome.stderr), (1, ""));
    let id = sandbox.output(".", &["ls", "-C", "new/reftable", "refs/heads/main"]);
    let id = &id[..40];
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(
        lines[0].contains("; refs between 'refs/heads/many/"),
        "{}",
        lines[0]
    );
    let told = lines
        .iter()
        .filter(|line| line.ends_with(&format!(": missing, but its reflog ends with {id}")));
    let all = sandbox.output(".", &["ls", "-C", "new/reftable", "refs/heads/many"]);
    assert_eq!(all.lines().count() + told.count(), 1000);
    let json = sandbox.reftable("r", &["repair", "--json", "--to", "../new2"]);
    let first: serde_json::Value =
        serde_json::from_str(json.stdout.lines().next().unwrap()).unwrap();
    assert!(first["after"].as_str().unwrap() < first["before"].as_str().unwrap());
    assert_eq!(first["table"], table.file_name().unwrap().to_str().unwrap());
}

#[test]
fn repair_finds_tables_without_a_list() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    sandbox.git_uncompacted("r", &["branch", "b2"]);
    sandbox.git_uncompacted("r", &["branch", "b3"]);
    let expected = adopt(&sandbox, "x", &sandbox.stack());
    let list = sandbox.stack().join("tables.list");
    let text = fs::read_to_string(&list).unwrap();
    let replaced = |change: &dyn Fn(&str) -> String| {
        fs::write(&list, change(&text)).unwrap();
    };
    for case in 0..4 {
        match case {
            0 => fs::remove_file(&list).unwrap(),
            // A name with a wrong letter, a part of the list, and other bytes in it.
            1 => replaced(&|text| text.replacen("0x0", "0y0", 1)),
            2 => replaced(&|text| text.trim_end().to_owned()),
            _ => replaced(&|text| format!("{text}x/y\n")),
        }
        let dir = format!("new{case}");
        let outcome = sandbox.reftable(".", &["repair", "-C", "r/.git/reftable", "--to", &dir]);
        assert_eq!(outcome.status, 1, "{case}: {outcome:?}");
        let new = sandbox.path(&dir).join("reftable");
        assert_eq!(adopt(&sandbox, "y", &new), expected, "{case}: {outcome:?}");
    }
}

#[test]
fn diff_shows_what_differs() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    sandbox.output("r", &["copy", "--to", "../copy"]);
    assert_eq!(sandbox.output(".", &["diff", "r", "copy/reftable"]), "");
    let id = sandbox.git("r", &["rev-parse", "HEAD^"]);
    let id = id.trim_end();
    sandbox.git("r", &["update-ref", "refs/heads/new", id]);
    sandbox.git("r", &["tag", "-d", "light"]);
    sandbox.git("r", &["symbolic-ref", "refs/heads/sym", "refs/heads/main"]);
    let outcome = sandbox.reftable(".", &["diff", "copy/reftable", "r"]);
    let head = sandbox.git("r", &["rev-parse", "HEAD"]);
    let head = head.trim_end();
    let expected = format!(
        "+{id}\trefs/heads/new\n\
         -ref: refs/heads/topic\trefs/heads/sym\n+ref: refs/heads/main\trefs/heads/sym\n\
         -{head}\trefs/tags/light\n"
    );
    assert_eq!((outcome.status, &*outcome.stdout), (1, &*expected));
    let json = sandbox
        .reftable(".", &["diff", "--json", "copy/reftable", "r"])
        .stdout;
    let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(
        first,
        serde_json::json!({"name": "refs/heads/new", "new": id})
    );
}

#[test]
fn the_past_is_what_the_tables_tell() {
    let Some(sandbox) = Sandbox::new() else {
        return;
    };
    sandbox.git(
        ".",
        &["init", "-q", "--ref-format=reftable", "-b", "main", "r"],
    );
    let git = |args: &[&str]| sandbox.git_uncompacted("r", args);
    let mut past = Vec::new();
    let record = |past: &mut Vec<(String, String, String)>| {
        let shown = sandbox.output("r", &["stat", "--json"]);
        let stat: serde_json::Value = serde_json::from_str(shown.lines().next().unwrap()).unwrap();
        let tables = stat["tables"].as_array().unwrap();
        let index = tables.last().unwrap()["max_update_index"].to_string();
        let list = sandbox.output(".", &["ls", "-C", "r/.git/reftable"]);
        let log = sandbox.output(".", &["log", "--raw", "-C", "r/.git/reftable", "main"]);
        past.push((index, list, log));
    };
    for n in 0..4 {
        git(&["commit", "-q", "--allow-empty", "-m", &n.to_string()]);
        git(&["branch", &format!("b{n}")]);
        record(&mut past);
        if n == 2 {
            git(&["branch", "-D", "b1"]);
            record(&mut past);
        }
    }
    // Each transaction has its table: everything is known.
    for (index, list, log) in &past {
        let at = ["--at", index];
        let all = [&["ls", "--include-root-refs"], &at[..]].concat();
        assert_eq!(&sandbox.output("r", &all), list);
        // Of a repository, root refs are not listed otherwise.
        let refs: String = list.split_inclusive('\n').skip(1).collect();
        assert_eq!(sandbox.output("r", &[&["ls"], &at[..]].concat()), refs);
        assert_eq!(
            &sandbox.output("r", &[&["log", "--raw", "main"], &at[..]].concat()),
            log
        );
    }
    let diff = sandbox.reftable("r", &["diff", &past[0].0, &past[1].0]);
    assert!(diff.stdout.contains("\trefs/heads/b1\n") && diff.stderr.is_empty());
    // After a compaction the reflogs tell it, but not what was deleted.
    sandbox.output("r", &["compact"]);
    for (index, list, log) in &past {
        let outcome = sandbox.reftable("r", &["ls", "--include-root-refs", "--at", index]);
        let known: Vec<&str> = list.lines().filter(|line| !line.ends_with("/b1")).collect();
        let is_last = index == &past[past.len() - 1].0;
        assert_eq!(outcome.stdout.lines().collect::<Vec<_>>(), known, "{index}");
        assert_eq!(outcome.stderr.is_empty(), is_last, "{outcome:?}");
        let logged = sandbox.reftable("r", &["log", "--raw", "main", "--at", index]);
        assert_eq!(&logged.stdout, log);
        // No table has the record.
        let shown = sandbox.reftable("r", &["show", "main", "--at", index]);
        assert_eq!(shown.stdout.contains(", table 0x"), is_last, "{shown:?}");
        assert!(!shown.stdout.contains("table past"), "{shown:?}");
    }
    assert!(sandbox
        .output("r", &["head"])
        .starts_with("refs/heads/main "));
    let head = sandbox.reftable("r", &["head", "--at", &past[0].0]);
    let first = past[0].2[41..81].to_owned();
    assert_eq!(head.stdout, format!("refs/heads/main {first}\n"));
    sandbox.git("r", &["worktree", "add", "-q", "../w"]);
    let head = sandbox.reftable("w", &["head", "--at", "999"]);
    assert!(head.stdout.starts_with("refs/heads/main "), "{head:?}");
    assert!(
        head.stderr.contains("those of the main worktree"),
        "{head:?}"
    );
}

#[test]
fn a_repair_of_one_table_names_it() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    fs::write(sandbox.path("x.ref"), "garbage").unwrap();
    let outcome = sandbox.reftable(".", &["repair", "-C", "x.ref"]);
    assert_eq!(outcome.status, 1);
    let last = outcome.stdout.lines().last();
    assert_eq!(last, Some("x.ref: 0 refs, 0 log entries"), "{outcome:?}");
}
