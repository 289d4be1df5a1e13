//! Known defects of git 2.55.0's C backend with malformed repositories, which this backend does not
//! have.
//!
//! Runs if `REFTABLE_GIT` names a built git; `REFTABLE_DEFECTS_GIT` names another one to test, such
//! as upstream's, with which each test fails.

use std::env;
use std::fs;
use std::path::PathBuf;

use crate::common::scratch;
use crate::hostile::commands::Place;
use crate::hostile::raw::{Part, Place as At, Raw};
use crate::hostile::run::{Ended, Runner};
use crate::hostile::sound::{self, log_key, Layout, Log};
use crate::hostile::world::{self, File, Setting, Stack};
use tempfile::TempDir;

const SETTING: Setting = Setting {
    sha256: false,
    aligned: false,
    amid: false,
    linked: false,
};

/// A repository, and the git to test.
struct Trial {
    root: TempDir,
    runner: Runner,
    place: Place,
}

impl Trial {
    fn new() -> Option<Self> {
        let git = env::var_os("REFTABLE_DEFECTS_GIT").or_else(|| env::var_os("REFTABLE_GIT"));
        let Some(git) = git.map(PathBuf::from) else {
            eprintln!("NOT RUN: REFTABLE_GIT does not name a git");
            return None;
        };
        let root = scratch();
        let runner = Runner::new(&git, root.path());
        let dir = root.path().join("place");
        fs::create_dir(&dir).unwrap();
        let place = Place::new(&runner, &dir, false, false);
        Some(Self {
            root,
            runner,
            place,
        })
    }

    fn repo(&self) -> PathBuf {
        self.root.path().join("place/repo")
    }

    fn stack_dir(&self) -> PathBuf {
        self.repo().join(".git/reftable")
    }

    /// The id of a commit.
    fn id(&self) -> String {
        let digits = self.place.objects.commits[0].iter();
        digits.map(|byte| format!("{byte:02x}")).collect()
    }

    /// Puts a stack with a changed table into the repository.
    fn mutation(&self, setting: &Setting, change: impl Fn(&mut Raw, &Layout)) {
        let (mut raw, layout) = world::table(setting, &self.place.objects);
        change(&mut raw, &layout);
        self.put(&Stack::with(raw.encode(), setting, &self.place.objects));
    }

    fn put(&self, stack: &Stack) {
        self.place.set_up(stack);
    }

    /// Runs git, which must not crash, hang, or fail without a message.
    fn git(&self, args: &[&str]) -> Ended {
        let ended = self.runner.git(&self.repo(), args, 1 << 20);
        assert_eq!(ended.broken, None, "git {args:?}: {ended:?}");
        ended
    }

