//! Git's commands on reflogs written by another implementation: entries are copied unchanged, and
//! shown as one line each.
//!
//! Runs if `REFTABLE_GIT` names a built git.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{run, scratch, Git};
use reftable::format::Error;
use reftable::record::{LogRecord, LogUpdate, LogValue, Zone};
use reftable::stack::{OnOutdated, Stack, StackOptions};
use reftable::table::WriteOptions;

/// The variable parts of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Odd {
    message: &'static [u8],
    name: &'static [u8],
    email: &'static [u8],
    time: u64,
    zone: i16,
}

const USUAL: Odd = Odd {
    message: b"usual\n",
    name: b"C O Mitter",
    email: b"committer@example.com",
    time: 1_600_000_000,
    zone: 100,
};

/// Name, email, message, time and zone of an entry in a table.
type Stored = (Vec<u8>, Vec<u8>, Vec<u8>, u64, i16);

/// Entries that git itself does not write, and how their messages are shown.
const ODD: [(Odd, &str); 16] = [
    (message(b"line one\nline two"), "line one line two"),
    (message(b"line one\nline two\n"), "line one line two"),
    (message(b"no line feed"), "no line feed"),
    (message(b""), ""),
    (message(b"\n"), ""),
    (message(b"cut\0here\n"), "cut"),
    (
        message(b"a\n0000 1111 C <c@d> 1 +0000\tforged\n"),
        "a 0000 1111 C <c@d> 1 +0000\tforged",
    ),
    (who(b"", b""), "usual"),
    (
        who(b"two\nlines <x@y> 1 +0000\tforged", b"two\nlines"),
        "usual",
    ),
    (who(b"A <x> U", b"<a@b> 1 +0000\tforged"), "usual"),
    (who(b"NUL\0name", b"NUL\0email"), "usual"),
    (when(u64::MAX, 100), "usual"),
    (when(1_600_000_000, i16::MAX), "usual"),
    (when(1_600_000_000, i16::MIN), "usual"),
    (when(1_600_000_000, 330), "usual"),
    (when(1_600_000_000, -1), "usual"),
];

const fn message(message: &'static [u8]) -> Odd {
    Odd { message, ..USUAL }
}

const fn who(name: &'static [u8], email: &'static [u8]) -> Odd {
    Odd {
        name,
        email,
        ..USUAL
    }
}

const fn when(time: u64, zone: i16) -> Odd {
    Odd {
        time,
        zone,
        ..USUAL
    }
}

fn open(repo: &Path) -> Stack {
    let options = StackOptions {
        write: WriteOptions {
            exact_log_message: true,
            block_size: 1 << 16,
            ..WriteOptions::default()
        },
        disable_auto_compact: true,
        ..StackOptions::default()
    };
    Stack::open(&repo.join(".git/reftable"), options).unwrap()
}

/// A repository with a branch `odd`, whose log consists of these entries, one per table.
fn repository(git: &Git, root: &Path, name: &str, entries: &[Odd]) -> PathBuf {
    git.run(root, &["init", "-q", "-b", "main", name], "");
    let repo = root.join(name);
    git.run(&repo, &["commit", "-q", "--allow-empty", "-m", "one"], "");
    git.run(
        &repo,
        &["-c", "core.logAllRefUpdates=false", "branch", "odd"],
        "",
    );
    let id = git.run(&repo, &["rev-parse", "HEAD"], "");
    let id = id.trim().as_bytes().chunks(2);
    let id = id.map(|hex| u8::from_str_radix(std::str::from_utf8(hex).unwrap(), 16).unwrap());
    let id: Vec<u8> = id.collect();
    let stack = open(&repo);
    for odd in entries {
        let update = LogUpdate {
            old_hash: &id,
            new_hash: &id,
            name: odd.name,
            email: odd.email,
            time: odd.time,
            tz_offset: Zone::from_stored(odd.zone),
            message: odd.message,
        };
        let mut addition = stack.begin(OnOutdated::Fail).unwrap();
        let update_index = addition.next_update_index();
        addition
            .add_table::<Error>(|writer| {
                writer.set_limits(update_index, update_index)?;
                writer.add_log(&LogRecord {
                    name: b"refs/heads/odd",
                    update_index,
                    value: LogValue::Update(update),
                })
            })
            .unwrap();
        assert!(stack.commit(addition).unwrap().published);
    }
    repo
}

