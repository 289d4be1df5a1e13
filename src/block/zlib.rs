//! Deflating and inflating log blocks.
//!
//! ```text
//! offset  size  content (RFC 1950)
//!      0  2     header: method, window size, flags
//!      2  n     deflated bytes
//!  2 + n  4     Adler-32 of the inflated bytes, big-endian
//! ```
//!
//! The inflater is passed the deflated bytes only; header and checksum are checked here.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::mem;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use simd_adler32::adler32;

use crate::format::error::wide;
use crate::format::{Corruption, Damage, Error, Expected, FlawKind, Result};

/// Compression level, the same as in git's writer. Lower levels are faster, but then the sizes of
/// tables differ from git's, and the geometric rule compacts other tables.
const LEVEL: u32 = 9;
/// Header of a stream with a window of 32 KiB and best compression (RFC 1950, section 2.2).
const HEADER: [u8; 2] = [0x78, 0xda];
/// Bytes of the checksum. The inflater's own Adler-32 processes one byte at a time, which took an
/// eighth of the time for reading logs.
const CHECKSUM_LEN: usize = 4;
/// Minimum window, which holds a block of git's default size. A smaller one saves next to nothing.
const MIN_WINDOW_BITS: u8 = 13;
const MAX_WINDOW_BITS: u8 = 15;
/// Bytes of the window that matches cannot reach (zlib's `MIN_LOOKAHEAD`).
const UNREACHED: usize = 262;
/// Spare bytes after an inflated block. With less room than the longest match and a few words, the
/// inflater falls back to a slow loop.
const SPARE_ROOM: usize = 320;
/// Minimum bytes by which output buffers grow.
const GROWTH: usize = 64 * 1024;

/// Inflated bytes after which the declared length of a block is trusted.
const TRUSTED: usize = 1 << 20;

thread_local! {
    /// The state of the thread's last deflater. A process that adds a table usually compacts next,
    /// and a new state costs more than deflating the logs of a small table.
    static SPARE: Cell<Option<DeflateState>> = const { Cell::new(None) };
    /// The thread's state for inflating. It is shared because it is only needed while a block is
    /// being inflated, and a merged view has one cursor per table.
    static INFLATE_STATE: Cell<Option<Box<Decompress>>> = const { Cell::new(None) };
    /// The buffer of the thread's last inflater: a walk over the logs of many refs creates one
    /// cursor per ref.
    static SPARE_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

#[cfg(test)]
pub(crate) mod counts;

struct DeflateState {
    state: Compress,
    window_bits: u8,
}

impl DeflateState {
    /// A state with the smallest window in which matches reach all of `len` bytes. Larger windows
    /// give the same result, except for the header, but take longer to clear.
    fn new(len: usize) -> Self {
        let window_bits = (MIN_WINDOW_BITS..MAX_WINDOW_BITS)
            .find(|&bits| Self::reach(bits) >= len)
            .unwrap_or(MAX_WINDOW_BITS);
        Self {
            state: Compress::new_with_window_bits(Compression::new(LEVEL), true, window_bits),
            window_bits,
        }
    }

    fn reach(window_bits: u8) -> usize {
        (1 << window_bits) - UNREACHED
    }

    fn suits(&self, len: usize) -> bool {
        self.window_bits == MAX_WINDOW_BITS || len <= Self::reach(self.window_bits)
    }
}

/// Deflates blocks one after another with the same state.
pub(crate) struct Deflater {
    /// Created when first needed.
    state: Option<DeflateState>,
    out: Vec<u8>,
}

impl std::fmt::Debug for Deflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deflater").finish_non_exhaustive()
    }
}

impl Deflater {
    pub(crate) fn new() -> Self {
        Self {
            state: SPARE.try_with(Cell::take).ok().flatten(),
            out: Vec::new(),
        }
    }