    fn succeeds(&self, args: &[&str]) -> String {
        let ended = self.git(args);
        assert!(ended.ok(), "git {args:?}: {ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    }

    fn fails(&self, args: &[&str]) -> String {
        let ended = self.git(args);
        assert!(!ended.ok(), "git {args:?} succeeds: {ended:?}");
        ended.stderr
    }
}

/// Makes each index record point at the block that `to` returns for the block that contains it.
fn lead_everywhere(raw: &mut Raw, layout: &Layout, to: impl Fn(usize) -> usize) {
    for n in layout.ref_index.concat() {
        for record in &mut raw.blocks[n].records {
            record.value = vec![Part::Place(At::block(to(n)))];
        }
    }
}

fn every_read_ends(trial: &Trial) {
    trial.fails(&["rev-parse", "--verify", "refs/heads/b05"]);
    trial.fails(&["for-each-ref"]);
    trial.fails(&["refs", "verify"]);
    trial.fails(&["update-ref", "refs/heads/b05", "refs/heads/b04"]);
}

#[test]
fn an_index_that_points_at_its_own_block_does_not_hang() {
    let Some(trial) = Trial::new() else { return };
    trial.mutation(&SETTING, |raw, layout| lead_everywhere(raw, layout, |n| n));
    every_read_ends(&trial);
}

#[test]
fn an_index_that_points_at_a_sibling_does_not_hang() {
    let Some(trial) = Trial::new() else { return };
    trial.mutation(&SETTING, |raw, layout| {
        let lowest = layout.ref_index[0].clone();
        assert!(lowest.len() > 1);
        lead_everywhere(raw, layout, |n| {
            if n == lowest[0] {
                lowest[1]
            } else {
                lowest[0]
            }
        });
    });
    every_read_ends(&trial);
}

#[test]
fn an_index_that_points_at_the_level_above_does_not_hang() {
    let Some(trial) = Trial::new() else { return };
    trial.mutation(&SETTING, |raw, layout| {
        let levels = &layout.ref_index;
        assert!(levels.len() > 1);
        let (lowest, root) = (levels[0][0], levels[levels.len() - 1][0]);
        lead_everywhere(raw, layout, |n| if n == root { lowest } else { root });
    });
    every_read_ends(&trial);
}

#[test]
fn a_list_cannot_name_files_outside_its_directory() {
    let Some(trial) = Trial::new() else { return };
    for line in ["../victim.ref", "../../victim.ref", "sub/victim.ref"] {
        let (raw, _) = world::table(&SETTING, &trial.place.objects);
        let mut stack = Stack::with(raw.encode(), &SETTING, &trial.place.objects);
        stack.list(&format!("{}\n{line}", stack.names().join("\n")));
        trial.put(&stack);
        // The file is a table that would fit into the stack.
        let victim = trial.stack_dir().join(line);
        let refs = [sound::Ref {
            name: b"refs/heads/victim".to_vec(),
            delta: 0,
            target: sound::Target::Id(trial.place.objects.commits[0].clone()),
        }];
        let shape = sound::Shape {
            min: 20,
            max: 20,
            ..SETTING.shape()
        };
        fs::write(&victim, sound::table(&shape, &refs, &[]).0.encode()).unwrap();
        let before = fs::read(&victim).unwrap();
        trial.fails(&["rev-parse", "--verify", "refs/heads/victim"]);
        trial.fails(&["pack-refs", "--all"]);
        trial.fails(&["update-ref", "refs/heads/b99", &trial.id()]);
        trial.fails(&["refs", "verify"]);
        assert_eq!(fs::read(&victim).unwrap(), before, "{line}");
    }
}

#[test]
fn packing_drops_nothing_when_a_position_in_the_footer_is_wrong() {
    let Some(trial) = Trial::new() else { return };
    let setting = Setting {
        amid: true,
        ..SETTING
    };
    trial.mutation(&setting, |_, _| {});
    let refs = trial.succeeds(&["for-each-ref"]);
    let logs = trial.succeeds(&["reflog", "list"]);
    let sound = trial.stack_dir();
    for field in 0..5 {
        for place in [
            At::NONE,
            At::Number(28),
            At::block(1),
            At::block(2),
            At::End(-1),
            At::End(0),
        ] {
            trial.mutation(&setting, |raw, _| raw.footer[field] = place);
            let before = fs::read(sound.join("tables.list")).unwrap();
            let packed = trial.git(&["pack-refs", "--all"]);
            if packed.ok() {
                // Copying everything does not need the section that the field describes.
                assert_eq!(trial.succeeds(&["for-each-ref"]), refs, "{field} {place:?}");
                assert_eq!(
                    trial.succeeds(&["reflog", "list"]),
                    logs,
                    "{field} {place:?}"
                );
            } else {
                assert_eq!(fs::read(sound.join("tables.list")).unwrap(), before);
            }
        }
    }
}

#[test]
fn packing_drops_nothing_when_logs_start_too_late() {
    let Some(trial) = Trial::new() else { return };
    let setting = Setting {
        amid: true,
        ..SETTING
    };
    trial.mutation(&setting, |raw, layout| {
        raw.footer[3] = At::block(layout.logs[1])
    });
    let text = trial.fails(&["pack-refs", "--all"]);
    assert!(text.contains("unable to compact stack"), "{text}");
}

#[test]
fn verifying_a_stack_that_cannot_be_opened_ends_in_an_error() {
    let Some(trial) = Trial::new() else { return };
    let (raw, _) = world::table(&SETTING, &trial.place.objects);
    let sound = Stack::with(raw.encode(), &SETTING, &trial.place.objects);
    for file in [
        File::Plain(b"none.ref\n".to_vec()),
        File::Plain(b"\xff\n".to_vec()),
        File::Directory,
    ] {
        let mut stack = sound.clone();
        stack.put("tables.list", file);
        trial.put(&stack);
        trial.fails(&["refs", "verify"]);
        trial.fails(&["fsck"]);
    }
}

#[test]
fn verifying_a_table_that_cannot_be_read_ends_in_an_error() {
    let Some(trial) = Trial::new() else { return };
    for cut in [0, 10, 68, 100] {
        let (raw, _) = world::table(&SETTING, &trial.place.objects);
        let bytes = raw.encode()[..cut].to_vec();
        trial.put(&Stack::with(bytes, &SETTING, &trial.place.objects));
        trial.fails(&["refs", "verify"]);
    }
    trial.mutation(&SETTING, |raw, layout| {
        raw.blocks[layout.refs[2]].kind = b'x'
    });
    trial.fails(&["refs", "verify"]);
}

#[test]
fn update_indexes_at_the_limits_of_64_bits_are_an_error() {
    let Some(trial) = Trial::new() else { return };
    for (min, max) in [
        (1, u64::MAX),
        (u64::MAX, u64::MAX),
        (u64::MAX - 9, u64::MAX),
        (0, u64::MAX),
    ] {
        trial.mutation(&SETTING, |raw, _| (raw.min, raw.max) = (min, max));
        let oid = trial.git(&["rev-parse", "--verify", "refs/heads/b05"]);
        let id = trial.id();
        // There is no update index left for another table.
        trial.fails(&["update-ref", "refs/heads/b99", &id]);
        trial.fails(&["update-ref", "-d", "refs/heads/b05"]);
        trial.git(&["pack-refs", "--all"]);
        trial.git(&["reflog", "expire", "--expire=now", "--all"]);
        trial.git(&["refs", "verify"]);
        assert_eq!(trial.git(&["rev-parse", "--verify", "refs/heads/b05"]), oid);
    }
    // Uses the last but one update index; then none is left.
    trial.mutation(&SETTING, |raw, _| raw.max = u64::MAX - 1);
    trial.succeeds(&["update-ref", "refs/heads/b98", "refs/heads/b05"]);
    trial.succeeds(&["rev-parse", "--verify", "refs/heads/b98"]);
    trial.fails(&["update-ref", "refs/heads/b99", "refs/heads/b05"]);
    trial.succeeds(&["rev-parse", "--verify", "refs/heads/b98"]);
}

#[test]
fn reflog_entries_far_apart_are_in_order() {
    let Some(trial) = Trial::new() else { return };
    let commits = &trial.place.objects.commits;
    for far in [
        1 << 31,
        (1 << 31) + 9,
        1 << 32,
        (1 << 33) + 5,
        i64::MAX as u64,
    ] {
        let (mut raw, layout) = world::table(&SETTING, &trial.place.objects);
        raw.max = far;
        // The newest entry of main is far above the others, in another table.
        let log = Log {
            name: b"refs/heads/main".to_vec(),
            update_index: far + 1,
            change: Some((
                commits[2].clone(),
                commits[3].clone(),
                b"the newest\n".to_vec(),
            )),
        };
        let end = log_key(b"refs/heads/main", 9);
        let records = layout.logs.iter().flat_map(|&n| &raw.blocks[n].records);
        assert!(records.into_iter().any(|record| record.key == end));
        let shape = sound::Shape {
            min: far + 1,
            max: far + 1,
            ..SETTING.shape()
        };
        let newer = sound::table(&shape, &[], &[log]).0.encode();
        let mut stack = Stack::with(raw.encode(), &SETTING, &trial.place.objects);
        let name = format!("0x{0:012x}-0x{0:012x}-0b0b0b0b.ref", far + 1);
        stack.put(&name, File::Plain(newer));
        stack.list(&stack.names().join("\n"));
        trial.put(&stack);
        let show = ["reflog", "show", "--format=%gs", "refs/heads/main"];
        let expected = "the newest\nchange number 9\nchange number 7\nchange number 5\n";
        assert_eq!(trial.succeeds(&show), expected, "{far}");
        trial.succeeds(&["pack-refs", "--all"]);
        assert_eq!(trial.succeeds(&show), expected, "{far}, packed");
    }
}

#[test]
fn a_commit_succeeds_although_its_compaction_meets_damage() {
    let Some(trial) = Trial::new() else { return };
    // A table whose logs cannot be inflated; only the compaction reads them.
    trial.mutation(&SETTING, |raw, layout| {
        raw.blocks[layout.logs[1]].deflate = crate::hostile::raw::Deflate::Flip(8, 0xff);
    });
    let mut warned = 0;
    for n in 0..12 {
        let name = format!("refs/notes/n{n:02}");
        let ended = trial.git(&["update-ref", &name, "refs/heads/b05"]);
        assert!(ended.ok(), "{ended:?}");
        warned += usize::from(ended.stderr.contains("warning: unable to compact stack"));
        trial.succeeds(&["rev-parse", "--verify", &name]);
    }
    // Small tables are compacted among themselves; a table as large as the damaged one makes the
    // compaction include that one.
    let many: String = (0..400)
        .map(|n| format!("create refs/notes/many-{n:03} refs/heads/b05\n"))
        .collect();
    let input = trial.root.path().join("input");
    fs::write(&input, many).unwrap();
    let script = format!(
        "alias.many=!git update-ref --stdin <\"{}\"",
        input.display()
    );
    let ended = trial.git(&["-c", &script, "many"]);
    assert!(ended.ok(), "{ended:?}");
    warned += usize::from(ended.stderr.contains("warning: unable to compact stack"));
    assert!(warned > 0, "the damaged table was never met");
    trial.succeeds(&["rev-parse", "--verify", "refs/notes/many-399"]);
}
