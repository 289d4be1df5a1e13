//! The program on a terminal, and signals.
#![cfg(unix)]

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::pty::{Terminal, INTERRUPT};
use crate::sandbox::{run, Sandbox};

/// The exit status on a terminal, and what is shown.
fn on_terminal(sandbox: &Sandbox, args: &[&str], pager: &str) -> (i32, String) {
    Terminal::start(command(sandbox, args, pager)).finish()
}

/// The program as it is called on a terminal. Progress is shown at once.
fn command(sandbox: &Sandbox, args: &[&str], pager: &str) -> Command {
    let mut command = sandbox.command("r", args);
    command.env("TERM", "xterm").env("PAGER", pager);
    command.env("GIT_PROGRESS_DELAY", "0");
    command
}

#[test]
fn there_are_colors_and_a_pager_on_a_terminal_only() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let plain = sandbox.output("r", &["ls", "refs/tags"]);
    assert!(!plain.contains('\x1b'));
    let (status, shown) = on_terminal(&sandbox, &["ls", "refs/tags"], "sed s/^/page:/");
    assert_eq!(status, 0);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), plain.lines().count());
    assert!(
        lines.iter().all(|line| line.starts_with("page:")),
        "{lines:?}"
    );
    assert!(
        lines[0].contains("\x1b[36mrefs/tags/light\x1b[m"),
        "{lines:?}"
    );
    let options = ["ls", "--no-pager", "--color=never", "refs/tags"];
    let (_, shown) = on_terminal(&sandbox, &options, "sed s/^/page:/");
    assert_eq!(shown.replace('\r', ""), plain);
    // The status is that of the command, not of the pager, even if that ends at once.
    let (status, _) = on_terminal(&sandbox, &["show", "none"], "cat");
    assert_eq!(status, 1);
    let (_, shown) = on_terminal(&sandbox, &["ls", "refs/tags"], "cat");
    assert!(shown.contains("\x1b[36m"), "{shown:?}");
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let mut command = command(&sandbox, &["ls", "refs/tags"], "cat");
        command.env(name, value);
        let (_, shown) = Terminal::start(command).finish();
        assert_eq!(shown.replace('\r', ""), plain, "{name}");
    }
    let always = sandbox.output("r", &["ls", "--color=always", "refs/tags"]);
    assert!(always.contains("\x1b[36m"));
}

#[test]
fn an_interrupt_leaves_no_lock() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let many: String = (0..20_000)
        .map(|n| format!("create refs/many/{n} HEAD\n"))
        .collect();
    sandbox.git_with_input("r", &["update-ref", "--stdin"], &many);
    sandbox.git_uncompacted("r", &["update-ref", "refs/heads/x", "HEAD"]);
    let before = sandbox.output("r", &["ls"]);
    for signal in ["-INT", "-TERM"] {
        let mut command = sandbox.command("r", &["compact"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let has_lock = || {
            let entries = fs::read_dir(sandbox.stack()).unwrap();
            entries
                .flatten()
                .any(|entry| entry.file_name().to_string_lossy().ends_with(".ref.lock"))
        };
        while !has_lock() && child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        let pid = child.id().to_string();
        let _ = Command::new("kill")
            .args([signal, &pid])
            .stderr(Stdio::null())
            .status();
        let status = child.wait().unwrap();
        // It may have been done already.
        assert!(matches!(status.code(), Some(0 | 130)), "{status:?}");
        let entries = fs::read_dir(sandbox.stack()).unwrap().flatten();
        let names: Vec<String> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        let is_known = |name: &String| name == "tables.list" || name.ends_with(".ref");
        assert!(names.iter().all(is_known), "{names:?}");
        assert_eq!(names.len(), sandbox.tables().len() + 1, "{names:?}");
        assert_eq!(sandbox.output("r", &["ls"]), before);
    }
}

fn add_many(sandbox: &Sandbox, count: usize) {
    let many: String = (0..count)
        .map(|n| format!("create refs/many/{n} HEAD\n"))
        .collect();
    sandbox.git_with_input("r", &["update-ref", "--stdin"], &many);
}

#[test]
fn long_commands_show_their_progress_on_a_terminal_only() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    add_many(&sandbox, 20_000);
    for args in [
        &["verify", "--full"][..],
        &["compact"],
        &["expire", "--keep", "100"],
        &["copy", "--to", "../copy"],
        &["repair", "--to", "../copy"],
    ] {
        sandbox.git_uncompacted("r", &["update-ref", "refs/heads/x", "main"]);
        let mut command = sandbox.command("r", args);
        command.env("TERM", "xterm").env("GIT_PROGRESS_DELAY", "0");
        let plain = run(command, "");
        assert_eq!((plain.status, &*plain.stderr), (0, ""), "{args:?}");
        let _ = fs::remove_dir_all(sandbox.path("copy"));
        sandbox.git_uncompacted("r", &["update-ref", "refs/heads/x", "main~1"]);
        let (status, shown) = on_terminal(&sandbox, args, "cat");
        assert_eq!(status, 0, "{args:?} {shown:?}");
        check_progress(&shown, &plain.stdout);
        let _ = fs::remove_dir_all(sandbox.path("copy"));
    }
}

