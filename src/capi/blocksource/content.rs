//! Reading the whole content of a source.

use std::ops::Deref;

use super::{reftable_block_data, reftable_block_source};
use crate::ffi::code::{CResult, Code};
use crate::sys::TableData;

/// The most bytes to request at once: a source returns their number as a signed integer,
/// which has 32 bits on some systems.
const MOST: u32 = 1 << 30;

/// Bytes of a source, released on drop.
#[derive(Debug)]
struct Borrowed(reftable_block_data);

// SAFETY: the bytes never change while they are borrowed. The API
// requires that a table is used by one thread at a time, so its source is called by one
// thread at a time.
unsafe impl Send for Borrowed {}
// SAFETY: the same; shared references only read the bytes.
unsafe impl Sync for Borrowed {}

impl Deref for Borrowed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the bytes do not change until they are released, on drop of `self`.
        unsafe { self.0.bytes() }
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        // SAFETY: the bytes come from the source, and no borrow of them is left.
        unsafe { self.0.release() };
    }
}

/// Reads the whole content of a source. It is not copied if the source returns it in one
/// piece.
///
/// # Errors
/// An input error if the source fails or returns fewer bytes than requested.
///
/// # Safety
/// The source is valid as the C API requires, and stays open longer than the returned data.
pub(in super::super) unsafe fn read_all(source: &reftable_block_source) -> CResult<TableData> {
    // SAFETY: the caller's promise.
    unsafe { read_in_pieces(source, MOST) }
}

/// Reads the whole content, at most `most` bytes at once.
///
/// # Errors
/// As for [`read_all`].
///
/// # Safety
/// As for [`read_all`].
unsafe fn read_in_pieces(source: &reftable_block_source, most: u32) -> CResult<TableData> {
    // SAFETY: the caller's promise.
    let size = unsafe { source.size() }?;
    let mut copy = Vec::new();
    while (copy.len() as u64) < size {
        let off = copy.len() as u64;
        let wanted = u32::try_from(size - off).unwrap_or(most).min(most);
        // SAFETY: the caller's promise.
        let piece = Borrowed(unsafe { source.read(off, wanted) }.map_err(|_| Code::IO)?);
        if piece.len() as u64 != u64::from(wanted) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capi::testing::CountedSource;

    #[test]
    fn content_is_read_in_pieces() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for (most, reads, lent) in [(1000, 1, 1), (999, 2, 0), (100, 10, 0), (7, 143, 0)] {
            let counts = CountedSource::new(bytes.clone());
            // SAFETY: the source outlives what is read.
            let data = unsafe { read_in_pieces(&counts.source(), most) }.unwrap();
            assert_eq!(*data, *bytes);
            assert_eq!((counts.reads.get(), counts.lent.get()), (reads, lent));
            drop(data);
            assert_eq!(counts.lent.get(), 0);
        }
    }

    #[test]
    fn a_short_read_is_an_error() {
        let mut counts = CountedSource::new(vec![1; 1000]);
        counts.most = Some(99);
        // SAFETY: as above.
        let read = unsafe { read_in_pieces(&counts.source(), 100) };
        assert!(matches!(read, Err(Code::IO)));
        assert_eq!((counts.reads.get(), counts.lent.get()), (1, 0));
    }
}
