//! Inflating log blocks.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::mem;

use flate2::{Decompress, FlushDecompress, Status};
use simd_adler32::adler32;

use super::recent::Inflated;
use super::{GROWTH, HEADER, SPARE_ROOM};
use crate::format::error::wide;
use crate::format::{Corruption, Damage, Expected, FlawKind, Result};

/// Bytes of the checksum. The inflater's own Adler-32 processes one byte at a time, which took an
/// eighth of the time for reading logs.
const CHECKSUM_LEN: usize = 4;
/// Inflated bytes after which the declared length of a block is trusted.
const TRUSTED: usize = 1 << 20;

thread_local! {
    /// The thread's state for inflating. It is shared because it is only needed while a block is
    /// being inflated, and a merged view has one cursor per table.
    static INFLATE_STATE: Cell<Option<Box<Decompress>>> = const { Cell::new(None) };
    /// A buffer that its inflater has released.
    static SPARE_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Inflates blocks one after another into the same buffer, which is allocated when first needed.
/// A block that the thread has inflated recently is not inflated again.
#[derive(Default)]
pub(crate) struct Inflater {
    last: Inflated,
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater")
            .field("len", &self.last.len)
            .finish_non_exhaustive()
    }
}

impl Inflater {
    /// The last block: its header, then its inflated content.
    #[inline]
    pub(crate) fn block(&self) -> &[u8] {
        self.last.buffer.get(..self.last.len).unwrap_or_default()
    }

    /// Bytes of memory in use.
    #[inline]
    pub(crate) fn held(&self) -> usize {
        self.last.buffer.len()
    }

    /// Drops the block and leaves its buffer to the next inflater.
    #[cold]
    pub(crate) fn release(&mut self) {
        let buffer = mem::take(&mut self.last).buffer;
        // Fails while the thread ends, when no spare is needed.
        let _ = SPARE_BUFFER.try_with(|spare| spare.set(buffer));
    }

    /// Inflates the block at the start of `bytes`, of which the first `header` bytes are not
    /// deflated, to `len` bytes. Returns the number of bytes of the block in the file.
    ///
    /// The buffer grows with the bytes actually inflated, not with the declared length.
    // Not inlined: the inflater is 16 KB of code that a lookup of a ref does not need.
    #[inline(never)]
    pub(crate) fn inflate(
        &mut self,
        bytes: &[u8],
        header: usize,
        len: usize,
    ) -> Result<usize, Damage> {
        if let Some(size) = self.last.find(bytes, header, len) {
            return Ok(size);
        }
        #[cfg(test)]
        super::counts::add_one(&super::counts::INFLATED);
        self.last.len = 0;
        let Some((head, stream)) = bytes.split_at_checked(header) else {
            return Err(Corruption::at(0, "block header", header, bytes.len()));
        };
        if len <= header {
            let least = Expected::AtLeast(wide(header).saturating_add(1));
            return Err(Corruption::new(
                0,
                "inflated block length",
                wide(len),
                least,
            ));
        }
        let Some(deflated) = after_header(stream) else {
            return Err(bad_stream(true, header, len));
        };
        if self.last.buffer.is_empty() {
            self.last.buffer = SPARE_BUFFER.try_with(Cell::take).unwrap_or_default();
        }
        let kept = INFLATE_STATE.try_with(Cell::take).ok().flatten();
        let mut state = kept.unwrap_or_else(|| Box::new(Decompress::new(false)));
        state.reset(false);
        let result = self.inflate_with(&mut state, head, deflated, len);
        let _ = INFLATE_STATE.try_with(|kept| kept.set(Some(state)));
        let size = header + HEADER.len() + result? + CHECKSUM_LEN;
        let source = bytes.get(..size).unwrap_or_default();
        self.last.set(source, header, len);
        Ok(size)
    }

