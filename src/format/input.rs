//! A reader of a block's records that knows its position, for errors.
#![forbid(unsafe_code)]

use super::{error::wide, varint, Corruption, Damage, Expected};

/// The unread bytes of a block's records, and the position of their end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    rest: &'a [u8],
    end: usize,
}

impl<'a> Input<'a> {
    /// Reads `rest`, which ends at position `end`.
    #[inline]
    pub(crate) fn new(rest: &'a [u8], end: usize) -> Self {
        Self { rest, end }
    }

    /// Position of the next unread byte, in the same units as `end`.
    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.end.wrapping_sub(self.rest.len())
    }

    /// Number of unread bytes.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }

    /// Reads a variable-length integer; `what` names it in an error.
    ///
    /// The slow case is passed values rather than references, so that the one-byte case stays in
    /// registers.
    #[inline(always)]
    pub(crate) fn varint(&mut self, what: &'static str) -> Result<u64, Damage> {
        match *self.rest {
            [byte, ref rest @ ..] if byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(byte))
            }
            _ => {
                let (value, rest) = self.long_varint(what)?;
                self.rest = rest;
                Ok(value)
            }
        }
    }

    #[inline(never)]
    fn long_varint(self, what: &'static str) -> Result<(u64, &'a [u8]), Damage> {
        let mut rest = self.rest;
        match varint::take(&mut rest) {
            Some(value) => Ok((value, rest)),
            None => Err(self.bad_varint(what)),
        }
    }

    /// The unread bytes.
    #[inline(always)]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Continues at `rest`, which must be a suffix of the unread bytes.
    #[inline(always)]
    pub(crate) fn continue_at(&mut self, rest: &'a [u8]) {
        self.rest = rest;
    }

    /// Skips `len` bytes, which must exist.
    #[inline(always)]
    pub(crate) fn pass(&mut self, len: usize) {
        self.rest = self.rest.get(len..).unwrap_or_default();
    }

    /// Skips a variable-length integer. Its value may exceed 64 bits.
    #[inline(always)]
    pub(crate) fn skip_varint(&mut self, what: &'static str) -> Result<(), Damage> {
        let short = self.rest.first_chunk().copied();
        if let Some(len) = short.and_then(varint::short_len) {
            self.pass(len);
            return Ok(());
        }
        match self.rest.iter().position(|&byte| byte < 0x80) {
            Some(last) => {
                self.pass(last + 1);
                Ok(())
            }
            None => Err(self.bad_varint(what)),
        }
    }

    #[cold]
    #[inline(never)]
    fn bad_varint(self, what: &'static str) -> Damage {
        let digits = self.rest.iter().take_while(|&&b| b >= 0x80).count();
        let limit = self.rest.len().min(varint::MAX_LEN);
        Corruption::at(self.position(), what, digits.saturating_add(1), limit)
    }

    /// Takes `len` bytes; `what` names them in the error if fewer remain.
    #[inline(always)]
    pub(crate) fn bytes(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], Damage> {
        match self.rest.split_at_checked(len) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.too_long(wide(len), what)),
        }
    }

    /// Takes `N` bytes as an array.
    #[inline]
    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Damage> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(*taken)
            }
            None => Err(self.too_long(wide(N), what)),
        }
    }

    /// Reads a length and takes that many bytes.
    #[inline(always)]
    pub(crate) fn string(&mut self, what: &'static str) -> Result<&'a [u8], Damage> {
        let len = self.varint(what)?;
        match usize::try_from(len) {
            Ok(len) => self.bytes(len, what),
            Err(_) => Err(self.too_long(len, what)),
        }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn too_long(self, len: u64, what: &'static str) -> Damage {
        Corruption::new(
            wide(self.position()),
            what,
            len,
            Expected::AtMost(wide(self.rest.len())),
        )
    }
}

/// A big-endian 24-bit number.
#[inline]
pub(crate) fn be24(bytes: [u8; 3]) -> u32 {
    let [a, b, c] = bytes;
    u32::from_be_bytes([0, a, b, c])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn be24_is_big_endian() {
        assert_eq!(be24([0x11, 0x22, 0x33]), 0x0011_2233);
        assert_eq!(be24([0xff; 3]), 0x00ff_ffff);
    }

    #[test]
    fn position_advances_with_reads() {
        let mut input = Input::new(b"\x05hello\x81", 107);
        assert_eq!(input.position(), 100);
        assert_eq!(input.string("name").unwrap(), b"hello");
        assert_eq!(input.position(), 106);
        let damage = input.varint("length").unwrap_err();
        assert_eq!((damage.offset, damage.found), (106, 2));
        assert_eq!(damage.expected, Expected::AtMost(1));
    }

    #[test]
    fn skip_varint_skips_exactly_one_number() {
        for value in (0..64).map(|bits| u64::MAX >> bits) {
            let mut bytes = Vec::new();
            varint::put(&mut bytes, value);
            for more in 0..5 {
                let all = [&bytes[..], &[0x83; 5][..more]].concat();
                let mut input = Input::new(&all, all.len());
                input.skip_varint("number").unwrap();
                assert_eq!(input.len(), more, "{value}");
            }
            for len in 0..bytes.len() {
                assert!(Input::new(&bytes[..len], len)
                    .skip_varint("number")
                    .is_err());
            }
        }
    }

    #[test]
    fn an_error_for_a_too_long_string_names_both_lengths() {
        let mut input = Input::new(b"\x05hell", 5);
        let damage = input.string("name").unwrap_err();
        assert_eq!((damage.offset, damage.found), (1, 5));
        assert_eq!(damage.expected, Expected::AtMost(4));
    }
}
