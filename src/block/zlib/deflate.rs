//! Deflating log blocks.
#![forbid(unsafe_code)]

use std::cell::Cell;

use flate2::{Compress, Compression, FlushCompress, Status};

use super::{GROWTH, HEADER};
use crate::format::{Corruption, Error, FlawKind, Result};

/// Compression level, the same as in git's writer. Lower levels are faster, but then the sizes of
/// tables differ from git's, and the geometric rule compacts other tables.
const LEVEL: u32 = 9;
/// Minimum window, which holds a block of git's default size. A smaller one saves next to nothing.
const MIN_WINDOW_BITS: u8 = 13;
const MAX_WINDOW_BITS: u8 = 15;
/// Bytes of the window that matches cannot reach (zlib's `MIN_LOOKAHEAD`).
const UNREACHED: usize = 262;

thread_local! {
    /// The state of the thread's last deflater. A process that adds a table usually compacts next,
    /// and a new state costs more than deflating the logs of a small table.
    static SPARE: Cell<Option<DeflateState>> = const { Cell::new(None) };
}

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
        super::counts::add_one(&super::counts::DEFLATED);
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
