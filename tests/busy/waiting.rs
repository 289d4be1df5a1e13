//! Waiting for the list's lock while other writers take it again immediately.
//!
//! `cargo test --release --test busy -- --ignored --nocapture` measures the figures in
//! docs/reliability.md.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use reftable::format::Error;
use reftable::internals::StdStorage;
use reftable::stack::{OnOutdated, Stack, StackOptions};

use crate::support::{add, open_with, quiet};

/// Writers that never pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tight {
    /// Creates the lock, writes the list into it and renames it, with nothing in between.
    Bare,
    /// The same, but holds the lock for ten milliseconds.
    Slow,
    /// Adds and compacts tables through this crate.
    Crate,
    /// A shell with `noclobber`.
    Shell,
}

/// A running writer, stopped when dropped.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<u64>>,
    child: Option<Child>,
}

impl Writer {
    fn start(kind: Tight, dir: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, at) = (Arc::clone(&stop), dir.to_owned());
        let mut writer = Self {
            stop,
            thread: None,
            child: None,
        };
        match kind {
            Tight::Bare | Tight::Slow => {
                let held = match kind {
                    Tight::Slow => Duration::from_millis(10),
                    _ => Duration::ZERO,
                };
                writer.thread = Some(thread::spawn(move || bare(&at, &flag, held)));
            }
            Tight::Crate => writer.thread = Some(thread::spawn(move || of_crate(&at, &flag))),
            Tight::Shell => {
                let script = "set -C; while :; do
                    if : 2>/dev/null >tables.list.lock; then
                        cat tables.list >|tables.list.lock && mv tables.list.lock tables.list
                    fi
                done 2>/dev/null";
                let mut shell = Command::new("sh");
                shell.args(["-c", script]).current_dir(dir);
                writer.child = Some(shell.spawn().unwrap());
            }
        }
        thread::sleep(Duration::from_millis(50));
        writer
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn bare(dir: &Path, stop: &AtomicBool, held: Duration) -> u64 {
    let (list, lock) = (dir.join("tables.list"), dir.join("tables.list.lock"));
    let mut turns = 0;
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut file) = File::create_new(&lock) else {
            continue;
        };
        file.write_all(&fs::read(&list).unwrap()).unwrap();
        if !held.is_zero() {
            thread::sleep(held);
        }
        fs::rename(&lock, &list).unwrap();
        turns += 1;
    }
    turns
}

fn of_crate(dir: &Path, stop: &AtomicBool) -> u64 {
    let stack = open_with(Arc::new(StdStorage), dir, StackOptions::default()).unwrap();
    let mut turns = 0;
    while !stop.load(Ordering::Relaxed) {
        match add(&stack, &[("refs/heads/tight", Some(1))]) {
            Ok(_) => turns += 1,
            Err(Error::Locked { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    turns
}

/// Processor time of this thread in seconds, if the system reports it.
fn processor_time() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse().ok());
    nanoseconds.map_or(0.0, |n: f64| n / 1e9)
}

fn directory(base: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir_in(base).unwrap();
    let stack = open_with(Arc::new(StdStorage), dir.path(), quiet()).unwrap();
    for name in ["a", "b", "c"] {
        add(&stack, &[(name, Some(1))]).unwrap();
    }
    dir
}

fn waiter(dir: &Path, lock_timeout_ms: i64) -> Stack {
    let options = StackOptions {
        lock_timeout_ms,
        ..quiet()
    };
    open_with(Arc::new(StdStorage), dir, options).unwrap()
}

#[test]
#[ignore = "measures for minutes"]
fn measure() {
    let seconds = std::env::var("SECONDS").map_or(10, |n| n.parse().unwrap());
    let chosen = std::env::var("KINDS").unwrap_or_default();
    for base in ["/dev/shm", "/var/tmp"].map(PathBuf::from) {
        for kind in [Tight::Bare, Tight::Slow, Tight::Crate, Tight::Shell] {
            if !format!("{kind:?}").contains(&chosen) {
                continue;
            }
            for timeout in [100, 5000] {
                let dir = directory(&base);
                let writer = Writer::start(kind, dir.path());
                let stack = waiter(dir.path(), timeout);
                let (start, used) = (Instant::now(), processor_time());
                let (mut tries, mut failures, mut longest) = (0, 0, 0.0f64);
                while start.elapsed() < Duration::from_secs(seconds) {
                    // A pause, as between two commands.
                    thread::sleep(Duration::from_micros(2000 + tries * 7919 % 2000));
                    let begun = Instant::now();
                    tries += 1;
                    match stack.begin(OnOutdated::Reload) {
                        Ok(addition) => drop(addition),
                        Err(Error::Locked { .. }) => failures += 1,
                        Err(error) => panic!("{error}"),
                    }
                    longest = longest.max(begun.elapsed().as_secs_f64());
                }
                let share = (processor_time() - used) / start.elapsed().as_secs_f64();
                drop(writer);
                println!(
                    "{} {kind:?} timeout {timeout} ms: {failures} of {tries} refused, longest {:.0} ms, {:.0} % of a processor",
                    base.display(), longest * 1000.0, share * 100.0
                );
            }
        }
    }
}

/// A caller with a long timeout gets the lock even if another writer holds it for ten milliseconds
/// and releases it only for microseconds.
#[test]
fn a_tight_writer_does_not_starve_others() {
    let base = crate::support::scratch();
    let dir = directory(base.path());
    let writer = Writer::start(Tight::Slow, dir.path());
    let stack = waiter(dir.path(), 60_000);
    for _ in 0..3 {
        drop(stack.begin(OnOutdated::Reload).unwrap());
        thread::sleep(Duration::from_millis(3));
    }
    drop(writer);
}
