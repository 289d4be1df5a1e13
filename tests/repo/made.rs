//! A repository made by git, to which tests add what git does not write.

use std::path::{Path, PathBuf};

use reftable::format::{Error, HashId};
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue};
use reftable::repo::Repository;
use reftable::stack::{OnOutdated, Stack, StackOptions};
use reftable::table::{WriteOptions, Writer};
use reftable::ObjectId;

use crate::common::{run, scratch, Git};
use crate::shown::{by_crate, by_git, Question};

/// A repository `repo` with one commit on `main`, and its linked worktree `wt`, where `HEAD` is
/// detached.
pub struct Made {
    pub git: Git,
    pub hash: HashId,
    root: tempfile::TempDir,
}

impl Made {
    /// The repository, if git is named.
    pub fn new(hash: HashId) -> Option<Self> {
        let made = Self {
            git: Git::upstream()?,
            hash,
            root: scratch(),
        };
        let format = match hash {
            HashId::Sha1 => "--object-format=sha1",
            HashId::Sha256 => "--object-format=sha256",
        };
        let init = ["init", "-q", "-b", "main", format, "repo"];
        made.git.run(made.root.path(), &init, "");
        made.run(&["commit", "-q", "--allow-empty", "-m", "one"]);
        made.run(&["worktree", "add", "-q", "--detach", "../wt"]);
        Some(made)
    }

    /// One with each hash.
    pub fn each() -> impl Iterator<Item = Self> {
        [HashId::Sha1, HashId::Sha256]
            .into_iter()
            .filter_map(Self::new)
    }

    pub fn repo(&self) -> PathBuf {
        self.root.path().join("repo")
    }

    pub fn wt(&self) -> PathBuf {
        self.root.path().join("wt")
    }

    pub fn git_dir(&self) -> PathBuf {
        self.repo().join(".git")
    }

    /// Runs git in the main worktree.
    pub fn run(&self, args: &[&str]) -> String {
        self.git.run(&self.repo(), args, "")
    }

    /// Runs git in the linked worktree.
    pub fn run_linked(&self, args: &[&str]) -> String {
        self.git.run(&self.wt(), args, "")
    }

    /// The id of the commit.
    pub fn id(&self) -> ObjectId {
        self.run(&["rev-parse", "main"]).trim().parse().unwrap()
    }

    pub fn main(&self) -> Repository {
        Repository::open(self.repo()).unwrap()
    }

    pub fn linked(&self) -> Repository {
        Repository::open(self.wt()).unwrap()
    }

    /// Adds a table to the stack of the main worktree.
    pub fn add(&self, write: impl FnOnce(&mut Writer<'_>, u64) -> Result<(), Error>) {
        self.add_to(&self.git_dir().join("reftable"), write);
    }

    /// Adds a table to the stack of the linked worktree.
    pub fn add_linked(&self, write: impl FnOnce(&mut Writer<'_>, u64) -> Result<(), Error>) {
        self.add_to(&self.git_dir().join("worktrees/wt/reftable"), write);
    }

    fn add_to(&self, dir: &Path, write: impl FnOnce(&mut Writer<'_>, u64) -> Result<(), Error>) {
        let options = StackOptions {
            write: WriteOptions {
                hash_id: self.hash,
                exact_log_message: true,
                block_size: 1 << 16,
                ..WriteOptions::default()
            },
            disable_auto_compact: true,
            ..StackOptions::default()
        };
        add_table(&Stack::open(dir, options).unwrap(), write);
    }

    /// Checks that this crate and git answer alike, in both worktrees.
    pub fn compare(&self, questions: &[Question]) {
        for place in [self.repo(), self.wt()] {
            for question in questions {
                let expected = by_git(&self.git, &place, question);
                let found = by_crate(&place, question);
                assert_eq!(found, expected, "{place:?} {question:?}");
            }
        }
    }

    /// Whether git succeeds with a command in the main worktree.
    pub fn succeeds(&self, args: &[&str]) -> bool {
        run(self.git.command(&self.repo(), args), b"").status == 0
    }
}

/// Adds a table to a stack.
pub fn add_table(stack: &Stack, write: impl FnOnce(&mut Writer<'_>, u64) -> Result<(), Error>) {
    let mut addition = stack.begin(OnOutdated::Fail).unwrap();
    let update_index = addition.next_update_index();
    addition
        .add_table::<Error>(|writer| {
            writer.set_limits(update_index, update_index)?;
            write(writer, update_index)
        })
        .unwrap();
    assert!(stack.commit(addition).unwrap().published);
}

pub fn add_ref(
    writer: &mut Writer<'_>,
    update_index: u64,
    name: &str,
    value: RefValue<'_>,
) -> Result<(), Error> {
    writer.add_ref(&RefRecord {
        name: name.as_bytes(),
        update_index,
        value,
    })
}

pub fn add_log(
    writer: &mut Writer<'_>,
    update_index: u64,
    name: &str,
    update: LogUpdate<'_>,
) -> Result<(), Error> {
    writer.add_log(&LogRecord {
        name: name.as_bytes(),
        update_index,
        value: LogValue::Update(update),
    })
}
