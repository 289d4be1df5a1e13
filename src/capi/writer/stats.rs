//! Statistics of a writer for C.

use std::ffi::c_int;

use super::{reftable_block_stats, reftable_stats};
use crate::table::{BlockStats, Stats};

/// Converts a number; one that does not fit becomes the greatest `c_int`.
fn int(number: u64) -> c_int {
    c_int::try_from(number).unwrap_or(c_int::MAX)
}

impl From<&BlockStats> for reftable_block_stats {
    fn from(stats: &BlockStats) -> Self {
        Self {
            entries: int(stats.entries),
            restarts: u32::try_from(stats.restarts).unwrap_or(u32::MAX),
            blocks: int(stats.blocks),
            index_blocks: int(stats.index_blocks),
            max_index_level: int(stats.max_index_level.into()),
            offset: stats.offset,
            index_offset: stats.index_offset,
        }
    }
}

impl From<&Stats> for reftable_stats {
    fn from(stats: &Stats) -> Self {
        Self {
            blocks: int(stats.blocks),
            ref_stats: (&stats.ref_stats).into(),
            obj_stats: (&stats.obj_stats).into(),
            idx_stats: (&stats.idx_stats).into(),
            log_stats: (&stats.log_stats).into(),
            object_id_len: stats.object_id_len.into(),
        }
    }
}