/// The entries of a log in the order in which they were written, without those of git's own
/// commands.
fn stored(repo: &Path, name: &str) -> Vec<Stored> {
    let merged = open(repo).merged();
    let mut logs = merged.logs(reftable::merged::Tombstones::Hide);
    let mut all = Vec::new();
    logs.seek(name.as_bytes()).unwrap();
    while logs.advance().unwrap() && logs.record().name == name.as_bytes() {
        let LogValue::Update(update) = logs.record().value else {
            continue;
        };
        if update.time >= crate::common::EPOCH && update.time != u64::MAX {
            continue;
        }
        let texts = (
            update.name.into(),
            update.email.into(),
            update.message.into(),
        );
        all.push((
            texts.0,
            texts.1,
            texts.2,
            update.time,
            update.tz_offset.stored(),
        ));
    }
    all.reverse();
    all
}

/// The entries once they have been copied: an empty message has become an empty line.
fn expected(entries: &[Odd]) -> Vec<Stored> {
    let entry = |odd: &Odd| {
        let message = match odd.message {
            b"" => b"\n",
            message => message,
        };
        let texts = (odd.name.into(), odd.email.into(), message.into());
        (texts.0, texts.1, texts.2, odd.time, odd.zone)
    };
    entries.iter().map(entry).collect()
}

/// Runs a command that must succeed and print nothing.
fn quietly(git: &Git, repo: &Path, args: &[&str]) {
    let output = run(git.command(repo, args), b"");
    assert_eq!((output.status, &*output.stderr), (0, ""), "git {args:?}");
}

fn tables(repo: &Path) -> usize {
    let list = fs::read_to_string(repo.join(".git/reftable/tables.list"));
    list.unwrap().lines().count()
}

fn odd() -> Vec<Odd> {
    ODD.iter().map(|(odd, _)| *odd).collect()
}

fn shown(git: &Git, repo: &Path, name: &str) -> Vec<String> {
    let output = git.run(repo, &["log", "-g", "--format=%gs", name, "--"], "");
    output.lines().rev().map(str::to_owned).collect()
}

#[test]
fn entries_are_shown_as_one_line() {
    let Some(git) = Git::patched() else { return };
    let root = scratch();
    let repo = repository(&git, root.path(), "shown", &odd());
    let lines: Vec<_> = ODD.iter().map(|(_, line)| (*line).to_owned()).collect();
    assert_eq!(shown(&git, &repo, "refs/heads/odd"), lines);
    let short = git.run(&repo, &["reflog", "show", "refs/heads/odd"], "");
    assert_eq!(short.lines().count(), ODD.len(), "{short}");
    let tool = ["ref-store", "main", "for-each-reflog-ent", "refs/heads/odd"];
    let entries = git.test_tool(&repo, &tool);
    assert_eq!(entries.lines().count(), ODD.len(), "{entries}");
    quietly(&git, &repo, &["refs", "verify"]);
}

#[test]
fn stacks_with_such_entries_are_compacted() {
    let Some(git) = Git::patched() else { return };
    let root = scratch();
    let repo = repository(&git, root.path(), "shrink", &odd());
    for i in 0..40 {
        quietly(
            &git,
            &repo,
            &["update-ref", &format!("refs/heads/b{i}"), "HEAD"],
        );
    }
    assert!(tables(&repo) < 8, "{} tables", tables(&repo));
    quietly(&git, &repo, &["pack-refs", "--all"]);
    assert_eq!(tables(&repo), 1);
    assert_eq!(stored(&repo, "refs/heads/odd"), expected(&odd()));
    quietly(&git, &repo, &["refs", "verify"]);
}