    /// Fills the buffer up to `len` with `head` and the inflated `deflated`; returns the number of
    /// deflated bytes.
    fn inflate_with(
        &mut self,
        state: &mut Decompress,
        head: &[u8],
        deflated: &[u8],
        len: usize,
    ) -> Result<usize, Damage> {
        let (buffer, header) = (&mut self.last.buffer, head.len());
        if buffer.len() < header {
            grow(buffer, header)?;
        }
        if let Some(target) = buffer.get_mut(..header) {
            target.copy_from_slice(head);
        }
        let room = len.saturating_add(SPARE_ROOM);
        loop {
            let read = usize::try_from(state.total_in()).unwrap_or(usize::MAX);
            let done = header + usize::try_from(state.total_out()).unwrap_or(usize::MAX - header);
            if buffer.len() < room && buffer.len().saturating_sub(done) < GROWTH {
                // After a megabyte, allocate the declared length at once: growing a large buffer
                // may need the memory of both sizes.
                let more = if done < TRUSTED {
                    done.max(GROWTH)
                } else {
                    room
                };
                let grown = done.saturating_add(more).min(room);
                grow(buffer, grown)?;
            }
            let limit = room.min(buffer.len());
            let input = deflated.get(read..).unwrap_or_default();
            let output = buffer.get_mut(done..limit).unwrap_or_default();
            let status = state.decompress(input, output, FlushDecompress::Finish);
            let written =
                header + usize::try_from(state.total_out()).unwrap_or(usize::MAX - header);
            match status {
                Ok(Status::StreamEnd) if written == len => {
                    let read = usize::try_from(state.total_in()).unwrap_or(usize::MAX);
                    let sum = deflated.get(read..).and_then(|rest| rest.first_chunk());
                    let content = buffer.get(header..len).unwrap_or_default();
                    if sum.map(|&sum| u32::from_be_bytes(sum)) != Some(adler32(&content)) {
                        return Err(bad_stream(sum.is_some(), written, len));
                    }
                    return Ok(read);
                }
                // The buffer was full; continue in a larger one.
                Ok(Status::Ok | Status::BufError) if written == limit && limit < room => {}
                result => return Err(bad_stream(result.is_err(), written, len)),
            }
        }
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        mem::take(&mut self.last).keep();
    }
}

/// Extends `buffer` to `len` if it is shorter.
fn grow(buffer: &mut Vec<u8>, len: usize) -> Result<(), Damage> {
    let more = len.saturating_sub(buffer.len());
    // Exact, because blocks have at most 16 MiB and doubling would waste memory.
    if buffer.try_reserve_exact(more).is_err() {
        let mut damage = Corruption::new(0, "memory", wide(len), Expected::AtMost(0));
        damage.kind = FlawKind::Memory;
        return Err(damage);
    }
    buffer.resize(len.max(buffer.len()), 0);
    Ok(())
}

/// The bytes after a valid header of a zlib stream without a preset dictionary (RFC 1950,
/// section 2.2).
fn after_header(stream: &[u8]) -> Option<&[u8]> {
    let (&[method, flags], deflated) = stream.split_first_chunk()?;
    let deflates = method & 0x0f == 8 && method >> 4 <= 7;
    let has_dictionary = flags & 0x20 != 0;
    let is_whole = u16::from_be_bytes([method, flags]) % 31 == 0;
    (deflates && !has_dictionary && is_whole).then_some(deflated)
}

#[cold]
fn bad_stream(broken: bool, written: usize, len: usize) -> Damage {
    let what = match (broken, written < len) {
        (true, _) => "broken zlib stream in a log block, bytes inflated",
        (false, true) => "log block inflates to fewer bytes than declared",
        (false, false) => "log block inflates to more bytes than declared, or ends early",
    };
    let mut damage = Corruption::new(0, what, wide(written), Expected::Exactly(wide(len)));
    if broken || written >= len {
        damage.kind = FlawKind::Zlib;
    }
    damage
}

#[cfg(test)]
mod tests;
