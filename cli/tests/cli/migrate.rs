//! `reftable migrate`.

mod faults;
mod findings;
mod kinds;
mod racing;

use crate::sandbox::Sandbox;

/// Everything that git shows of the references in the repository and worktrees `dirs`.
pub fn state(sandbox: &Sandbox, dirs: &[&str]) -> String {
    let mut text = String::new();
    for dir in dirs {
        text += &format!("in {dir}\n");
        let format = "--format=%(refname) %(objectname) %(symref) %(*objectname)";
        text += &sandbox.git(dir, &["for-each-ref", "--include-root-refs", format]);
        // It fails if there are no refs, or if HEAD is detached.
        for args in [
            &["show-ref", "--head", "-d"][..],
            &["symbolic-ref", "HEAD"],
            &["rev-parse", "HEAD", "ORIG_HEAD", "@{1}"],
        ] {
            text += &sandbox.run_git(dir, args, "").stdout;
        }
        text += &logs(sandbox, dir);
    }
    text
}

/// As [`state`], with few processes.
pub fn brief_state(sandbox: &Sandbox, dirs: &[&str]) -> String {
    let mut text = String::new();
    for dir in dirs {
        let format = "--format=%(refname) %(objectname) %(symref)";
        text += &sandbox.git(dir, &["for-each-ref", "--include-root-refs", format]);
        let format = "--format=%H %gD %gn %ge %gs";
        text += &sandbox.git(dir, &["log", "-g", "--all", "--date=raw", format]);
        text += &sandbox.git(dir, &["show-ref", "-d"]);
    }
    text
}

/// The reflogs of a worktree.
fn logs(sandbox: &Sandbox, dir: &str) -> String {
    let tool = |args: &[&str]| sandbox.test_tool(dir, &[&["ref-store", "main"], args].concat());
    let list = tool(&["for-each-reflog"]);
    let mut text = list.clone();
    for name in list.lines() {
        text += &tool(&["for-each-reflog-ent", name]);
    }
    text
}

/// The files in the git directory of a repository that are neither objects nor samples.
pub fn files(sandbox: &Sandbox, dir: &str) -> Vec<String> {
    let mut found = Vec::new();
    let root = sandbox.path(dir);
    let mut dirs = vec![root.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            if name == "objects" || name == "hooks" {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                dirs.push(path.clone());
            } else {
                found.push(name.to_owned());
            }
        }
    }
    found.sort();
    found
}
