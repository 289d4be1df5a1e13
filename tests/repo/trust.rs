//! Repositories of other users, compared with git.
#![cfg(unix)]
#![forbid(unsafe_code)]

use std::fs;
use std::os::unix::fs::{chown, lchown};
use std::path::Path;

use crate::child;
use crate::common::{run, scratch, Git};

/// Any user but root.
const OTHER: u32 = 4711;

/// Checks that git uses the repository exactly if it is trusted.
fn check(git: &Git, dir: &Path, variables: &[(&str, &str)], expected: bool) {
    let home = [("HOME", "/nonexistent"), ("GIT_CONFIG_NOSYSTEM", "1")];
    let all = [&home[..], variables].concat();
    let mut command = git.command(dir, &["rev-parse", "--git-dir"]);
    command.env_remove("GIT_CEILING_DIRECTORIES");
    command.env_remove("GIT_CONFIG_GLOBAL");
    command.envs(all.iter().copied());
    let by_git = run(command, b"").status == 0;
    let shown = format!("{} {variables:?}", dir.display());
    assert_eq!(by_git, expected, "{shown}");
    assert_eq!(child::trust(dir, &all), by_git.to_string(), "{shown}");
}

fn safe<'v>(values: &[&'v str], names: &'v [(String, String)]) -> Vec<(&'v str, &'v str)> {
    let count = ["0", "1", "2", "3"][values.len()];
    let mut all = vec![("GIT_CONFIG_COUNT", count)];
    for (value, (key, name)) in values.iter().zip(names) {
        all.extend([(key.as_str(), "safe.directory"), (name.as_str(), value)]);
    }
    all
}

#[test]
fn repositories_of_others_are_not_trusted() {
    let Some(git) = Git::upstream() else { return };
    let root = scratch();
    let root = root.path().canonicalize().unwrap();
    let make = |name: &str, options: &[&str]| {
        git.run(&root, &[&["init", "-q"], options, &[name]].concat(), "");
        root.join(name)
    };
    let plain = make("plain", &[]);
    let bare = make("bare", &["--bare"]);
    let linked = make("linked", &["--separate-git-dir=elsewhere"]);
    check(&git, &plain, &[], true);
    if chown(&plain, Some(OTHER), None).is_err() {
        eprintln!("NOT RUN: only root can give files away");
        return;
    }
    check(&git, &plain, &[], false);
    check(&git, &plain, &[("SUDO_UID", "4711")], true);
    let names: Vec<_> = (0..3)
        .map(|n| {
            (
                format!("GIT_CONFIG_KEY_{n}"),
                format!("GIT_CONFIG_VALUE_{n}"),
            )
        })
        .collect();
    let path = plain.to_str().unwrap();
    let all_below = format!("{}/*", root.display());
    let below = format!("{path}/*");
    for (values, expected) in [
        (&[path][..], true),
        (&["*"], true),
        (&["/*"], true),
        (&["."], true),
        (&[&all_below], true),
        (&[&below], false),
        (&["plain"], false),
        (&["/nonexistent"], false),
        (&[path, ""], false),
        (&["", path], true),
        (&["*", "", "/nonexistent"], false),
    ] {
        check(&git, &plain, &safe(values, &names), expected);
    }
    // The repository has no say in it.
    let config = plain.join(".git/config");
    let text = fs::read_to_string(&config).unwrap() + "[safe]directory=*\n";
    fs::write(config, text).unwrap();
    check(&git, &plain, &[], false);
    chown(&plain, Some(0), None).unwrap();
    chown(plain.join(".git"), Some(OTHER), None).unwrap();
    check(&git, &plain, &[], false);

    check(&git, &bare, &[], true);
    chown(&bare, Some(OTHER), None).unwrap();
    check(&git, &bare, &[], false);
    check(&git, &bare, &safe(&[bare.to_str().unwrap()], &names), true);

    check(&git, &linked, &[], true);
    lchown(linked.join(".git"), Some(OTHER), None).unwrap();
    check(&git, &linked, &[], false);
    let linked_path = linked.to_str().unwrap();
    check(&git, &linked, &safe(&[linked_path], &names), true);
}
