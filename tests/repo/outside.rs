//! A project outside of this repository: the programs in `docs/for-tools.md`, and nothing else,
//! print what git prints.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::common::run;
use crate::states::{cargo, program, target_dir, Running, States, HASHES};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The blocks of code in the document that begin with a fence of three backticks and `language`.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let starts = document.split(&fence).skip(1);
    starts
        .map(|rest| rest.split_once("```").unwrap().0.to_owned())
        .collect()
}

/// The settings of this repository, with which its dependencies have already been compiled.
fn profile() -> String {
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let at = manifest.find("[profile.dev]").unwrap();
    manifest[at..].to_owned()
}

/// Writes a file that has another content. What is the same need not be compiled again.
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Makes the project in `dir`: the document's dependencies, but with the path of this crate, and
/// its programs, whose first lines name their files.
fn make_project(dir: &Path) {
    let document = fs::read_to_string(Path::new(ROOT).join("docs/for-tools.md")).unwrap();
    let [dependencies] = &*blocks(&document, "toml") else {
        panic!("more than one block of a manifest");
    };
    let here = format!("reftable = {{ path = {ROOT:?} }}");
    let version = env!("CARGO_PKG_VERSION").rsplit_once('.').unwrap().0;
    let there = format!("reftable = \"{version}\"");
    assert!(dependencies.contains(&there), "{dependencies}");
    let dependencies = dependencies.replace(&there, &here);
    let package = "[package]\nname = \"outside\"\nversion = \"0.0.0\"\nedition = \"2021\"\n";
    let manifest = format!("{package}\n[workspace]\n\n{dependencies}\n{}", profile());
    write(&dir.join("Cargo.toml"), &manifest);
    let locked = fs::read_to_string(Path::new(ROOT).join("Cargo.lock")).unwrap();
    fs::write(dir.join("Cargo.lock"), locked).unwrap();
    let bin = dir.join("src/bin");
    let mut names = Vec::new();
    for text in blocks(&document, "rust") {
        let (first, _) = text.split_once('\n').unwrap();
        let name = first.strip_prefix("// src/bin/").expect(first);
        write(&bin.join(name), &text);
        names.push(OsString::from(name));
    }
    // Those of an older document.
    for entry in fs::read_dir(bin).unwrap() {
        let entry = entry.unwrap();
        if !names.contains(&entry.file_name()) {
            fs::remove_file(entry.path()).unwrap();
        }
    }
}

/// The path of a program of the project.
fn outside(name: &str) -> PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    let dir = DIR.get_or_init(|| {
        // Cargo has made this directory for the tests.
        let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside");
        make_project(&project);
        cargo(&project, &["build"]);
        target_dir().join("debug")
    });
    dir.join(name)
}

/// What a program prints that must succeed.
fn printed(states: &States, name: &str, dir: &str) -> String {
    let output = run(program(&outside(name), &states.path(dir), &[]), b"");
    assert_eq!(output.status, 0, "{name} in {dir}: {output:?}");
    output.stdout
}

/// Each test for both hashes.
fn for_each_hash(test: impl Fn(&mut States, &str)) {
    for hash in HASHES {
        if let Some(mut states) = States::new(hash) {
            test(&mut states, hash);
        }
    }
}

#[test]
fn formats_are_detected() {
    for_each_hash(|states, hash| {
        for dir in States::ALL {
            let found = printed(states, "detect", dir);
            assert_eq!(found.to_lowercase(), format!("reftable, {hash}\n"), "{dir}");
        }
        let files = states.path("files");
        states.git(
            ".",
            &["init", "-q", "--ref-format=files", files.to_str().unwrap()],
        );
        assert_eq!(printed(states, "detect", "files"), "another format\n");
        assert_eq!(printed(states, "detect", "/"), "no repository\n");
    });
}