    /// Deflates `content`; the result is valid until the next call.
    pub(crate) fn deflate(&mut self, content: &[u8]) -> Result<&[u8]> {
        #[cfg(test)]
        counts::add_one(&counts::DEFLATED);
        let kept = self.state.take().filter(|kept| kept.suits(content.len()));
        let state = kept.unwrap_or_else(|| DeflateState::new(content.len()));
        let state = &mut self.state.insert(state).state;
        // Resetting clears more than 100 KB, which is unnecessary for a new state.
        if state.total_in() > 0 || state.total_out() > 0 {
            state.reset();
        }
        self.out.clear();
        // Incompressible bytes grow by less than one percent.
        self.out.reserve(content.len() + content.len() / 64 + 256);
        loop {
            let read = usize::try_from(state.total_in()).unwrap_or(usize::MAX);
            let rest = content.get(read..).unwrap_or_default();
            match state.compress_vec(rest, &mut self.out, FlushCompress::Finish) {
                Ok(Status::StreamEnd) => {
                    if let Some(header) = self.out.first_chunk_mut() {
                        *header = HEADER;
                    }
                    return Ok(&self.out);
                }
                Ok(_) => self.out.reserve(GROWTH),
                Err(_) => {
                    let mut flaw = Corruption::at(read, "deflated bytes", read, content.len());
                    flaw.kind = FlawKind::Zlib;
                    return Err(Error::Compression(flaw));
                }
            }
        }
    }
}

impl Drop for Deflater {
    fn drop(&mut self) {
        // Fails while the thread ends, when no spare is needed.
        let _ = SPARE.try_with(|spare| spare.set(self.state.take()));
    }
}

