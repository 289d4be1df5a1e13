//! Progress of long commands: a bar on standard error, on a terminal only.
//!
//! Commands only count; a thread draws. There is at most one bar, which disappears before anything
//! else is written.
#![forbid(unsafe_code)]

use std::env;
use std::fmt;
use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
pub use reftable::stack::Progress;

use crate::interrupt::{Interrupt, Watch};

/// Commands that end sooner show no bar, unless `GIT_PROGRESS_DELAY` has another number of seconds.
const DELAY: Duration = Duration::from_millis(500);

/// Time between two pictures.
const PERIOD: Duration = Duration::from_millis(100);

/// Records between two additions to the counts.
pub const STEP: u64 = 4096;

static CURRENT: Mutex<Option<Drawing>> = Mutex::new(None);

/// Whether a pager owns the terminal.
static IS_PAGED: AtomicBool = AtomicBool::new(false);

/// The thread that draws.
struct Drawing {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// A bar, until this is dropped.
pub struct Bar(());

/// What a signal does while a bar is shown.
pub enum OnSignal<'i> {
    /// Clears the bar and ends the program.
    End,
    /// Clears the bar; the command sees the flag and ends.
    Stop(&'i Interrupt),
}

impl Bar {
    /// Shows how much of `total` bytes is done, if standard error is a terminal.
    pub fn start(
        action: &'static str,
        total: u64,
        counts: &Arc<Progress>,
        on_signal: &OnSignal<'_>,
    ) -> Self {
        end();
        let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        if is_dumb || IS_PAGED.load(Ordering::Relaxed) || !io::stderr().is_terminal() {
            return Self(());
        }
        let watch = match on_signal {
            OnSignal::Stop(interrupt) => Watch::of(interrupt),
            OnSignal::End => match Watch::new() {
                Ok(watch) => watch,
                Err(_) => return Self(()),
            },
        };
        let is_over = Arc::new(AtomicBool::new(false));
        let picture = Picture {
            action,
            total,
            counts: Arc::clone(counts),
            is_over: Arc::clone(&is_over),
            watch,
        };
        let thread = thread::spawn(move || picture.draw());
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(Drawing { is_over, thread });
        Self(())
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        end();
    }
}

/// Removes the bar, if there is one.
pub fn end() {
    let current = CURRENT
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if let Some(drawing) = current {
        drawing.is_over.store(true, Ordering::Relaxed);
        drawing.thread.thread().unpark();
        // If it has panicked, there is no bar either.
        let _ = drawing.thread.join();
    }
}

/// Removes the bar. From here on, the terminal is the pager's.
pub fn give_way() {
    IS_PAGED.store(true, Ordering::Relaxed);
    end();
}

fn delay() -> Duration {
    let seconds = env::var("GIT_PROGRESS_DELAY").ok();
    let seconds = seconds.and_then(|text| text.parse().ok());
    seconds.map_or(DELAY, Duration::from_secs)
}

struct Picture {
    action: &'static str,
    total: u64,
    counts: Arc<Progress>,
    is_over: Arc<AtomicBool>,
    watch: Watch,
}

impl Picture {
    fn draw(&self) {
        let style = "{msg} [{wide_bar}] {bytes} of {total_bytes}{left}";
        let style = ProgressStyle::with_template(style).unwrap_or(ProgressStyle::default_bar());
        let style = style.with_key("left", |state: &ProgressState, out: &mut dyn fmt::Write| {
            if state.pos() > 0 {
                // It writes to memory.
                let _ = write!(out, ", {:#} left", HumanDuration(state.eta()));
            }
        });
        let bar = ProgressBar::with_draw_target(Some(self.total), ProgressDrawTarget::hidden());
        bar.set_style(style.progress_chars("#>-"));
        let delay = delay();
        thread::park_timeout(delay);
        // Without a delay, there is at least one picture.
        let mut goes_on = !self.has_ended() || delay.is_zero();
        if goes_on {
            // While it is hidden, so that the first picture has both.
            self.set_counts(&bar);
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        while goes_on {
            self.set_counts(&bar);
            if !self.has_ended() {
                thread::park_timeout(PERIOD);
            }
            goes_on = !self.has_ended();
        }
        bar.finish_and_clear();
        self.watch.finish();
    }

    fn set_counts(&self, bar: &ProgressBar) {
        let records = self.counts.records.load(Ordering::Relaxed);
        let bytes = self.counts.bytes.load(Ordering::Relaxed);
        bar.set_position(bytes.min(self.total));
        bar.set_message(format!("{}: {records} records", self.action));
    }

    fn has_ended(&self) -> bool {
        self.is_over.load(Ordering::Relaxed) || self.watch.has_signal()
    }
}
