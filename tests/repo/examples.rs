//! The programs in `examples` print what git prints.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::common::{run, Output};
use crate::states::{cargo, program, target_dir, Running, States, HASHES};
use crate::support::has_rules_of_crate;

fn example(name: &str) -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    let dir = DIR.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        cargo(root, &["build", "--locked", "--examples"]);
        target_dir().join("debug/examples")
    });
    Box::leak(dir.join(name).into_boxed_path())
}

fn output(name: &str, dir: &Path, args: &[&str]) -> Output {
    run(program(example(name), dir, args), b"")
}

/// The output of a program that must succeed.
fn printed(name: &str, dir: &Path, args: &[&str]) -> String {
    let output = output(name, dir, args);
    assert_eq!(output.status, 0, "{name} in {}: {output:?}", dir.display());
    output.stdout
}

#[test]
fn prompt_prints_the_branch_in_every_state() {
    for hash in HASHES {
        let Some(mut states) = States::new(hash) else {
            return;
        };
        for dir in States::ALL {
            let head = states.head(dir);
            let expected = match dir {
                "detached" => format!("({head})\n"),
                _ => format!("{head}\n"),
            };
            let path = states.path(dir);
            assert_eq!(printed("prompt", &path, &[]), expected, "{dir}");
            let path = path.to_str().unwrap();
            assert_eq!(
                printed("prompt", Path::new("/"), &[path]),
                expected,
                "{dir}"
            );
        }
    }
}

#[test]
fn prompt_is_silent_where_it_knows_nothing() {
    let Some(mut states) = States::new("sha1") else {
        return;
    };
    let files = states.path("files");
    let files = files.to_str().unwrap();
    states.git(".", &["init", "-q", "--ref-format=files", files]);
    for dir in [files, "/"] {
        let output = output("prompt", Path::new(dir), &[]);
        let shown = (output.status, &*output.stdout, &*output.stderr);
        assert_eq!(shown, (1, "", ""), "{dir}");
    }
}

#[test]
fn list_prints_what_show_ref_prints() {
    for hash in HASHES {
        let Some(mut states) = States::new(hash) else {
            return;
        };
        // Older releases do not peel tags behind symrefs.
        if !has_rules_of_crate(&states.git) {
            return;
        }
        for dir in ["main", "linked"] {
            let expected = states.git(dir, &["show-ref", "--dereference"]);
            assert_eq!(printed("list", &states.path(dir), &[]), expected, "{dir}");
        }
        let tags = states.git("main", &["show-ref", "--dereference", "--tags"]);
        let listed = printed("list", &states.path("main"), &["refs/tags/"]);
        assert_eq!(listed, tags);
    }
}

#[test]
fn reflog_prints_the_newest_entries() {
    for hash in HASHES {
        let Some(states) = States::new(hash) else {
            return;
        };
        for (dir, name) in [
            ("main", "HEAD"),
            ("main", "refs/heads/trunk"),
            ("linked", "HEAD"),
            ("unborn", "HEAD"),
        ] {
            let raw = states.git.test_tool(
                &states.path(dir),
                &["ref-store", "main", "for-each-reflog-ent-reverse", name],
            );
            // The same without the old id. The test tool prints no tab without a message.
            let lines = raw.lines().map(|line| {
                let (_, rest) = line.split_once(' ').unwrap();
                let end = if rest.contains('\t') { "\n" } else { "\t\n" };
                format!("{rest}{end}")
            });
            let path = states.path(dir);
            let all: String = lines.clone().collect();
            assert_eq!(printed("reflog", &path, &[name]), all, "{dir} {name}");
            let last: String = lines.take(1).collect();
            assert_eq!(printed("reflog", &path, &[name, "1"]), last, "{dir} {name}");
        }
    }
}

#[test]
fn update_changes_a_ref_that_has_the_old_value() {
    for hash in HASHES {
        let Some(mut states) = States::new(hash) else {
            return;
        };
        let mut id = |name| states.git("main", &["rev-parse", name]).trim().to_owned();
        let (one, two) = (id("trunk~"), id("trunk"));
        let zero = "0".repeat(one.len());
        let path = states.path("main");
        let name = "refs/heads/new";
        printed("update", &path, &[name, &one, &zero, "made"]);
        printed("update", &path, &[name, &two, &one, "moved"]);
        assert_eq!(states.git("main", &["rev-parse", "new"]).trim(), two);
        let log = states.git("main", &["log", "-g", "--format=%H %gn %gs", "new"]);
        assert_eq!(
            log,
            format!("{two} C O Mitter moved\n{one} C O Mitter made\n")
        );
        for old in [&one, &zero] {
            let output = output("update", &path, &[name, &one, old, "late"]);
            let message = format!("update: '{name}' has changed: {two}\n");
            assert_eq!((output.status, output.stderr), (1, message), "{old}");
        }
        assert_eq!(states.git("main", &["rev-parse", "new"]).trim(), two);
    }
}

#[test]
fn watch_prints_each_change_by_git() {
    let Some(mut states) = States::new("sha1") else {
        return;
    };
    for dir in ["main", "linked", "unborn"] {
        let watching = Running::new(program(example("watch"), &states.path(dir), &[]));
        let line = |states: &mut States| {
            let head = states.head(dir);
            match states.try_git(dir, &["rev-parse", "--verify", "-q", "HEAD"]) {
                id if id.status == 0 => format!("{head} {}", id.stdout.trim()),
                _ => format!("{head} has no commits yet"),
            }
        };
        assert_eq!(watching.line(), line(&mut states), "{dir}");
        let name = format!("from-{dir}");
        for command in [
            &["commit", "-q", "--allow-empty", "-m", "next"][..],
            &["switch", "-q", "-c", &name],
            &["switch", "-q", "--detach"],
        ] {
            states.git(dir, command);
            assert_eq!(watching.line(), line(&mut states), "{dir}: {command:?}");
        }
    }
}
