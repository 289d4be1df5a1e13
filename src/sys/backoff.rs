//! Waiting for a lock that another holds.
#![forbid(unsafe_code)]

use std::io;

/// The longest pause between two tries, in milliseconds.
const MAX_PAUSE_MS: u64 = 1000;

/// A pause is this part of the time that was waited before, so that a lock which comes
/// free is found soon after, however long the wait was.
const PART: u64 = 8;

/// Calls `create` until it succeeds, fails otherwise than by `AlreadyExists`, or the pauses
/// add up to `timeout_ms` (negative: for ever). A pause is a quarter longer or shorter by
/// chance.
///
/// The lock of a list is held for a millisecond or so: with pauses that grow by squares, as
/// those of git's lock files, most of 100 ms would pass in three of them.
pub(crate) fn with_backoff<T>(
    timeout_ms: i64,
    mut random: impl FnMut() -> u32,
    mut sleep: impl FnMut(u64),
    mut create: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    let timeout = u64::try_from(timeout_ms).ok();
    let mut waited: u64 = 0;
    loop {
        match create() {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            done => return done,
        }
        let left = timeout.map_or(u64::MAX, |timeout| timeout.saturating_sub(waited));
        if left == 0 {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let pause = (waited / PART).clamp(1, MAX_PAUSE_MS);
        let pause = (750 + u64::from(random() % 500)) * pause / 1000;
        // The last try comes when the time is up, not before and not much later.
        let pause = pause.clamp(1, left);
        sleep(pause);
        waited = waited.saturating_add(pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy() -> io::Result<()> {
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// The pauses until it is given up; `chance` is every random number.
    fn pauses(timeout_ms: i64, chance: u32) -> Vec<u64> {
        let mut slept = Vec::new();
        assert!(with_backoff(timeout_ms, || chance, |ms| slept.push(ms), busy).is_err());
        slept
    }

    #[test]
    fn pauses_add_up_to_the_timeout() {
        for timeout in [0, 1, 2, 3, 50, 100, 1000, 5000, 100_000] {
            for chance in [0, 250, 499] {
                let sum: u64 = pauses(timeout, chance).iter().sum();
                assert_eq!(i64::try_from(sum), Ok(timeout), "{chance}");
            }
        }
    }

    #[test]
    fn pauses_grow_with_the_time_that_was_waited() {
        let slept = pauses(20_000, 250);
        let mut waited = 0;
        for pause in &slept {
            assert!(*pause <= 1 + waited / PART && *pause <= MAX_PAUSE_MS);
            waited += pause;
        }
        assert!(slept.contains(&MAX_PAUSE_MS));
        let short = pauses(100, 250).len();
        assert!((25..60).contains(&short), "{short} tries in 100 ms");
    }

    #[test]
    fn who_waits_for_ever_gets_it_in_the_end() {
        let mut tries = 0;
        let later = || {
            tries += 1;
            if tries < 200 {
                busy()
            } else {
                Ok(())
            }
        };
        let mut slept = Vec::new();
        with_backoff(-1, || 250, |ms| slept.push(ms), later).unwrap();
        assert_eq!(slept.last(), Some(&MAX_PAUSE_MS));
    }

    #[test]
    fn other_errors_are_not_waited_for() {
        let denied = || Err::<(), _>(io::ErrorKind::PermissionDenied.into());
        let mut slept = 0;
        let error = with_backoff(-1, || 250, |_| slept += 1, denied).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(slept, 0);
    }
}
