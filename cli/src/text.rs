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
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
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
    fn nouns_have_their_plurals() {
        assert_eq!(plural(1, "table"), "1 table");
        assert_eq!(plural(0, "table"), "0 tables");
        assert_eq!(plural(2, "log entry"), "2 log entries");
        assert_eq!(plural(2, "process"), "2 processes");
    }
}
