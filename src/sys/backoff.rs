//! Waiting for a lock that another process holds.
//!
//! A lock is retried after pauses that grow with the time waited. Each pause is followed by a
//! burst of tries without a pause: a writer that takes its lock again at once leaves it free for
//! a few microseconds only, which single tries rarely hit. Bursts take at most a sixteenth of
//! the time. The last one is longer, since the alternative is to fail.
//!
//! Only the last burst yields the processor between two tries. If others are waiting for the
//! processor, a yield takes milliseconds, and what was to be a burst would be a single try.
#![forbid(unsafe_code)]

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::random;

/// The longest pause between two tries.
const MAX_PAUSE: Duration = Duration::from_millis(16);

/// After this time, pauses may be longer: the lock is stale, or its owner is slow.
const LONG: Duration = Duration::from_secs(10);
const MAX_LATE_PAUSE: Duration = Duration::from_millis(250);

/// A pause is this fraction of the time waited before, so that a released lock is found soon.
const PART: u32 = 8;

/// The length of a burst as a fraction of the pause before it.
const BURST_PART: u32 = 16;

/// The length of the last burst as a fraction of the timeout, and its limit.
const LAST_PART: u32 = 4;
const MAX_LAST: Duration = Duration::from_millis(50);

/// A pause and a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// How long to sleep first.
    pub(crate) pause: Duration,
    /// How long to retry without a pause then; at least one try is made.
    pub(crate) burst: Duration,
    /// Whether to yield the processor after each try.
    pub(crate) yields: bool,
}

/// The turns of one wait.
#[derive(Debug)]
pub(crate) struct Backoff {
    /// Begin and length of the last burst; `None` if the wait has no end.
    end: Option<(Duration, Duration)>,
    waited: Duration,
    is_over: bool,
}

impl Backoff {
    /// Turns that take `timeout_ms` in total; a negative timeout has no end.
    ///
    /// A list is locked for about a millisecond. With quadratically growing pauses, as in git's
    /// lock files, three of them would take most of 100 ms.
    pub(crate) fn new(timeout_ms: i64) -> Self {
        let timeout = u64::try_from(timeout_ms).map(Duration::from_millis);
        let end = timeout.ok().map(|timeout| {
            let last = (timeout / LAST_PART).min(MAX_LAST);
            (timeout.saturating_sub(last), last)
        });
        Self {
            is_over: end.is_some_and(|(end, _)| end.is_zero()),
            end,
            waited: Duration::ZERO,
        }
    }

    /// The next turn; `None` if the time is up. The random number `chance` makes a pause up to a
    /// quarter longer or shorter.
    pub(crate) fn next_turn(&mut self, chance: u32) -> Option<Turn> {
        if self.is_over {
            return None;
        }
        let most = match self.waited < LONG {
            true => MAX_PAUSE,
            false => MAX_LATE_PAUSE,
        };
        let pause = (self.waited / PART).clamp(Duration::from_millis(1), most);
        let pause = pause / 1000 * (750 + chance % 500);
        let burst = pause / BURST_PART;
        if let Some((end, last)) = self.end {
            let left = end.saturating_sub(self.waited);
            if pause + burst >= left {
                self.is_over = true;
                return Some(Turn {
                    pause: left,
                    burst: last,
                    yields: true,
                });
            }
        }
        self.waited = self.waited.saturating_add(pause).saturating_add(burst);
        Some(Turn {
            pause,
            burst,
            yields: false,
        })
    }
}

/// The operations that waiting needs from the system.
trait Waiting {
    fn chance(&mut self) -> u32;
    fn now(&mut self) -> Duration;
    fn sleep(&mut self, pause: Duration);
    /// Lets other threads and processes run, such as the owner of the lock.
    fn yield_now(&mut self);
}

/// The system's clock.
struct Clock(Instant);

impl Waiting for Clock {
    fn chance(&mut self) -> u32 {
        random::next()
    }

    fn now(&mut self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&mut self, pause: Duration) {
        thread::sleep(pause);
    }

    fn yield_now(&mut self) {
        thread::yield_now();
    }
}

/// Calls `create` until it succeeds or fails with an error other than `AlreadyExists`, or until
/// `timeout_ms` have passed; a negative timeout waits forever.
pub(crate) fn with_backoff<T>(
    timeout_ms: i64,
    create: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    wait_by(&mut Clock(Instant::now()), timeout_ms, create)
}

