//! Pairs of equal repositories: one is changed by git, the other by this crate.

use std::fs;
use std::path::{Path, PathBuf};

use reftable::format::HashId;
use reftable::record::{Zone, ZoneForm};
use reftable::repo::{Identity, Layout, Repository, Settings, Time};
use reftable::ObjectId;

use crate::common::objects::Objects;
use crate::common::{at, records, run, scratch, Git, Output, EPOCH};

/// The hash functions by git's names.
pub const HASHES: [&str; 2] = ["sha1", "sha256"];

/// Whether the crate does what this release does, where releases differ.
pub fn has_rules_of_crate(git: &Git) -> bool {
    let has_rules = git.is_since(2, 55);
    if !has_rules {
        eprintln!("NOT RUN: this crate follows the rules of later releases");
    }
    has_rules
}

/// The objects of one hash that all pairs of a test share.
pub struct Shared {
    pub git: Git,
    pub hash: &'static str,
    pub objects: Objects,
    root: tempfile::TempDir,
}

impl Shared {
    /// The objects, if upstream's git is named.
    pub fn new(hash: &'static str) -> Option<Self> {
        Self::of(Git::upstream()?, hash)
    }

    /// The objects, written by `git`, if it has the rules and commands that the tests compare.
    pub fn of(git: Git, hash: &'static str) -> Option<Self> {
        if !has_rules_of_crate(&git) {
            return None;
        }
        let root = scratch();
        let objects = Objects::new(&git, root.path(), hash);
        Some(Self {
            git,
            hash,
            objects,
            root,
        })
    }

    pub fn hash_id(&self) -> HashId {
        match self.hash {
            "sha1" => HashId::Sha1,
            _ => HashId::Sha256,
        }
    }

    pub fn id(&self, number: usize) -> ObjectId {
        self.objects.ids[number].parse().unwrap()
    }

    pub fn pair(&self, settings: Settings) -> Pair<'_> {
        Pair::new(self, settings)
    }
}

/// Two repositories, `ours` and `git`, each with a linked worktree `wt`.
pub struct Pair<'s> {
    pub shared: &'s Shared,
    pub root: tempfile::TempDir,
    pub settings: Settings,
}

impl<'s> Pair<'s> {
    fn new(shared: &'s Shared, mut settings: Settings) -> Self {
        let committer = identity();
        settings.committer.get_or_insert(committer);
        let root = tempfile::tempdir_in(shared.root.path()).unwrap();
        let pair = Self {
            shared,
            root,
            settings,
        };
        for side in ["ours", "git"] {
            pair.make(side);
        }
        pair
    }

    fn make(&self, side: &str) {
        let git = &self.shared.git;
        let root = self.root.path();
        let init = [
            "init",
            "-q",
            "-b",
            "main",
            "--object-format",
            self.shared.hash,
            side,
        ];
        git.run(root, &init, "");
        let repo = root.join(side);
        self.shared.objects.lend_to(&repo.join(".git"));
        let ids = &self.shared.objects.ids;
        let refs = format!(
            "create refs/heads/main {}\ncreate refs/heads/a {}\ncreate refs/heads/dir/x {}\n\
             create refs/tags/t1 {}\nsymref-create refs/heads/sym refs/heads/main\n",
            ids[7], ids[3], ids[5], ids[9]
        );
        git.run(&repo, &["update-ref", "--stdin"], &refs);
        let wt = format!("../{side}-wt");
        git.run(&repo, &["worktree", "add", "-q", "-b", "linked", &wt], "");
    }

    /// The directory of a worktree: the main one, or the linked one.
    pub fn work_dir(&self, side: &str, is_linked: bool) -> PathBuf {
        let name = match is_linked {
            true => format!("{side}-wt"),
            false => side.to_owned(),
        };
        self.root.path().join(name)
    }

    pub fn git_dir(&self, side: &str) -> PathBuf {
        self.root.path().join(side).join(".git")
    }

    /// The repository of this crate, as seen from the main or the linked worktree.
    pub fn ours(&self, is_linked: bool) -> Repository {
        let common = self.git_dir("ours");
        let git_dir = match is_linked {
            true => common.join("worktrees/ours-wt"),
            false => common.clone(),
        };
        let layout = Layout::new(git_dir, common, self.shared.hash_id());
        Repository::open_at(layout, self.settings.clone())
    }

    /// Runs git in a worktree of its repository, at a time.
    pub fn git(&self, is_linked: bool, args: &[&str], input: &str, time: u64) -> Output {
        let dir = self.work_dir("git", is_linked);
        let mut command = self.shared.git.command(&dir, args);
        at(&mut command, EPOCH + time);
        run(command, input.as_bytes())
    }

    /// All records of both repositories, and what git lists of them.
    pub fn states(&self) -> [String; 2] {
        ["ours", "git"].map(|side| self.state(side))
    }

    fn state(&self, side: &str) -> String {
        let hash = self.shared.hash_id();
        // The linked worktrees have different names.
        let text = records::of_repository(&self.git_dir(side), hash);
        text.replace(&format!("{side}-wt"), "wt")
    }

    /// What git lists of a repository.
    pub fn listing(&self, side: &str, is_linked: bool) -> String {
        let dir = self.work_dir(side, is_linked);
        let commands: [&[&str]; 4] = [
            &["for-each-ref", "--include-root-refs"],
            &["reflog", "list"],
            &["log", "-g", "--all", "--format=%gD %H %gn %ge %gs"],
            &["refs", "verify"],
        ];
        let outputs = commands.map(|args| {
            let output = run(self.shared.git.command(&dir, args), b"");
            format!(
                "{args:?}: {}\n{}{}",
                output.status, output.stdout, output.stderr
            )
        });
        outputs.concat().replace(&format!("{side}-wt"), "wt")
    }
}

/// The committer of the gits.
pub fn identity() -> Identity {
    Identity {
        name: "C O Mitter".into(),
        email: "committer@example.com".into(),
    }
}

/// The time of `Pair::git`.
pub fn time(seconds: u64) -> Time {
    Time {
        seconds: EPOCH + seconds,
        zone: Zone::from_hhmm(200, ZoneForm::Hhmm),
    }
}

/// A repository without git: one empty stack.
pub fn plain(dir: &Path, settings: Settings) -> Repository {
    fs::create_dir_all(dir.join("reftable")).unwrap();
    Repository::open_at(Layout::new(dir, dir, HashId::Sha1), settings)
}

/// An id that repeats a byte.
pub fn id(byte: u8) -> ObjectId {
    ObjectId::from_bytes(&[byte; 20]).unwrap()
}
