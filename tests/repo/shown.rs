//! The same questions about a worktree, answered by git and by this crate.

use std::fmt::Write as _;
use std::path::Path;

use reftable::repo::{Error, Head, LogEntryRef, Repository};
use reftable::{ObjectId, Reference, Target};

use crate::common::{run, Git};

/// What to show.
#[derive(Clone, Debug)]
pub enum Question {
    /// All refs, root refs included, with what they point at in the end.
    Refs,
    /// The refs with this prefix.
    Prefix(&'static str),
    Head,
    /// The end of a chain of symbolic refs, and its first step.
    Ref(&'static str),
    LogNames,
    /// Whether there is a log, and its entries both ways.
    Log(&'static str),
    RefsOf(String),
}

const PREFIXES: [&str; 6] = [
    "refs/heads/",
    "refs/heads/dir",
    "refs/tags/t",
    "refs/worktree/",
    "refs/",
    "refs/none",
];

const NAMES: [&str; 22] = [
    "HEAD",
    "ORIG_HEAD",
    "FETCH_HEAD",
    "refs/heads/main",
    "refs/heads/a",
    "refs/heads/sym",
    "refs/heads/sym2",
    "refs/tags/t1",
    "refs/tags/t2",
    "refs/worktree/own",
    "refs/bisect/bad",
    "refs/heads/never",
    "refs/heads/a..b",
    "@",
    "main-worktree/HEAD",
    "main-worktree/refs/worktree/own",
    "main-worktree/refs/heads/main",
    "worktrees/wt1/HEAD",
    "worktrees/wt2/HEAD",
    "worktrees/wt1/refs/worktree/own",
    "worktrees/wt1/refs/heads/main",
    "worktrees/none/HEAD",
];

const LOGS: [&str; 6] = [
    "HEAD",
    "refs/heads/main",
    "refs/heads/a",
    "refs/heads/sym",
    "main-worktree/HEAD",
    "worktrees/wt1/HEAD",
];

impl Question {
    pub fn all(ids: &[String]) -> Vec<Self> {
        let mut all = vec![Self::Refs, Self::Head, Self::LogNames];
        all.extend(PREFIXES.map(Self::Prefix));
        all.extend(NAMES.map(Self::Ref));
        all.extend(LOGS.map(Self::Log));
        all.extend(ids.iter().cloned().map(Self::RefsOf));
        all
    }
}

const FORMAT: &str = "--format=%(refname) %(objectname) %(*objectname) %(symref)";

/// Git's answer.
pub fn by_git(git: &Git, dir: &Path, question: &Question) -> String {
    let said = |args: &[&str]| run(git.command(dir, args), b"").stdout;
    match question {
        Question::Refs => said(&["for-each-ref", "--include-root-refs", FORMAT]),
        Question::Prefix(prefix) => with_prefix(&said(&["for-each-ref", FORMAT]), prefix),
        Question::Head => {
            let branch = said(&["symbolic-ref", "-q", "HEAD"]);
            branch + &said(&["rev-parse", "-q", "--verify", "HEAD"])
        }
        Question::Ref(name) => {
            let line = tool(git, dir, &["resolve-ref", name, "0"]);
            let (line, _flags) = line.trim().rsplit_once(' ').unwrap();
            line.to_owned() + "\n" + &said(&["symbolic-ref", "-q", "--no-recurse", name])
        }
        Question::LogNames => said(&["reflog", "list"]),
        Question::Log(name) => {
            let output = run(git.command(dir, &["reflog", "exists", name]), b"");
            format!(
                "{}\n{}--\n{}",
                output.status == 0,
                tool(git, dir, &["for-each-reflog-ent", name]),
                tool(git, dir, &["for-each-reflog-ent-reverse", name])
            )
        }
        Question::RefsOf(id) => of(&said(&["for-each-ref", FORMAT]), id),
    }
}

/// The output of `test-tool ref-store`, which may fail.
fn tool(git: &Git, dir: &Path, args: &[&str]) -> String {
    let mut all = vec!["ref-store", "main"];
    all.extend(args);
    run(git.test_tool_command(dir, &all), b"").stdout
}

fn with_prefix(listed: &str, prefix: &str) -> String {
    let lines = listed.lines().filter(|line| line.starts_with(prefix));
    lines.map(|line| line.to_owned() + "\n").collect()
}

/// The lines of direct refs that point at `id`.
fn of(listed: &str, id: &str) -> String {
    let points_at = |line: &&str| {
        let words: Vec<&str> = line.split(' ').collect();
        words[3].is_empty() && words[1..3].contains(&id)
    };
    let lines = listed.lines().filter(points_at);
    lines.map(|line| line.to_owned() + "\n").collect()
}

/// This crate's answer.
pub fn by_crate(dir: &Path, question: &Question) -> String {
    let repository = Repository::discover(dir).unwrap();
    match question {
        Question::Refs => {
            let mut all = repository.root_refs().unwrap();
            let refs = repository.refs("").unwrap();
            all.extend(refs.owned().map(Result::unwrap));
            lines(&repository, &all)
        }
        Question::Prefix(prefix) => {
            let refs = repository.refs(prefix).unwrap();
            let all: Vec<_> = refs.owned().map(Result::unwrap).collect();
            lines(&repository, &all)
        }
        Question::Head => match repository.head() {
            Ok(Head::Branch { name, id }) => format!("{name}\n{id}\n"),
            Ok(Head::Unborn { name }) => format!("{name}\n"),
            Ok(Head::Detached { id }) => format!("{id}\n"),
            Ok(other) => panic!("{other:?}"),
            Err(Error::NoHead { .. } | Error::TooManySymrefs { .. }) => String::new(),
            Err(error) => panic!("{error}"),
        },
        Question::Ref(name) => found(&repository, name),
        Question::LogNames => {
            let names = repository.reflog_names().unwrap();
            names.iter().map(|name| format!("{name}\n")).collect()
        }
        Question::Log(name) => log(&repository, name),
        Question::RefsOf(id) => {
            let refs = repository.refs_of(id.parse().unwrap()).unwrap();
            lines(&repository, &refs)
        }
    }
}

/// One line for each ref that `git for-each-ref` does not leave out as broken.
fn lines(repository: &Repository, refs: &[Reference]) -> String {
    let mut text = String::new();
    for found in refs {
        let end = match repository.resolve(&found.name) {
            Ok(Some(end)) => end,
            Ok(None) | Err(Error::TooManySymrefs { .. } | Error::InvalidName { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        // Git shows the end of the chain.
        let (id, peeled, symref) = match &found.target {
            Target::Symbolic(_) => (end.id, end.peeled, end.name.to_string()),
            Target::Id(id) => (Some(*id), found.peeled, String::new()),
        };
        if let Some(id) = id.filter(|id| !id.is_null()) {
            let peeled = peeled.map(|id| id.to_string()).unwrap_or_default();
            writeln!(text, "{} {id} {peeled} {symref}", found.name).unwrap();
        }
    }
    text
}

fn found(repository: &Repository, name: &str) -> String {
    let null = ObjectId::null(repository.hash());
    let end = match repository.resolve(name) {
        Ok(Some(end)) => format!("{} {}", end.id.unwrap_or(null), end.name),
        // Git sees no difference between a missing ref and a dangling one.
        Ok(None) if is_well_formed(name) => format!("{null} {name}"),
        Ok(None) | Err(Error::TooManySymrefs { .. } | Error::InvalidName { .. }) => {
            format!("{null} (null)")
        }
        Err(error) => panic!("{error}"),
    };
    let step = match repository.find(name).unwrap().map(|found| found.target) {
        Some(Target::Symbolic(target)) => format!("{target}\n"),
        Some(Target::Id(_)) | None => String::new(),
    };
    format!("{end}\n{step}")
}

/// Whether git allows the name. Knows only the rules that the names here break.
fn is_well_formed(name: &str) -> bool {
    name != "@" && !name.ends_with('/') && !name.contains("..")
}

fn log(repository: &Repository, name: &str) -> String {
    let log = repository.reflog(name).unwrap();
    let mut text = format!("{}\n", repository.has_reflog(name).unwrap());
    let mut entries = log.oldest_first().unwrap();
    while let Some(entry) = entries.next().unwrap() {
        text += &line(entry);
    }
    text += "--\n";
    let mut entries = log.newest_first().unwrap();
    while let Some(entry) = entries.next().unwrap() {
        text += &line(entry);
    }
    text
}

/// An entry as the test tool prints it.
pub fn line(entry: LogEntryRef<'_>) -> String {
    let message = match entry.message.is_empty() {
        true => String::new(),
        false => format!("\t{}", entry.message),
    };
    let (name, email) = (entry.committer.name, entry.committer.email);
    let (old, new, time) = (entry.old, entry.new, entry.time);
    format!("{old} {new} {name} <{email}> {time}{message}\n")
}
