//! Iterating over the refs and over the logs of several tables.

use std::ffi::c_int;

use super::source::Source;
use crate::capi::iterator::Reader;
use crate::capi::record::{reftable_log_record, reftable_ref_record, RecordOut};
use crate::capi::table::TableHold;
use crate::ffi::code::{answer, number_found, CResult};
use crate::merged::{MergedLogs, MergedRefs};

/// The refs of a view. The cursor comes first, so that it is dropped before the tables.
#[derive(Debug)]
pub(super) struct Refs {
    refs: MergedRefs,
    /// Whether the iterator was positioned. Before that it returns nothing.
    sought: bool,
    _holds: Vec<TableHold>,
}

impl Refs {
    pub(super) fn new(source: &Source) -> CResult<Self> {
        let snapshot = source.snapshot()?;
        Ok(Self {
            refs: snapshot.merged.refs(snapshot.tombstones),
            sought: false,
            _holds: snapshot.holds,
        })
    }
}

impl Reader for Refs {
    fn seek_ref(&mut self, name: &[u8]) -> CResult<bool> {
        self.sought = true;
        self.refs.seek(name)?;
        Ok(true)
    }

    fn next_ref(&mut self, to: RecordOut<reftable_ref_record>) -> c_int {
        if let Some(filled) = self.refs.advance_fast(|record| to.fill(record)) {
            return number_found(filled);
        }
        answer(|| {
            if !self.sought || !self.refs.advance()? {
                return Ok(false);
            }
            match self.refs.fast_record() {
                Some(record) => to.fill(&record),
                None => to.fill_careful(&self.refs.record()),
            }
        })
    }
}

/// The logs of a view. The cursor comes first, so that it is dropped before the tables.
#[derive(Debug)]
pub(super) struct Logs {
    logs: MergedLogs,
    /// Whether the iterator was positioned. Before that it returns nothing.
    sought: bool,
    _holds: Vec<TableHold>,
}

impl Logs {
    pub(super) fn new(source: &Source) -> CResult<Self> {
        let snapshot = source.snapshot()?;
        Ok(Self {
            logs: snapshot.merged.logs(snapshot.tombstones),
            sought: false,
            _holds: snapshot.holds,
        })
    }
}

impl Reader for Logs {
    fn seek_log(&mut self, name: &[u8], update_index: u64) -> CResult<bool> {
        self.sought = true;
        self.logs.seek_at(name, update_index)?;
        Ok(true)
    }

    fn next_log(&mut self, to: RecordOut<reftable_log_record>) -> c_int {
        answer(|| {
            if !self.sought || !self.logs.advance()? {
                return Ok(false);
            }
            to.fill(&self.logs.record())
        })
    }
}
