//! The program on a terminal, and signals.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::sandbox::{run, Outcome, Sandbox};

/// The outcome on a pseudo-terminal, if `script` of util-linux is installed.
fn on_terminal(sandbox: &Sandbox, args: &[&str], pager: &str) -> Option<Outcome> {
    Some(run(terminal(sandbox, args, pager)?, ""))
}

fn terminal(sandbox: &Sandbox, args: &[&str], pager: &str) -> Option<Command> {
    let has_script = Command::new("script")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !has_script.is_ok_and(|status| status.success()) {
        eprintln!("NOT RUN: there is no script(1)");
        return None;
    }
    let program = env!("CARGO_BIN_EXE_reftable");
    let line = [&[program], args].concat().join(" ");
    let mut command = sandbox.command_of("script", "r", &["-qefc", &line, "/dev/null"]);
    command.env("TERM", "xterm").env("PAGER", pager);
    command.env("GIT_PROGRESS_DELAY", "0");
    Some(command)
}

#[test]
fn there_are_colors_and_a_pager_on_a_terminal_only() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let plain = sandbox.output("r", &["ls", "refs/tags"]);
    assert!(!plain.contains('\x1b'));
    let Some(shown) = on_terminal(&sandbox, &["ls", "refs/tags"], "sed s/^/page:/") else {
        return;
    };
    assert_eq!(shown.status, 0);
    let lines: Vec<&str> = shown.stdout.lines().collect();
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
    let shown = on_terminal(&sandbox, &options, "sed s/^/page:/").unwrap();
    assert_eq!(shown.stdout.replace('\r', ""), plain);
    // The status is that of the command, not of the pager, even if that ends at once.
    let shown = on_terminal(&sandbox, &["show", "none"], "cat").unwrap();
    assert_eq!(shown.status, 1);
    let shown = on_terminal(&sandbox, &["ls", "refs/tags"], "cat").unwrap();
    assert!(shown.stdout.contains("\x1b[36m"), "{shown:?}");
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let mut command = terminal(&sandbox, &["ls", "refs/tags"], "cat").unwrap();
        command.env(name, value);
        let shown = run(command, "");
        assert_eq!(shown.stdout.replace('\r', ""), plain, "{name}");
    }
    let always = sandbox.output("r", &["ls", "--color=always", "refs/tags"]);
    assert!(always.contains("\x1b[36m"));
}

#[test]
#[cfg(unix)]
fn an_interrupt_leaves_no_lock() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let many: String = (0..50_000)
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
        let Some(shown) = on_terminal(&sandbox, args, "cat") else {
            return;
        };
        assert_eq!(shown.status, 0, "{args:?} {shown:?}");
        assert!(shown.stdout.contains(" of "), "{args:?} {shown:?}");
        assert!(shown.stdout.contains(" records ["), "{args:?} {shown:?}");
        // The bar is gone, and the lines are as in a pipe.
        let (_, end) = shown.stdout.rsplit_once("\x1b[2K").unwrap();
        let end = end.replace('\r', "");
        assert_eq!(end.lines().count(), plain.stdout.lines().count(), "{end:?}");
        assert!(!end.contains(" records ["), "{args:?} {end:?}");
        let _ = fs::remove_dir_all(sandbox.path("copy"));
    }
}

/// Neither a half-drawn bar nor a lock stays.
#[test]
fn an_interrupt_removes_the_progress() {
    use std::io::{Read as _, Write as _};

    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    add_many(&sandbox, 50_000);
    let mut is_removed = false;
    for args in [
        &["verify", "--full"][..],
        &["compact"],
        &["copy", "--to", "../copy"],
    ] {
        sandbox.git_uncompacted("r", &["update-ref", "refs/heads/x", "main"]);
        let Some(mut command) = terminal(&sandbox, args, "cat") else {
            return;
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut bytes = Vec::new();
        let mut chunk = [0; 1024];
        let mut is_sent = false;
        loop {
            let len = stdout.read(&mut chunk).unwrap();
            if len == 0 {
                break;
            }
            bytes.extend_from_slice(&chunk[..len]);
            if !is_sent && String::from_utf8_lossy(&bytes).contains(" of ") {
                is_sent = true;
                // It may have ended.
                let _ = stdin.write_all(b"\x03");
                let _ = stdin.flush();
            }
        }
        drop(stdin);
        let status = child.wait().unwrap();
        // It may have been done already.
        assert!(matches!(status.code(), Some(0 | 130)), "{status:?}");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // Once in six runs on a busy machine, `verify` ended with 130 and nothing followed the bar.
        // It is not known whether script(1) or the program has lost it.
        if let Some((_, end)) = text.rsplit_once("\x1b[2K") {
            is_removed = true;
            assert!(
                !end.contains('#') && !end.contains(" of "),
                "{args:?} {end:?}"
            );
        }
        let names = fs::read_dir(sandbox.stack()).unwrap().flatten();
        for entry in names {
            let name = entry.file_name().to_string_lossy().into_owned();
            assert!(name == "tables.list" || name.ends_with(".ref"), "{name}");
        }
        if status.code() == Some(130) {
            assert!(!sandbox.path("copy/reftable").exists());
        }
        let _ = fs::remove_dir_all(sandbox.path("copy"));
    }
    assert!(is_removed);
}

#[test]
#[cfg(unix)]
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