/// Inflates blocks one after another into the same buffer, which is allocated when first needed.
#[derive(Default)]
pub(crate) struct Inflater {
    /// The last block; as long as the longest block so far.
    buffer: Vec<u8>,
    len: usize,
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl Inflater {
    /// The last block: its header, then its inflated content.
    #[inline]
    pub(crate) fn block(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }

    /// Bytes of memory in use.
    #[inline]
    pub(crate) fn held(&self) -> usize {
        self.buffer.len()
    }

    /// Drops the block and leaves its buffer to the next inflater.
    #[cold]
    pub(crate) fn release(&mut self) {
        self.len = 0;
        let buffer = mem::take(&mut self.buffer);
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
        #[cfg(test)]
        counts::add_one(&counts::INFLATED);
        self.len = 0;
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
        if self.buffer.is_empty() {
            self.buffer = SPARE_BUFFER.try_with(Cell::take).unwrap_or_default();
        }
        let kept = INFLATE_STATE.try_with(Cell::take).ok().flatten();
        let mut state = kept.unwrap_or_else(|| Box::new(Decompress::new(false)));
        state.reset(false);
        let result = self.inflate_with(&mut state, head, deflated, len);
        let _ = INFLATE_STATE.try_with(|kept| kept.set(Some(state)));
        let read = result?;
        self.len = len;
        Ok(header + HEADER.len() + read + CHECKSUM_LEN)
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
        let (buffer, header) = (&mut self.buffer, head.len());
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
    /// Leaves a small buffer to the next inflater. A large one is freed.
    fn drop(&mut self) {
        let buffer = mem::take(&mut self.buffer);
        let _ = SPARE_BUFFER.try_with(|spare| {
            let kept = match buffer.is_empty() {
                true => spare.take(),
                false => buffer,
            };
            if kept.capacity() <= GROWTH + SPARE_ROOM {
                spare.set(kept);
            } else {
                spare.take();
            }
        });
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn deflated(header: &[u8], content: &[u8]) -> Vec<u8> {
        let mut deflater = Deflater::new();
        [header, deflater.deflate(content).unwrap()].concat()
    }

    proptest! {
        #[test]
        fn blocks_round_trip_with_one_state(
            blocks in prop::collection::vec(
                (1_usize..150_000, any::<u8>(), 0_usize..30), 1..4),
        ) {
            let mut inflater = Inflater::default();
            let mut deflater = Deflater::new();
            for (len, step, header) in blocks {
                let content: Vec<u8> = (0..len)
                    .map(|n| (n.wrapping_mul(usize::from(step)) >> 3).to_le_bytes()[0])
                    .collect();
                let head = vec![7; header];
                let mut bytes = [&head[..], deflater.deflate(&content).unwrap()].concat();
                let deflated_len = bytes.len();
                bytes.extend_from_slice(b"next block");
                let used = inflater.inflate(&bytes, header, header + len).unwrap();
                prop_assert_eq!(used, deflated_len);
                prop_assert_eq!(inflater.block(), &[&head[..], &content].concat()[..]);
            }
        }
    }

    #[test]
    fn a_small_window_produces_the_same_bytes() {
        let mut deflater = Deflater::new();
        let mut reference = Compress::new(Compression::new(LEVEL), true);
        let mut seed = 1_u32;
        for len in [
            0, 1, 100, 4096, 7930, 7931, 8192, 16_123, 16_384, 100_000, 50,
        ] {
            // Nothing repeats except that the end equals the beginning.
            let mut content: Vec<u8> = std::iter::repeat_with(|| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed.to_be_bytes()[0]
            })
            .take(len)
            .collect();
            content.copy_within(..len / 100, len - len / 100);
            reference.reset();
            let mut expected = Vec::with_capacity(len + 1000);
            let status = reference.compress_vec(&content, &mut expected, FlushCompress::Finish);
            assert!(matches!(status, Ok(Status::StreamEnd)));
            assert_eq!(deflater.deflate(&content).unwrap(), expected, "{len} bytes");
        }
    }

    #[test]
    fn a_wrong_declared_length_is_damage() {
        let bytes = deflated(b"gxxx", &[5; 1000]);
        let mut inflater = Inflater::default();
        for len in [0, 4, 5, 1003, 1005, 100_000, 16_777_215] {
            let damage = inflater.inflate(&bytes, 4, len).unwrap_err();
            // Bytes after the declared length are inflated into the spare room.
            let found = match len {
                0..=4 => len,
                5 => 5 + SPARE_ROOM,
                _ => 1004,
            };
            assert_eq!(damage.found, wide(found), "{len}");
        }
        assert!(inflater.inflate(&bytes, 4, 1004).is_ok());
        // A false length has not made the buffer grow.
        let capacity = inflater.buffer.capacity();
        assert!(capacity <= 2 * GROWTH);
    }

    #[test]
    fn only_small_buffers_are_kept() {
        for (len, is_kept) in [(1000, true), (GROWTH, true), (3 * GROWTH, false)] {
            SPARE_BUFFER.with(Cell::take);
            let bytes = deflated(b"g", &vec![5; len - 1]);
            Inflater::default().inflate(&bytes, 1, len).unwrap();
            assert_eq!(!SPARE_BUFFER.with(Cell::take).is_empty(), is_kept, "{len}");
        }
    }

    #[test]
    fn the_next_inflater_uses_the_spare_buffer() {
        let bytes = deflated(b"g", &[5; 1000]);
        let start = |inflater: &Inflater| inflater.block().as_ptr();
        let mut first = Inflater::default();
        first.inflate(&bytes, 1, 1001).unwrap();
        let buffer = start(&first);
        drop(first);
        let mut second = Inflater::default();
        assert!(second.block().is_empty());
        second.inflate(&bytes, 1, 1001).unwrap();
        assert_eq!(start(&second), buffer);
        // Two inflaters at a time have two buffers.
        let mut third = Inflater::default();
        third.inflate(&bytes, 1, 1001).unwrap();
        assert_ne!(start(&third), buffer);
        assert_eq!(second.block(), third.block());
    }

    #[test]
    fn the_same_headers_are_valid_as_for_zlib() {
        let stream = deflated(b"", b"content");
        let mut zlib = Decompress::new(true);
        for header in 0..=u16::MAX {
            let bytes = [&header.to_be_bytes(), &stream[HEADER.len()..]].concat();
            zlib.reset(true);
            let mut out = [0; 100];
            let status = zlib.decompress(&bytes, &mut out, FlushDecompress::Finish);
            let ours = Inflater::default().inflate(&bytes, 0, 7);
            let valid = matches!(status, Ok(Status::StreamEnd));
            assert_eq!(ours.is_ok(), valid, "{header:#x}");
        }
    }

    #[test]
    fn a_wrong_checksum_is_damage() {
        let bytes = deflated(b"", b"content");
        let mut inflater = Inflater::default();
        for bit in 0..8 * CHECKSUM_LEN {
            let mut broken = bytes.clone();
            let at = broken.len() - 1 - bit / 8;
            broken[at] ^= 1 << (bit % 8);
            let damage = inflater.inflate(&broken, 0, 7).unwrap_err();
            assert_eq!((damage.found, damage.kind), (7, FlawKind::Zlib), "{bit}");
            assert!(inflater.block().is_empty());
        }
    }

    #[test]
    fn broken_streams_are_damage() {
        let bytes = deflated(b"", &[5; 1000]);
        let mut inflater = Inflater::default();
        for len in 0..bytes.len() {
            assert!(inflater.inflate(&bytes[..len], 0, 1000).is_err());
        }
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 0x10;
            // A change may go unnoticed only if the content is the same.
            if inflater.inflate(&broken, 0, 1000).is_ok() {
                assert_eq!(inflater.block(), [5; 1000]);
            }
        }
    }
}
