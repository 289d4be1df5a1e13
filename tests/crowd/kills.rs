//! Kills processes at any moment and checks what they leave behind.
//!
//! A killed process may leave `tables.list.lock`, which blocks others. After a kill, the thread
//! waits until no other process runs and removes that lock, as git advises users to do.
#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::arena::Arena;
use crate::common::{Output, Random};
use crate::verdict::leftovers;

/// One in this number of processes is killed.
const ONE_IN: usize = 3;

/// After this number of kills `git pack-refs` runs alone and must succeed; it runs again after an
/// update a day later, and no leftovers may remain.
const TIDY_AFTER: u64 = 5;

/// What was killed and what was left behind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Toll {
    pub killed: u64,
    /// Locks of the list that had to be removed by hand.
    pub list_locks: u64,
    /// The most files, and the most tables in the list, at any time.
    pub most_left: usize,
    pub most_tables: usize,
}

impl Toll {
    pub fn add(&mut self, other: Self) {
        self.killed += other.killed;
        self.list_locks += other.list_locks;
        self.most_left = self.most_left.max(other.most_left);
        self.most_tables = self.most_tables.max(other.most_tables);
    }
}

/// Runs a command and may kill it, in which case it returns `None`.
pub fn run_or_kill(
    mut command: Command,
    stack: &Path,
    input: &str,
    random: &mut Random,
) -> Option<Output> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The output fits into a pipe, so the child does not block.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    if random.one_in(ONE_IN) {
        if random.one_in(2) {
            wait_for_compaction(stack);
        } else {
            let longest = 1 << random.below(18);
            let delay = u64::try_from(random.below(longest)).unwrap();
            thread::sleep(Duration::from_micros(delay));
        }
        child.kill().unwrap();
    }
    let done = child.wait_with_output().unwrap();
    Some(Output {
        status: done.status.code()?,
        stdout: String::from_utf8_lossy(&done.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
    })
    .filter(|_| done.status.signal().is_none())
}

/// Waits a short time for a compaction to start.
fn wait_for_compaction(stack: &Path) {
    for _ in 0..500 {
        let names = fs::read_dir(stack).unwrap();
        let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        if names.into_iter().any(|name| name.ends_with(".ref.lock")) {
            return;
        }
        thread::sleep(Duration::from_micros(100));
    }
}

/// Called after a kill when no other process runs.
pub fn tidy(arena: &Arena, toll: &mut Toll) {
    toll.killed += 1;
    let stack = arena.stack();
    for name in ["tables.list.lock", "tables.list~pid.lock"] {
        if fs::remove_file(stack.join(name)).is_ok() && name.ends_with("list.lock") {
            toll.list_locks += 1;
        }
    }
    toll.most_left = toll.most_left.max(leftovers(arena).len());
    let list = fs::read_to_string(stack.join("tables.list")).unwrap();
    toll.most_tables = toll.most_tables.max(list.lines().count());
    if arena.plan.expects_clean_up() && toll.killed % TIDY_AFTER == 0 {
        clean_up(arena, toll);
    }
}

/// Checks that `pack-refs` works at once and leaves no lock, and that after an update a day later it
/// leaves nothing.
pub fn clean_up(arena: &Arena, toll: &Toll) {
    let left = leftovers(arena);
    pack_refs(arena, toll);
    if let Some(lock) = leftovers(arena).iter().find(|n| n.ends_with(".lock")) {
        arena.fault(format!("after {} kills: {lock} is left", toll.killed));
    }
    // Make the files a day older.
    for name in left {
        let then = SystemTime::now() - Duration::from_secs(25 * 60 * 60);
        // The first `pack-refs` removes some.
        if let Ok(file) = File::options().write(true).open(arena.stack().join(name)) {
            file.set_modified(then).unwrap();
        }
    }
    // A process killed before it had listed its table leaves one that is newer than the stack.
    let id = arena.value(0, toll.killed);
    let update = ["update-ref", "refs/passing", id];
    arena.plan.git(0).run(arena.dir(), &update, "");
    pack_refs(arena, toll);
    let left = leftovers(arena);
    if !left.is_empty() {
        arena.fault(format!("after {} kills: {left:?}", toll.killed));
    }
}

/// `pack-refs` succeeds.
fn pack_refs(arena: &Arena, toll: &Toll) {
    let packed = arena.run(arena.plan.git(0), &["pack-refs"], "");
    if packed.status != 0 || !packed.stderr.is_empty() {
        arena.fault(format!("after {} kills: {packed:?}", toll.killed));
    }
}
