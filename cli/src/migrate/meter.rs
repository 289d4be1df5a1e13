//! How far a migration is.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::sync::Arc;

use reftable::HashId;

use crate::failure::Result;
use crate::interrupt::Interrupt;
use crate::progress::{Bar, OnSignal, Progress, STEP};

/// Bytes between two additions to the counts.
const STEP_BYTES: u64 = 1 << 16;

/// Counts what has been moved, for a bar, and ends the migration after a signal.
pub struct Meter<'i> {
    counts: Arc<Progress>,
    /// `None` if there is no bar, and signals do not matter.
    shown: Option<(Bar, &'i Interrupt)>,
    /// What has not been added to the counts.
    records: Cell<u64>,
    bytes: Cell<u64>,
}

impl<'i> Meter<'i> {
    /// For a store that would take about `bytes` in files. They are counted twice: when they are
    /// written, and when they are compared.
    pub fn start(bytes: u64, interrupt: &'i Interrupt) -> Self {
        let counts = Arc::new(Progress::default());
        let total = bytes.saturating_mul(2);
        let bar = Bar::start("moving", total, &counts, &OnSignal::Stop(interrupt));
        Self {
            counts,
            shown: Some((bar, interrupt)),
            records: Cell::new(0),
            bytes: Cell::new(0),
        }
    }

    /// Shows nothing.
    pub fn hidden() -> Self {
        Self {
            counts: Arc::default(),
            shown: None,
            records: Cell::new(0),
            bytes: Cell::new(0),
        }
    }

    /// Counts records, and bytes in the form of files. Fails after a signal.
    pub fn add(&self, records: u64, bytes: u64) -> Result<()> {
        let (records, bytes) = (self.records.get() + records, self.bytes.get() + bytes);
        if records < STEP && bytes < STEP_BYTES {
            self.records.set(records);
            self.bytes.set(bytes);
            return Ok(());
        }
        self.records.set(0);
        self.bytes.set(0);
        self.counts.add(records, bytes);
        match &self.shown {
            Some((_, interrupt)) => interrupt.check(),
            None => Ok(()),
        }
    }
}

/// The length of the line that a ref has in `packed-refs`.
pub fn line_len(name: &[u8], hash: HashId) -> u64 {
    let len = 2 * hash.len() + " \n".len() + name.len();
    u64::try_from(len).unwrap_or(u64::MAX)
}
