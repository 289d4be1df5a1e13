//! What the program may be given, and its messages if that is something else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use crate::sandbox::{damage, Sandbox};

#[test]
fn a_repository_is_found_by_any_of_its_directories() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    fs::create_dir(sandbox.path("r/sub")).unwrap();
    let expected = sandbox.output("r", &["ls"]);
    assert_eq!(expected.lines().count(), 9);
    for (dir, args) in [
        ("r/sub", &["ls"][..]),
        ("r/.git", &["ls"]),
        (".", &["ls", "-C", "r"]),
        (".", &["-C", "r/.git", "ls"]),
        (".", &["-C", "r/sub", "ls"]),
    ] {
        assert_eq!(sandbox.output(dir, args), expected, "{dir} {args:?}");
    }
    for path in ["w", "w/.git", "r/.git/worktrees/w"] {
        let listed = sandbox.output(".", &["-C", path, "ls", "refs/bisect"]);
        assert!(listed.ends_with("\trefs/bisect/bad\n"), "{path} {listed}");
    }
}

#[test]
fn a_stack_and_a_table_list_all_that_is_in_them() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let expected = sandbox.output("r", &["ls", "--include-root-refs"]);
    assert_eq!(
        sandbox.output(".", &["ls", "-C", "r/.git/reftable"]),
        expected
    );
    sandbox.git("r", &["pack-refs"]);
    let [table] = &sandbox.tables()[..] else {
        panic!("one table");
    };
    let table = table.to_str().unwrap();
    assert_eq!(sandbox.output(".", &["ls", "-C", table]), expected);
    // A copy of it is a table by its content.
    fs::copy(table, sandbox.path("copy")).unwrap();
    assert_eq!(sandbox.output(".", &["ls", "-C", "copy"]), expected);
}

/// The files below a directory, with their times and contents.
fn files(dir: &Path) -> Vec<(PathBuf, SystemTime, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let time = path.metadata().unwrap().modified().unwrap();
        if path.is_dir() {
            all.extend(files(&path));
            all.push((path, time, Vec::new()));
        } else {
            let bytes = fs::read(&path).unwrap();
            all.push((path, time, bytes));
        }
    }
    all.sort();
    all
}

#[test]
fn reading_commands_work_on_every_place_and_write_nothing() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    sandbox.git("r", &["pack-refs"]);
    sandbox.git_uncompacted("r", &["update-ref", "refs/heads/last", "HEAD"]);
    let id = sandbox.git("r", &["rev-parse", "HEAD"]);
    let id = id.trim_end();
    let tables = sandbox.tables();
    let table = tables[0].to_str().unwrap();
    let before = files(&sandbox.path(""));
    let places = [
        "r",
        "r/.git",
        "w",
        "w/.git",
        "r/.git/worktrees/w",
        "r/.git/reftable",
        table,
    ];
    for place in places {
        let c = ["-C", place];
        for args in [
            &["ls"][..],
            &["ls", "-d", "refs/tags/v*"],
            &["ls", "--format=%(refname)"],
            &["ls", "--json"],
            &["show", "v1"],
            &["show", "--json", "HEAD"],
            &["log"],
            &["log", "-n", "1", "--reverse", "main"],
            &["log", "--json", "main"],
            &["find", id],
            &["find", &id[..6], "--json"],
            &["head"],
            &["head", "--json"],
        ] {
            let now = sandbox.output(".", &[&c[..], args].concat());
            assert_ne!(now, "", "{place} {args:?}");
            // All tables end before it.
            let last = [&c[..], args, &["--at", "1000000"]].concat();
            let then = sandbox.reftable(".", &last);
            assert_eq!(then.status, 0, "{place} {args:?} {then:?}");
            if ["w", "w/.git", "r/.git/worktrees/w"].contains(&place) {
                let said = "reftable: HEAD and the other refs of one worktree are those of the \
                            main worktree\n";
                assert_eq!(then.stderr, said, "{place} {args:?}");
            } else {
                assert_eq!((then.stdout, &*then.stderr), (now, ""), "{place} {args:?}");
            }
            // As far as one merged table tells.
            let past = sandbox.reftable(".", &[&c[..], args, &["--at", "3"]].concat());
            assert!(past.status <= 1, "{place} {args:?} {past:?}");
            assert!(
                past.stderr.contains("was merged after update index 3"),
                "{past:?}"
            );
        }
        for args in [
            &["stat"][..],
            &["stat", "--json"],
            &["tree"],
            &["tree", "--json"],
            &["verify"],
            &["verify", "--fast"],
            &["verify", "--full"],
            &["diff", place, place],
        ] {
            sandbox.output(".", &[&c[..], args].concat());
        }
    }
    for option in ["--blocks", "--records", "--raw", "--json"] {
        assert_ne!(sandbox.output(".", &["dump", table, option]), "");
    }
    // The new branch is in the second table.
    let different = sandbox.reftable(".", &["diff", table, "r"]);
    assert_eq!(different.stdout, format!("+{id}\trefs/heads/last\n"));
    assert_eq!(different.status, 1);
    assert!(!sandbox
        .reftable("r", &["diff", "3", "../r"])
        .stdout
        .is_empty());
    assert_eq!(files(&sandbox.path("")), before);
}

#[test]
fn bad_input_is_one_clear_line() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    fs::create_dir(sandbox.path("empty")).unwrap();
    fs::write(sandbox.path("text"), "text").unwrap();
    sandbox.fails(
        "empty",
        &["ls"],
        2,
        &["empty' is not in a git repository", "name a"],
    );
    sandbox.fails(
        ".",
        &["ls", "-C", "none"],
        2,
        &["cannot open 'none': No such file"],
    );
    sandbox.fails(
        ".",
        &["ls", "-C", "text"],
        2,
        &["'text' is neither a table nor"],
    );
    sandbox.git(".", &["init", "-q", "--ref-format=files", "f"]);
    sandbox.fails(
        "f",
        &["ls"],
        2,
        &["f/.git' are not in reftables", "reftable migrate"],
    );
    sandbox.fails("r", &["ls", "--format=%(x)"], 2, &["the format has '%(x)'"]);
    let wrong = sandbox.reftable("r", &["unknown"]);
    assert_eq!((wrong.status, &*wrong.stdout), (2, ""));

    let tables = sandbox.tables();
    damage(&tables[0], |bytes| bytes[100] ^= 0xff);
    let name = tables[0].file_name().unwrap().to_str().unwrap();
    sandbox.fails(
        "r",
        &["ls"],
        2,
        &["corrupt reftable", name, "reftable verify"],
    );
    fs::remove_file(&tables[0]).unwrap();
    sandbox.fails(
        "r",
        &["ls"],
        2,
        &["unable to open", name, "reftable verify"],
    );
}

#[test]
fn a_closed_pipe_is_quiet() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let many: String = (0..20_000)
        .map(|n| format!("create refs/many/{n} HEAD\n"))
        .collect();
    sandbox.git_with_input("r", &["update-ref", "--stdin"], &many);
    let mut command = sandbox.command("r", &["ls"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(output.stderr, b"");
}

#[test]
#[cfg(unix)]
fn messages_that_nobody_reads_change_no_exit_status() {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    for (args, status) in [
        (&["ls", "-C", "none"][..], 2),
        (&["show", "none"], 1),
        (&["ls", "--at", "3"], 0),
        (&["ls", "--none"], 2),
    ] {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(ours);
        let mut command = sandbox.command("r", args);
        command.stdout(Stdio::null()).stderr(OwnedFd::from(theirs));
        let found = command.status().unwrap();
        assert_eq!(found.code(), Some(status), "{args:?}");
    }
}