#[test]
fn the_current_branch_is_that_of_git() {
    for_each_hash(|states, _| {
        for dir in States::ALL {
            let head = states.head(dir);
            assert_eq!(printed(states, "branch", dir), format!("{head}\n"), "{dir}");
            let name = format!("refs/heads/{head}");
            let id = states.try_git(dir, &["rev-parse", "--verify", "HEAD"]);
            let expected = match (dir, id.stdout.trim()) {
                ("unborn", _) => format!("on {name}, which has no commits\n"),
                ("detached", id) => format!("at {id}\n"),
                (_, id) => format!("on {name} at {id}\n"),
            };
            assert_eq!(printed(states, "head", dir), expected, "{dir}");
        }
    });
}

#[test]
fn branches_and_tags_are_those_of_git() {
    const FORMAT: &str = "--format=%(refname) %(objectname) \
        %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)";
    for_each_hash(|states, _| {
        // git for-each-ref warns about this one and goes on.
        states.git("main", &["symbolic-ref", "-d", "refs/heads/dangling"]);
        for dir in States::ALL {
            let listed = states.git(dir, &["for-each-ref", FORMAT, "refs/heads", "refs/tags"]);
            assert_eq!(printed(states, "refs", dir), listed, "{dir}");
        }
    });
}

#[test]
fn the_last_change_is_that_of_git() {
    for_each_hash(|states, _| {
        for dir in States::ALL {
            // The test tool does not search above.
            let top = dir.split('/').next().unwrap();
            let log = states.git.test_tool(
                &states.path(top),
                &["ref-store", "main", "for-each-reflog-ent-reverse", "HEAD"],
            );
            let expected = log.lines().next().map_or_else(String::new, |line| {
                let (start, message) = line.split_once('\t').unwrap_or((line, ""));
                let mut parts = start.splitn(3, ' ');
                let mut next = || parts.next().unwrap();
                format!("{} {}\n{}\n{message}\n", next(), next(), next())
            });
            assert_eq!(printed(states, "last-change", dir), expected, "{dir}");
        }
    });
}

#[test]
fn an_update_is_seen_by_git() {
    for_each_hash(|states, _| {
        assert_eq!(printed(states, "update", "unborn"), "");
        let head = states.git("linked", &["rev-parse", "HEAD"]);
        assert_eq!(printed(states, "update", "linked"), "created\n");
        assert_eq!(states.git("main", &["rev-parse", "release"]), head);
        let log = states.git("main", &["log", "-g", "--format=%H %gn %gs", "release"]);
        assert_eq!(
            log,
            format!("{} C O Mitter release: created\n", head.trim())
        );
        for dir in ["main", "linked", "detached"] {
            assert_eq!(printed(states, "update", dir), format!("exists: {head}"));
        }
        // The lock of a process that is at work.
        states.git("main", &["update-ref", "-d", "refs/heads/release"]);
        let lock = states.path("main/.git/reftable/tables.list.lock");
        fs::write(&lock, "").unwrap();
        let shown = printed(states, "update", "linked");
        let path = shown.strip_prefix("locked by ").unwrap().trim_end();
        assert_eq!(
            fs::canonicalize(path).unwrap(),
            fs::canonicalize(lock).unwrap()
        );
    });
}

#[test]
fn changes_by_git_are_noticed() {
    for_each_hash(|states, _| {
        for dir in ["main", "linked", "unborn"] {
            let watching = Running::new(program(&outside("watch"), &states.path(dir), &[]));
            let stacks = if dir == "linked" { 2 } else { 1 };
            for _ in 0..stacks {
                let line = watching.line();
                let path = line.strip_prefix("watching ").unwrap();
                assert!(Path::new(path).join("tables.list").is_file(), "{line}");
            }
            assert_eq!(watching.line(), states.head(dir), "{dir}");
            let name = format!("from-{dir}");
            states.git(
                dir,
                &["symbolic-ref", "HEAD", &format!("refs/heads/{name}")],
            );
            assert_eq!(watching.line(), name, "{dir}");
        }
    });
}
