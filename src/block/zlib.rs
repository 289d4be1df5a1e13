//! Deflating and inflating log blocks.
//!
//! ```text
//! offset  size  content (RFC 1950)
//!      0  2     header: method, window size, flags
//!      2  n     deflated bytes
//!  2 + n  4     Adler-32 of the inflated bytes, big-endian
//! ```
//!
//! The inflater is passed the deflated bytes only; header and checksum are checked by `inflate.rs`.
#![forbid(unsafe_code)]

mod deflate;
mod inflate;
mod recent;

pub(crate) use deflate::Deflater;
pub(crate) use inflate::Inflater;

/// Header of a stream with a window of 32 KiB and best compression (RFC 1950, section 2.2).
const HEADER: [u8; 2] = [0x78, 0xda];
/// Spare bytes after an inflated block. With less room than the longest match and a few words, the
/// inflater falls back to a slow loop.
const SPARE_ROOM: usize = 320;
/// Minimum bytes by which output buffers grow.
const GROWTH: usize = 64 * 1024;

#[cfg(test)]
pub(crate) mod counts;