#[test]
fn entries_are_copied_renamed_and_expired_unchanged() {
    let Some(git) = Git::patched() else { return };
    let root = scratch();
    let repo = repository(&git, root.path(), "moved", &odd());
    quietly(&git, &repo, &["branch", "-c", "odd", "copy"]);
    assert_eq!(stored(&repo, "refs/heads/copy"), expected(&odd()));
    quietly(&git, &repo, &["branch", "-m", "odd", "renamed"]);
    assert_eq!(stored(&repo, "refs/heads/renamed"), expected(&odd()));
    assert_eq!(stored(&repo, "refs/heads/odd"), []);
    let expire = [
        "reflog",
        "expire",
        "--expire=never",
        "--rewrite",
        "refs/heads/renamed",
    ];
    quietly(&git, &repo, &expire);
    assert_eq!(stored(&repo, "refs/heads/renamed"), expected(&odd()));
    quietly(
        &git,
        &repo,
        &["reflog", "delete", "--rewrite", "refs/heads/copy@{16}"],
    );
    let left: Vec<_> = expected(&odd()).into_iter().skip(1).collect();
    quietly(&git, &repo, &["pack-refs"]);
    assert_eq!(stored(&repo, "refs/heads/renamed"), expected(&odd()));
    assert_eq!(stored(&repo, "refs/heads/copy"), left);
    quietly(&git, &repo, &["refs", "verify"]);
}

/// JGit's log blocks are twice as large as git's.
#[test]
fn entries_larger_than_a_block_are_copied() {
    let Some(git) = Git::patched() else { return };
    let root = scratch();
    let long: &'static [u8] = Box::leak(vec![b'x'; 20_000].into_boxed_slice());
    let entries = [USUAL, message(long), USUAL];
    let repo = repository(&git, root.path(), "long", &entries);
    quietly(&git, &repo, &["branch", "-c", "odd", "copy"]);
    quietly(&git, &repo, &["branch", "-m", "odd", "renamed"]);
    quietly(
        &git,
        &repo,
        &["reflog", "expire", "--expire=never", "--rewrite", "--all"],
    );
    quietly(&git, &repo, &["pack-refs"]);
    for name in ["refs/heads/copy", "refs/heads/renamed"] {
        assert_eq!(stored(&repo, name), expected(&entries));
    }
    quietly(&git, &repo, &["refs", "verify"]);
    if let Some(upstream) = Git::upstream() {
        let lines = shown(&git, &repo, "refs/heads/copy");
        assert_eq!(
            shown(&upstream, &repo, "refs/heads/copy").len(),
            lines.len()
        );
    }
}

/// A log in a file has one entry per line: no contents of a record may turn one entry into two.
#[test]
fn a_migration_forges_no_entries() {
    let Some(git) = Git::patched().filter(Git::can_migrate) else {
        return;
    };
    let root = scratch();
    // Beyond the largest time that git knows.
    let odd: Vec<_> = ODD.iter().filter(|(odd, _)| odd.time != u64::MAX).collect();
    let entries: Vec<Odd> = odd.iter().map(|(odd, _)| *odd).collect();
    let repo = repository(&git, root.path(), "migrated", &entries);
    quietly(&git, &repo, &["refs", "migrate", "--ref-format=files"]);
    let log = fs::read(repo.join(".git/logs/refs/heads/odd")).unwrap();
    let text = String::from_utf8_lossy(&log);
    assert_eq!(text.lines().count(), odd.len(), "{text}");
    for (line, (_, message)) in text.lines().zip(&odd) {
        // Git searches for the message after the email, so a name may contain a tab.
        let (head, tail) = line.split_once("> ").unwrap_or((line, ""));
        let tail = tail.split_once('\t').map_or("", |(_, message)| message);
        let message = message.split('\t').collect::<Vec<_>>().join(" ");
        assert_eq!(tail, message, "{head}");
        assert_eq!(head.matches('<').count(), 1, "{head}");
    }
    quietly(&git, &repo, &["refs", "verify"]);
    quietly(&git, &repo, &["refs", "migrate", "--ref-format=reftable"]);
    assert_eq!(stored(&repo, "refs/heads/odd").len(), odd.len());
}

#[test]
fn a_failed_rename_reports_the_reason() {
    let Some(git) = Git::patched() else { return };
    let root = scratch();
    let repo = repository(&git, root.path(), "refused", &[USUAL]);
    let long = "x".repeat(400);
    for option in ["-m", "-c"] {
        let args = [
            "-c",
            "reftable.blockSize=256",
            "branch",
            option,
            "odd",
            &long,
        ];
        let output = run(git.command(&repo, &args), b"");
        assert_eq!(output.status, 128);
        assert!(
            output.stderr.contains(": entry too large"),
            "{}",
            output.stderr
        );
    }
    assert_eq!(stored(&repo, "refs/heads/odd"), expected(&[USUAL]));
}
