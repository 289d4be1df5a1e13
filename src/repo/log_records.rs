//! Log records that are more than an entry: tombstones, and the marker of an empty log.
#![forbid(unsafe_code)]

use crate::format::Result;
use crate::merged::MergedLogs;
use crate::record::{LogRecord, LogUpdate, LogValue, Zone};
use crate::table::Writer;

/// The null id of the longest hash.
const NULL_ID: [u8; 32] = [0; 32];

/// The tombstone of an entry in the log of `name`.
pub(crate) fn tombstone(name: &[u8], update_index: u64) -> LogRecord<'_> {
    LogRecord {
        name,
        update_index,
        value: LogValue::Deletion,
    }
}

/// The marker, an entry that makes the log of `name` exist. Both its ids are null, and readers skip
/// it. It is written verbatim.
pub(crate) fn marker(name: &[u8], update_index: u64, hash_len: usize) -> LogRecord<'_> {
    let null = NULL_ID.get(..hash_len).unwrap_or(&NULL_ID);
    LogRecord {
        name,
        update_index,
        value: LogValue::Update(LogUpdate {
            old_hash: null,
            new_hash: null,
            name: b"",
            email: b"",
            time: 0,
            tz_offset: Zone::default(),
            message: b"",
        }),
    }
}

/// Adds a tombstone for each entry of the log of `name`, markers included. Uses no memory for them:
/// a log may have millions.
pub(crate) fn add_tombstones(
    writer: &mut Writer<'_>,
    logs: &mut MergedLogs,
    name: &[u8],
) -> Result<()> {
    let mut last = None;
    logs.seek_only(name)?;
    while logs.advance()? {
        let update_index = logs.record().update_index;
        // Tables of git's C writer may contain a key twice.
        if last.replace(update_index) != Some(update_index) {
            writer.add_log(&tombstone(name, update_index))?;
        }
    }
    Ok(())
}