#[test]
fn a_migration_shows_its_progress_on_a_terminal_only() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    add_many(&sandbox, 20_000);
    let mut plain = String::new();
    for (to, has_terminal) in [
        ("files", false),
        ("reftable", true),
        ("files", true),
        ("reftable", false),
    ] {
        let args = ["migrate", "--to", to, "--grace", "0"];
        let command = command(&sandbox, &args, "cat");
        if has_terminal {
            let (status, shown) = Terminal::start(command).finish();
            assert_eq!(status, 0, "{shown:?}");
            check_progress(&shown, &plain);
        } else {
            let outcome = run(command, "");
            assert_eq!((outcome.status, &*outcome.stderr), (0, ""), "{to}");
            plain = outcome.stdout;
        }
    }
}

/// A bar was shown, and it is gone: what follows it are the lines as in a pipe.
fn check_progress(shown: &str, plain: &str) {
    assert!(shown.contains(" of "), "{shown:?}");
    assert!(shown.contains(" records ["), "{shown:?}");
    let (_, end) = shown.rsplit_once("\x1b[2K").unwrap();
    let end = end.replace('\r', "");
    assert_eq!(end.lines().count(), plain.lines().count(), "{end:?}");
    assert!(!end.contains(" records ["), "{end:?}");
}

/// Presses Ctrl-C when there is a bar. Neither a half-drawn bar nor a lock stays.
#[test]
fn an_interrupt_removes_the_progress() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    add_many(&sandbox, 20_000);
    for args in [
        &["verify", "--full"][..],
        &["compact"],
        &["copy", "--to", "../copy"],
    ] {
        sandbox.git_uncompacted("r", &["update-ref", "refs/heads/x", "main"]);
        let mut terminal = Terminal::start(command(&sandbox, args, "cat"));
        while !terminal.shown.contains(" of ") {
            assert!(terminal.read(), "{args:?} {:?}", terminal.shown);
        }
        terminal.press(INTERRUPT);
        let (status, shown) = terminal.finish();
        // It may have been done already.
        assert!(matches!(status, 0 | 130), "{args:?} {status}");
        let (_, end) = shown.rsplit_once("\x1b[2K").unwrap();
        assert!(
            !end.contains('#') && !end.contains(" of "),
            "{args:?} {shown:?}"
        );
        let names = fs::read_dir(sandbox.stack()).unwrap().flatten();
        for entry in names {
            let name = entry.file_name().to_string_lossy().into_owned();
            assert!(name == "tables.list" || name.ends_with(".ref"), "{name}");
        }
        if status == 130 {
            assert!(!sandbox.path("copy").exists());
        }
        let _ = fs::remove_dir_all(sandbox.path("copy"));
    }
}

/// SIGHUP, after which nothing can be shown.
#[test]
fn nothing_is_left_if_the_terminal_is_closed() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    add_many(&sandbox, 20_000);
    for args in [["copy", "--to", "../copy"], ["repair", "--to", "../copy"]] {
        let mut terminal = Terminal::start(command(&sandbox, &args, "cat"));
        while !terminal.shown.contains(" of ") {
            assert!(terminal.read(), "{args:?} {:?}", terminal.shown);
        }
        match terminal.hang_up() {
            130 => assert!(!sandbox.path("copy").exists(), "{args:?}"),
            // Everything had been written, except on the terminal.
            2 => assert_eq!(sandbox.output(".", &["verify", "copy/reftable"]), ""),
            status => panic!("{args:?} {status}"),
        }
        let _ = fs::remove_dir_all(sandbox.path("copy"));
    }
}

#[test]
fn missing_permissions_are_one_clear_line() {
    use std::os::unix::fs::PermissionsExt as _;

    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let list = sandbox.stack().join("tables.list");
    fs::set_permissions(&list, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&list).is_ok() {
        eprintln!("NOT RUN: permissions do not apply to root");
        return;
    }
    sandbox.fails("r", &["ls"], 2, &["tables.list': Permission denied"]);
    fs::set_permissions(&list, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(sandbox.stack(), fs::Permissions::from_mode(0o555)).unwrap();
    sandbox.git_uncompacted("r", &["symbolic-ref", "HEAD"]);
    sandbox.output("r", &["ls"]);
    sandbox.fails("r", &["expire", "--keep", "1"], 2, &["Permission denied"]);
    fs::set_permissions(sandbox.stack(), fs::Permissions::from_mode(0o755)).unwrap();
}
