//! Times of reflog entries.
#![forbid(unsafe_code)]

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::record::Zone;

/// A moment, and the time zone of the clock that showed it.
///
/// Its text, in [`Display`](fmt::Display), is git's: `1700000000 +0530`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Time {
    /// Seconds since 1970 in UTC.
    pub seconds: u64,
    /// The time zone.
    pub zone: Zone,
}

impl Time {
    /// The current time, in UTC: the standard library does not know the local time zone.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            seconds: since.map_or(0, |since| since.as_secs()),
            zone: Zone::default(),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.seconds, self.zone)
    }
}
