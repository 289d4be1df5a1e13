//! `reftable bench`.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::sandbox::{run, Sandbox};

/// A command that finds the git of the tests on the `PATH`.
fn command(sandbox: &Sandbox, dir: &str, args: &[&str]) -> Command {
    let git = PathBuf::from(env::var_os("REFTABLE_UPSTREAM_GIT").unwrap());
    let path = env::var("PATH").unwrap_or_default();
    let mut command = sandbox.command(dir, args);
    let dir = git.parent().unwrap().display();
    command.env("PATH", format!("{dir}:{path}"));
    command.env("TMPDIR", sandbox.path("tmp"));
    // A user who has not told git a name.
    for name in ["GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] {
        command.env_remove(name);
    }
    command
}

#[test]
fn git_and_the_program_are_measured_on_copies() {
    for hash in ["sha1", "sha256"] {
        let Some(sandbox) = Sandbox::of_hash(hash) else {
            return;
        };
        fs::create_dir(sandbox.path("tmp")).unwrap();
        let before = sandbox.output("r", &["dump", sandbox.tables()[0].to_str().unwrap()]);
        let outcome = run(
            command(&sandbox, ".", &["bench", "--rounds=2", "--json", "r"]),
            "",
        );
        assert_eq!((outcome.status, &*outcome.stderr), (0, ""));
        let rows: Vec<Value> = outcome
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let names: Vec<_> = rows
            .iter()
            .map(|row| row["work"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["sorted", "random", "update", "log"]);
        assert_eq!(
            (&rows[2]["count"], &rows[3]["count"]),
            (&1000.into(), &3.into())
        );
        for key in ["git", "git_start", "reftable"] {
            assert!(
                rows.iter().all(|row| row[key].as_u64() > Some(0)),
                "{rows:?}"
            );
        }
        let outcome = run(command(&sandbox, "w", &["bench", "--rounds=1"]), "");
        assert_eq!(outcome.stdout.lines().count(), 6, "{outcome:?}");
        // Nothing is left, and the repository is as it was.
        assert_eq!(fs::read_dir(sandbox.path("tmp")).unwrap().count(), 0);
        let after = sandbox.output("r", &["dump", sandbox.tables()[0].to_str().unwrap()]);
        assert_eq!(before, after);
    }
}

/// Ctrl-C also ends the git that is being measured.
#[test]
#[cfg(unix)]
fn an_interrupt_removes_the_copies() {
    use crate::pty::{Terminal, INTERRUPT};

    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let tmp = sandbox.path("tmp");
    fs::create_dir(&tmp).unwrap();
    let mut terminal = Terminal::start(command(&sandbox, "r", &["bench", "--rounds=100000"]));
    let copy_exists = || {
        let copies = fs::read_dir(&tmp).unwrap().flatten();
        let lists = copies.map(|copy| copy.path().join("reftable/reftable/tables.list"));
        lists.into_iter().any(|list| list.exists())
    };
    while !copy_exists() {
        thread::sleep(Duration::from_millis(1));
    }
    terminal.press(INTERRUPT);
    let (status, shown) = terminal.finish();
    assert_eq!(status, 130, "{shown}");
    assert!(shown.contains("reftable: interrupted"), "{shown}");
    assert_eq!(fs::read_dir(tmp).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_measured_is_one_clear_line() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    sandbox.fails(
        "r",
        &["bench", ".git/reftable"],
        2,
        &["only a repository can be measured"],
    );
    let mut command = command(&sandbox, "r", &["bench"]);
    fs::create_dir(sandbox.path("tmp")).unwrap();
    command.env("PATH", sandbox.path("tmp"));
    let outcome = run(command, "");
    assert_eq!((outcome.status, outcome.stderr.lines().count()), (2, 1));
    assert!(
        outcome.stderr.contains("cannot run 'git': No such file"),
        "{outcome:?}"
    );
    assert_eq!(fs::read_dir(sandbox.path("tmp")).unwrap().count(), 0);
}
