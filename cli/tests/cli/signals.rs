//! Signals and closed pipes while a command writes: no lock is left, and nothing is half done.
#![cfg(unix)]

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::sandbox::{damage, Sandbox};

/// A repository with so many refs that there is time for a signal.
fn large() -> Option<Sandbox> {
    let sandbox = Sandbox::with_repository()?;
    let many: String = (0..20_000)
        .map(|n| format!("create refs/many/{n} HEAD\n"))
        .collect();
    sandbox.git_with_input("r", &["update-ref", "--stdin"], &many);
    sandbox.git_uncompacted("r", &["update-ref", "refs/heads/x", "HEAD"]);
    Some(sandbox)
}

/// Names of files in a directory, if there is one.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn has_lock(dir: &Path) -> bool {
    names(dir).iter().any(|name| name.ends_with(".lock"))
}

#[test]
fn an_interrupted_command_leaves_no_lock() {
    let Some(sandbox) = large() else {
        return;
    };
    let (stack, new) = (sandbox.stack(), sandbox.path("new"));
    let before = sandbox.output("r", &["ls", "--include-root-refs"]);
    let commands: [&[&str]; 6] = [
        &["compact"],
        &["expire", "--keep", "1"],
        &["clean"],
        &["copy", "--to", "../new"],
        &["repair", "--to", "../new"],
        &["repair", "--apply"],
    ];
    for args in commands {
        if args == ["repair", "--apply"] {
            // A footer, which costs no record.
            damage(&sandbox.tables()[0], |bytes| {
                *bytes.last_mut().unwrap() ^= 1
            });
        }
        let leftover = stack.join("0x000000000001-0x000000000001-00000000.ref");
        fs::write(
            &leftover,
            fs::read(sandbox.tables().last().unwrap()).unwrap(),
        )
        .unwrap();
        let _ = fs::remove_dir_all(&new);
        let mut command = sandbox.command("r", args);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let is_writing = || has_lock(&stack) || has_lock(&new.join("reftable"));
        while !is_writing() && child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        let pid = child.id().to_string();
        let _ = Command::new("kill")
            .args(["-INT", &pid])
            .stderr(Stdio::null())
            .status();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        // It may have been done already.
        let what = format!("{args:?}: {:?} {stderr}", output.status);
        assert!(matches!(output.status.code(), Some(0 | 1 | 130)), "{what}");
        if output.status.code() == Some(130) {
            assert!(stderr.starts_with("reftable: interrupted"), "{what}");
            assert!(!new.join("reftable").exists(), "{what}");
        }
        let _ = fs::remove_file(&leftover);
        let left = names(&stack);
        let is_own = |name: &String| name == "tables.list" || name.ends_with(".ref");
        assert!(left.iter().all(is_own), "{what}: {left:?}");
        assert_eq!(left.len(), sandbox.tables().len() + 1, "{what}: {left:?}");
        if args != ["repair", "--apply"] {
            assert_eq!(sandbox.output("r", &["ls", "--include-root-refs"]), before);
        }
    }
    // The second try, or the first, has brought back everything.
    let applied = sandbox.reftable("r", &["repair", "--apply"]);
    assert!(applied.status <= 1, "{applied:?}");
    assert_eq!(sandbox.output("r", &["ls", "--include-root-refs"]), before);
    assert_eq!(sandbox.output("r", &["verify"]), "");
}

#[test]
fn a_repair_whose_losses_nobody_reads_changes_nothing() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    damage(&sandbox.tables()[0], |bytes| {
        *bytes.last_mut().unwrap() ^= 1
    });
    let before = names(&sandbox.stack());
    let mut command = sandbox.command("r", &["repair", "--apply"]);
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(ours);
    command.stdout(OwnedFd::from(theirs)).stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), &*output.stderr),
        (Some(141), &b""[..])
    );
    assert_eq!(names(&sandbox.stack()), before);
    let beside = names(&sandbox.path("r/.git"));
    assert!(
        !beside.iter().any(|name| name.contains("broken")),
        "{beside:?}"
    );
}
