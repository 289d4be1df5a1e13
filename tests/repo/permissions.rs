//! Permissions of the files that a transaction writes, compared with git.
#![cfg(unix)]
#![forbid(unsafe_code)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::child;
use crate::common::{run, scratch, Git};

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The permissions of the list of a stack and of its newest table.
fn modes(stack: &Path) -> [u32; 2] {
    let list = stack.join("tables.list");
    let names = fs::read_to_string(&list).unwrap();
    [
        mode_of(&list),
        mode_of(&stack.join(names.lines().last().unwrap())),
    ]
}

/// A command of git with this umask.
fn git(git: &Git, dir: &Path, umask: &str, args: &[&str]) -> String {
    let command = git.command(dir, args);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "umask \"$1\"; shift; exec \"$@\"", "sh", umask])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(dir)
        .env_clear();
    let set = command
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    shell.envs(set);
    let output = run(shell, b"");
    assert_eq!(output.status, 0, "{args:?} {}", output.stderr);
    output.stdout.trim_end().to_owned()
}

#[test]
fn files_and_directories_are_shared_as_by_git() {
    let Some(upstream) = Git::upstream() else {
        return;
    };
    let root = scratch();
    let root = root.path();
    for umask in ["022", "077", "002"] {
        for shared in ["umask", "group", "all", "0640", "0600", "0666"] {
            let name = format!("{umask}-{shared}");
            let init = format!("--shared={shared}");
            git(&upstream, root, umask, &["init", "-q", &init, &name]);
            let dir = root.join(&name);
            git(
                &upstream,
                &dir,
                umask,
                &["commit", "-q", "--allow-empty", "-m", "x"],
            );
            git(&upstream, &dir, umask, &["config", "user.name", "U"]);
            git(&upstream, &dir, umask, &["config", "user.email", "u@x"]);
            let id = git(&upstream, &dir, umask, &["rev-parse", "HEAD"]);
            let stack = dir.join(".git/reftable");
            let (expected, dir_mode) = (modes(&stack), mode_of(&stack));

            assert_eq!(child::create(&dir, umask, &id), "done", "{name}");
            assert_eq!(modes(&stack), expected, "{name}");

            // A stack that has been removed is made again.
            fs::remove_dir_all(&stack).unwrap();
            assert_eq!(child::create(&dir, umask, &id), "done", "{name}");
            assert_eq!(
                (modes(&stack), mode_of(&stack)),
                (expected, dir_mode),
                "{name}"
            );
        }
    }
}
