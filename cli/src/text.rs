//! Texts from files, for people.
#![forbid(unsafe_code)]

use std::fmt::Write as _;

use bstr::ByteSlice as _;

/// The text of `bytes` in one line: control characters and what is not UTF-8 are escaped.
pub fn shown(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character.is_control() || character == '\\' {
                true => text.extend(character.escape_default()),
                false => text.push(character),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// The hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(2 * bytes.len());
    put_hex(&mut text, bytes);
    String::from_utf8(text).unwrap_or_default()
}

/// Appends the hexadecimal digits of `bytes`.
#[inline]
pub fn put_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    // A constant length needs no calls and no loop: most ids are of SHA-1.
    if let Ok(id) = <&[u8; 20]>::try_from(bytes) {
        return put_digits(out, id);
    }
    for chunk in bytes.chunks(AT_ONCE) {
        put_digits(out, chunk);
    }
}

/// Bytes whose digits are appended at once.
const AT_ONCE: usize = 32;

/// Appends the digits of at most [`AT_ONCE`] bytes.
#[inline(always)]
fn put_digits(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut digits = [0; 2 * AT_ONCE];
    for (pair, &byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    out.extend_from_slice(digits.get(..2 * bytes.len()).unwrap_or_default());
}

/// The hexadecimal digit of a number below 16.
const fn digit(number: u8) -> u8 {
    let letters = if number > 9 { b'a' - b'0' - 10 } else { 0 };
    number + b'0' + letters
}

/// A number and a noun.
pub fn plural<N: TryInto<u64>>(count: N, noun: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        _ if noun.ends_with("ss") => format!("{count} {noun}es"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {noun}s"),
    }
}

/// The bytes of a path, quoted for a message.
pub fn quoted(bytes: impl AsRef<[u8]>) -> String {
    format!("'{}'", shown(bytes.as_ref().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_in_one_line() {
        assert_eq!(shown("a b\u{e4}".as_bytes()), "a b\u{e4}");
        assert_eq!(shown(b"a\nb\x1b\\\xff"), "a\\nb\\u{1b}\\\\\\xff");
    }

    #[test]
    fn bytes_have_two_digits_each() {
        let bytes: Vec<u8> = (0..=255).collect();
        let expected: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex(&bytes), expected);
        assert_eq!(hex(b""), "");
    }

    #[test]
    fn nouns_have_their_plurals() {
        assert_eq!(plural(1, "table"), "1 table");
        assert_eq!(plural(0, "table"), "0 tables");
        assert_eq!(plural(2, "log entry"), "2 log entries");
        assert_eq!(plural(2, "process"), "2 processes");
    }
}
