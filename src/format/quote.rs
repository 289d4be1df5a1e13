//! Quoting of bytes that come from files and directories, for messages.
#![forbid(unsafe_code)]

use std::fmt;
use std::path::Path;

/// Formats untrusted bytes so that a message stays on one line and shows every byte.
///
/// Control characters, backslashes and bytes that are not UTF-8 are escaped as by git's
/// `quote_c_style()`; everything else is unchanged. The message adds quotation marks itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quoted<'t>(pub(crate) &'t [u8]);

impl<'t> Quoted<'t> {
    pub(crate) fn path(path: &'t Path) -> Self {
        Self(path.as_os_str().as_encoded_bytes())
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            let mut plain = chunk.valid();
            while let Some(at) = plain.find(needs_quoting) {
                let (before, rest) = plain.split_at(at);
                f.write_str(before)?;
                let mut chars = rest.chars();
                if let Some(character) = chars.next() {
                    write_quoted(f, character)?;
                }
                plain = chars.as_str();
            }
            f.write_str(plain)?;
            for byte in chunk.invalid() {
                write!(f, "\\{byte:03o}")?;
            }
        }
        Ok(())
    }
}

fn needs_quoting(character: char) -> bool {
    character.is_control() || character == '\\'
}

fn write_quoted(f: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    let letter = match character {
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\\' => '\\',
        _ => {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                write!(f, "\\{byte:03o}")?;
            }
            return Ok(());
        }
    };
    write!(f, "\\{letter}")
}

/// `bytes` as formatted by [`Quoted`]; borrowed if nothing needs to be escaped.
pub(crate) fn quote(bytes: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    use std::borrow::Cow;
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(needs_quoting) => Cow::Borrowed(bytes),
        _ => Cow::Owned(Quoted(bytes).to_string().into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    #[test]
    fn control_characters_and_invalid_utf8_are_escaped() {
        for (bytes, quoted) in [
            (&b"refs/heads/main"[..], "refs/heads/main"),
            (b"", ""),
            (b"0x1\nfatal: fake", "0x1\\nfatal: fake"),
            (b"\x1b[31mred\x1b[0m", "\\033[31mred\\033[0m"),
            (b"a\0b", "a\\000b"),
            (b"\x07\x08\t\n\x0b\x0c\r\x7f", "\\a\\b\\t\\n\\v\\f\\r\\177"),
            (b"a\\nb", "a\\\\nb"),
            (b"caf\xc3\xa9 \xff\xfe.", "caf\u{e9} \\377\\376."),
            // U+009B also begins an escape sequence.
            (b"\xc2\x9b1m", "\\302\\2331m"),
            (b"\"it's\"", "\"it's\""),
        ] {
            assert_eq!(Quoted(bytes).to_string(), quoted);
            assert_eq!(quote(bytes), quoted.as_bytes());
        }
        assert!(matches!(quote(b"refs/heads/main"), Cow::Borrowed(_)));
    }
}