fn wait_by<T>(
    system: &mut impl Waiting,
    timeout_ms: i64,
    mut create: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    let mut tried = move || match create() {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => None,
        done => Some(done),
    };
    if let Some(done) = tried() {
        return done;
    }
    let mut backoff = Backoff::new(timeout_ms);
    while let Some(turn) = backoff.next_turn(system.chance()) {
        system.sleep(turn.pause);
        let end = system.now().saturating_add(turn.burst);
        loop {
            if let Some(done) = tried() {
                return done;
            }
            if system.now() >= end {
                break;
            }
            if turn.yields {
                system.yield_now();
            }
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    /// How long a try takes on the fake clock.
    const TRY: Duration = Duration::from_micros(5);

    /// A clock that only moves when it is used.
    struct Fake {
        now: Duration,
        slept: Duration,
        chance: u32,
        /// How long a yield takes, which depends on who else wants the processor.
        yield_takes: Duration,
    }

    impl Waiting for Fake {
        fn chance(&mut self) -> u32 {
            self.chance
        }

        fn now(&mut self) -> Duration {
            self.now += TRY;
            self.now
        }

        fn sleep(&mut self, pause: Duration) {
            self.now += pause;
            self.slept += pause;
        }

        fn yield_now(&mut self) {
            self.now += self.yield_takes;
        }
    }

    fn fake(chance: u32) -> Fake {
        Fake {
            now: Duration::ZERO,
            slept: Duration::ZERO,
            chance,
            yield_takes: Duration::ZERO,
        }
    }

    fn busy() -> io::Result<()> {
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn turns(timeout_ms: i64, chance: u32) -> Vec<Turn> {
        let mut backoff = Backoff::new(timeout_ms);
        std::iter::from_fn(|| backoff.next_turn(chance)).collect()
    }

    #[test]
    fn turns_add_up_to_the_timeout() {
        for timeout in [0, 1, 2, 3, 7, 8, 50, 100, 1000, 5000, 100_000] {
            for chance in [0, 250, 499] {
                let turns = turns(timeout, chance);
                let sum: Duration = turns.iter().map(|turn| turn.pause + turn.burst).sum();
                assert_eq!(sum, Duration::from_millis(timeout.try_into().unwrap()));
            }
        }
    }

    #[test]
    fn pauses_grow_with_the_time_that_was_waited() {
        let turns = turns(100_000, 250);
        let mut waited = Duration::ZERO;
        for turn in &turns {
            let most = if waited < LONG {
                MAX_PAUSE
            } else {
                MAX_LATE_PAUSE
            };
            assert!(turn.pause <= (MS + waited / PART).min(most), "{turn:?}");
            waited += turn.pause + turn.burst;
        }
        assert!(turns.iter().any(|turn| turn.pause == MAX_LATE_PAUSE));
    }

    #[test]
    fn waiting_uses_little_processor_time() {
        for timeout in [100, 5000, 60_000] {
            let mut system = fake(250);
            let mut tries: u64 = 0;
            let count = || {
                tries += 1;
                busy()
            };
            assert!(wait_by(&mut system, timeout, count).is_err());
            let awake = system.now - system.slept;
            assert!(awake < system.now / 3, "{awake:?} of {:?}", system.now);
            assert!(awake < system.now / 12 + 2 * MAX_LAST, "{awake:?}");
            assert!(tries > 1000, "{tries} tries");
        }
    }

    #[test]
    fn bursts_remain_bursts_if_others_want_the_processor() {
        let mut system = fake(250);
        system.yield_takes = 4 * MS;
        let mut tries = 0;
        let count = || {
            tries += 1;
            busy()
        };
        assert!(wait_by(&mut system, 5000, count).is_err());
        assert!(tries > 50_000, "{tries} tries");
    }

    #[test]
    fn the_last_burst_finds_a_short_gap() {
        // Free for 10 µs after 9 ms each.
        let mut at = Duration::ZERO;
        let mut missed = 0;
        for start in 0..200 {
            let mut system = fake(start * 3);
            system.now = Duration::from_micros(u64::from(start) * 47);
            let clock = std::cell::Cell::new(system.now);
            let mut watched = Watched(&mut system, &clock);
            let create = || match clock.get().as_micros() % 9010 {
                0..9000 => busy(),
                _ => Ok(()),
            };
            missed += i32::from(wait_by(&mut watched, 100, create).is_err());
            at = at.max(system.now);
        }
        assert_eq!(missed, 0);
    }

    /// A fake clock whose time the lock can read.
    struct Watched<'a>(&'a mut Fake, &'a std::cell::Cell<Duration>);

    impl Waiting for Watched<'_> {
        fn chance(&mut self) -> u32 {
            self.0.chance()
        }

        fn now(&mut self) -> Duration {
            let now = self.0.now();
            self.1.set(now);
            now
        }

        fn sleep(&mut self, pause: Duration) {
            self.0.sleep(pause);
        }

        fn yield_now(&mut self) {}
    }

    #[test]
    fn an_unlimited_wait_succeeds_eventually() {
        let mut tries = 0;
        let later = || {
            tries += 1;
            if tries < 100_000 {
                busy()
            } else {
                Ok(())
            }
        };
        let mut system = fake(250);
        wait_by(&mut system, -1, later).unwrap();
        assert!(system.slept > LONG / 2);
    }

    #[test]
    fn other_errors_end_the_wait() {
        let denied = || Err::<(), _>(io::ErrorKind::PermissionDenied.into());
        let mut system = fake(250);
        let error = wait_by(&mut system, -1, denied).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(system.slept, Duration::ZERO);
    }
}
