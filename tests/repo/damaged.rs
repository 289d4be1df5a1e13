//! Malformed repositories: every function returns an error or an answer.
//!
//! `HOSTILE_EVERY=n` tries every n-th of them.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use reftable::format::HashId;
use reftable::repo::{Layout, Repository, Settings};
use reftable::{ObjectId, Reference};

use crate::common::{number, scratch};
use crate::hostile::world::{self, File, Objects, Setting, Stack};
use crate::hostile::{all_mutations, lists, many, Makes};
use crate::shown::line;

/// A malformed stack.
struct Case {
    name: String,
    makes: Makes,
    stack: Stack,
}

/// The cases of a setting, by their groups; of each group every n-th one, beginning with `first`.
fn cases(setting: &Setting, objects: &Objects, every: u64, first: u64) -> Vec<Case> {
    let mut seen = BTreeMap::<&str, u64>::new();
    let mut is_wanted = move |group| {
        let count = seen.entry(group).or_insert(first);
        *count += 1;
        *count % every == 0
    };
    let (raw, layout) = world::table(setting, objects);
    let mut cases = Vec::new();
    for mutation in all_mutations() {
        // Inflated again for each answer, which takes seconds without optimization.
        if mutation.name.contains("really inflates") {
            continue;
        }
        if is_wanted(mutation.group) {
            let bytes = mutation.apply(&raw, &layout);
            cases.push(Case {
                name: format!("{}: {}", mutation.group, mutation.name),
                makes: mutation.makes,
                stack: Stack::with(bytes, setting, objects),
            });
        }
        if is_wanted("many tables") && !setting.amid {
            let many = many::copies(&mutation, &mutation.apply(&raw, &layout));
            cases.push(Case {
                name: many.name,
                makes: Makes::Other,
                stack: many.stack,
            });
        }
    }
    for case in lists::all() {
        if is_wanted(case.group) {
            cases.push(Case {
                name: format!("{}: {}", case.group, case.name),
                makes: case.makes,
                stack: case.apply(&Stack::with(raw.encode(), setting, objects)),
            });
        }
    }
    cases
}

/// Puts the files of a stack into a directory of its own.
fn lay(stack: &Stack, dir: &Path) {
    let _ = fs::remove_dir_all(dir);
    fs::create_dir_all(dir).unwrap();
    for (name, file) in &stack.files {
        let path = dir.join(name);
        match file {
            File::Plain(bytes) => fs::write(path, bytes).unwrap(),
            File::Directory => fs::create_dir(path).unwrap(),
            File::Fifo => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
            File::Link(to) => std::os::unix::fs::symlink(to, path).unwrap(),
        }
    }
}

/// The answers to all questions, and which of them were errors.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answers {
    text: String,
    errors: usize,
    /// The names of all refs, if their list has no error.
    names: Option<Vec<String>>,
}

impl Answers {
    fn add<T: std::fmt::Debug>(&mut self, question: &str, answer: &reftable::repo::Result<T>) {
        match answer {
            Ok(answer) => writeln!(self.text, "{question}: {answer:?}").unwrap(),
            Err(error) => {
                let error = error.to_string();
                assert!(!error.contains('\n'), "{error}");
                writeln!(self.text, "{question}: error: {error}").unwrap();
                self.errors += 1;
            }
        }
    }

    /// Asks everything.
    fn of(repository: &Repository, setting: &Setting, objects: &Objects) -> Self {
        let mut answers = Self::default();
        answers.add("head", &repository.head());
        answers.add("root refs", &repository.root_refs());
        let all = list(repository, "").ok();
        let name = |found: &Reference| found.name.to_string();
        answers.names = all.map(|refs| refs.iter().map(name).collect());
        for prefix in ["", &setting.name("b1"), "refs/tags/"] {
            answers.add("refs", &list(repository, prefix));
        }
        for name in world::names(setting) {
            answers.add("find", &repository.find(&name));
            answers.add("resolve", &repository.resolve(&name));
        }
        let ids = objects
            .commits
            .iter()
            .chain([&objects.tag.0, &objects.tag.1]);
        for id in ids {
            let id = ObjectId::from_bytes(id).unwrap();
            answers.add("refs of", &repository.refs_of(id));
        }
        answers.add("names of logs", &repository.reflog_names());
        for name in ["HEAD", &setting.name("main"), &setting.name("b03"), "none"] {
            answers.add("has log", &repository.has_reflog(name));
            answers.add("oldest first", &log(repository, name, true));
            answers.add("newest first", &log(repository, name, false));
        }
        assert!(repository.generation().is_ok() || answers.errors > 0);
        answers
    }
}

fn list(repository: &Repository, prefix: &str) -> reftable::repo::Result<Vec<Reference>> {
    repository.refs(prefix)?.owned().collect()
}

fn log(repository: &Repository, name: &str, oldest: bool) -> reftable::repo::Result<Vec<String>> {
    let log = repository.reflog(name)?;
    let mut lines = Vec::new();
    if oldest {
        let mut entries = log.oldest_first()?;
        while let Some(entry) = entries.next()? {
            lines.push(line(entry));
        }
    } else {
        let mut entries = log.newest_first()?;
        while let Some(entry) = entries.next()? {
            lines.push(line(entry));
        }
    }
    Ok(lines)
}

#[test]
fn malformed_repositories_give_errors_or_answers() {
    let every = number("HOSTILE_EVERY", 57);
    let (mut damaged, mut reported) = (0, 0);
    for (n, setting) in (0..).zip(Setting::all()) {
        let setting = if n % 3 == 2 {
            setting.linked()
        } else {
            setting
        };
        let objects = Objects::made_up(setting.sha256);
        let root = scratch();
        let root = root.path();
        let main = Setting {
            linked: false,
            ..setting
        };
        let sound = |setting: &Setting| {
            let table = world::table(setting, &objects).0;
            Stack::with(table.encode(), setting, &objects)
        };
        lay(&sound(&main), &root.join("reftable"));
        let git_dir = match setting.linked {
            true => root.join("worktrees/linked"),
            false => root.to_owned(),
        };
        let answers = |stack: &Stack| {
            lay(stack, &git_dir.join("reftable"));
            let hash = match setting.sha256 {
                true => HashId::Sha256,
                false => HashId::Sha1,
            };
            let layout = Layout::new(&git_dir, root, hash);
            let repository = Repository::open_at(layout, Settings::default());
            Answers::of(&repository, &setting, &objects)
        };
        let expected = answers(&sound(&setting));
        assert_eq!(expected.errors, 0, "{}", expected.text);
        for case in cases(&setting, &objects, every, n * 7) {
            let found = answers(&case.stack);
            match case.makes {
                Makes::Sound => assert_eq!(found, expected, "{setting}: {}", case.name),
                Makes::Damaged => {
                    damaged += 1;
                    reported += usize::from(found.errors > 0);
                    // A list has all refs or ends in an error. It may have more: a deleted one, if
                    // the list of tables has an old one twice.
                    if let Some(names) = found.names {
                        let mut all = expected.names.iter().flatten();
                        assert!(
                            all.all(|name| names.contains(name)),
                            "{setting}: {}",
                            case.name
                        );
                    }
                }
                Makes::Other => {}
            }
        }
    }
    println!("{damaged} damaged, {reported} reported");
    assert!(damaged > 100 && reported > damaged / 2);
}
