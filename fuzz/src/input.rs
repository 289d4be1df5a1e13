//! Choices derived from bytes. Once the bytes are used up, every choice is the first one.

/// The remaining bytes.
#[derive(Clone, Debug)]
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&byte, rest)) => {
                self.0 = rest;
                byte
            }
            None => 0,
        }
    }

    /// A number below `n`, which must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        let mut number = usize::from(self.byte());
        if n > 256 {
            number = number << 8 | usize::from(self.byte());
        }
        number % n
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    pub fn pick<'p, T>(&mut self, from: &'p [T]) -> Option<&'p T> {
        match from.len() {
            0 => None,
            len => from.get(self.below(len)),
        }
    }

    pub fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// The next `len` bytes as a big-endian number.
    pub fn wide(&mut self, len: usize) -> u64 {
        self.bytes(len)
            .iter()
            .fold(0, |number, &byte| number << 8 | u64::from(byte))
    }

    /// A number at a limit, or close to the correct number `right`.
    pub fn near_limit(&mut self, right: u64) -> u64 {
        const BOUNDS: [u64; 22] = [
            0,
            1,
            2,
            3,
            7,
            8,
            127,
            128,
            255,
            256,
            16_511,
            16_512,
            65_535,
            65_536,
            (1 << 24) - 1,
            1 << 24,
            (1 << 31) - 1,
            (1 << 32) - 1,
            1 << 32,
            (1 << 59) - 1,
            i64::MAX as u64,
            u64::MAX,
        ];
        match self.below(8) {
            0 => right.wrapping_add(1),
            1 => right.wrapping_sub(1),
            2 => right.wrapping_add(self.wide(1)),
            3 => right.wrapping_sub(self.wide(1)),
            4 => self.wide(2),
            5 => self.wide(8),
            _ => *self.pick(&BOUNDS).unwrap_or(&0),
        }
    }
}
