//! Everything that a source holds, read at once.

use std::ops::Deref;

use super::{reftable_block_data, reftable_block_source};
use crate::ffi::code::{Code, Outcome};
use crate::sys::TableData;

/// Most bytes that are asked for at once: what a source returns is a signed number, which
/// has 32 bits on some systems.
const MOST: u32 = 1 << 30;

/// Bytes of a source; goes back to it when dropped.
#[derive(Debug)]
struct Borrowed(reftable_block_data);

// SAFETY: the bytes never change while they are borrowed. A source that C has given is
// called by the thread that uses the table, as the API says: one thread at a time.
unsafe impl Send for Borrowed {}
// SAFETY: the same; shared references only read the bytes.
unsafe impl Sync for Borrowed {}

impl Deref for Borrowed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the source keeps its bytes as they are until they are released, which
        // happens when `self` is dropped.
        unsafe { self.0.bytes() }
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        // SAFETY: the source has given the bytes, and who borrowed them is gone.
        unsafe { self.0.release() };
    }
}

/// Reads the whole content of a source. If the source gives it in one piece it is not
/// copied.
///
/// # Errors
/// An input error when the source fails or gives fewer bytes than it was asked for.
///
/// # Safety
/// It is a source as C must make it, and stays open longer than what is returned.
pub(in super::super) unsafe fn read_all(source: &reftable_block_source) -> Outcome<TableData> {
    // SAFETY: the caller's promise.
    let size = unsafe { source.size() }?;
    let mut copy = Vec::new();
    while (copy.len() as u64) < size {
        let off = copy.len() as u64;
        let wanted = u32::try_from(size - off).unwrap_or(MOST).min(MOST);
        // SAFETY: the caller's promise.
        let piece = Borrowed(unsafe { source.read(off, wanted) }.map_err(|_| Code::IO)?);
        if piece.is_empty() || piece.len() as u64 != u64::from(wanted) {
            return Err(Code::IO);
        }
        if piece.len() as u64 == size {
            return Ok(TableData::kept(piece));
        }
        copy.try_reserve(piece.len()).map_err(|_| Code::NO_MEMORY)?;
        copy.extend_from_slice(&piece);
    }
    Ok(TableData::from(copy))
}
