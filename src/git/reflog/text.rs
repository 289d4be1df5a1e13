//! Texts of a reflog entry: as they are stored, and as git sees them.
//!
//! Other implementations store texts that git would not write, for instance messages with several
//! lines or without a final line feed. They are rewritten unchanged, and shown in the form that
//! git expects from a backend.
#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};

/// A text in its stored and its shown form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    shown: CString,
    /// The stored bytes, if they differ from `shown`.
    stored: Option<Box<[u8]>>,
}

impl Text {
    /// A name or an email, shown up to the first NUL.
    pub fn word(stored: &[u8]) -> Self {
        Self::new(stored, until_nul(stored).to_vec())
    }

    /// A message, shown up to the first NUL as one line that ends with a line feed. An inner line
    /// feed and the white space around it become one space, as when git itself writes a message.
    pub fn line(stored: &[u8]) -> Self {
        let text = until_nul(stored);
        let mut shown = Vec::with_capacity(text.len() + 1);
        match text.strip_suffix(b"\n") {
            Some(line) if !line.contains(&b'\n') => shown.extend_from_slice(text),
            _ => {
                join_lines(&mut shown, text);
                shown.push(b'\n');
            }
        }
        Self::new(stored, shown)
    }

    /// A text shown as `shown`, which contains no NUL.
    fn new(stored: &[u8], shown: Vec<u8>) -> Self {
        let same = shown == stored;
        Self {
            shown: CString::new(shown).unwrap_or_default(),
            stored: (!same).then(|| stored.into()),
        }
    }

    /// The text shown without the final line feed, if it is stored so.
    pub fn unterminated(&self) -> Option<Self> {
        let stored = self.stored.as_deref()?;
        let is_line = self.shown.as_bytes().strip_suffix(b"\n") == Some(stored);
        (is_line && !stored.is_empty()).then(|| Self::new(stored, stored.to_vec()))
    }

    /// The stored bytes.
    pub fn stored(&self) -> &[u8] {
        self.stored.as_deref().unwrap_or(self.shown.as_bytes())
    }

    /// The text as git sees it.
    pub fn shown(&self) -> &CStr {
        &self.shown
    }
}

/// Appends the lines of `text` except empty ones, separated by spaces.
fn join_lines(out: &mut Vec<u8>, text: &[u8]) {
    let mut lines = text.split(|&byte| byte == b'\n').peekable();
    let mut is_first = true;
    while let Some(line) = lines.next() {
        let is_last = lines.peek().is_none();
        let line = if is_first {
            line
        } else {
            line.trim_ascii_start()
        };
        let line = if is_last { line } else { line.trim_ascii_end() };
        is_first = false;
        if line.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push(b' ');
        }
        out.extend_from_slice(line);
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    CStr::from_bytes_until_nul(bytes).map_or(bytes, CStr::to_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_shown_as_one_line() {
        for (stored, shown) in [
            (&b"usual\n"[..], &b"usual\n"[..]),
            (b"  two  spaces  \n", b"  two  spaces  \n"),
            (b"", b"\n"),
            (b"\n", b"\n"),
            (b"\n\n", b"\n"),
            (b"no line feed", b"no line feed\n"),
            (b"line one\nline two", b"line one line two\n"),
            (b"line one\nline two\n\n", b"line one line two\n"),
            (b"a \n\r\n\t\n b", b"a b\n"),
            (b"\n \nfirst", b"first\n"),
            (b" first\n", b" first\n"),
            (b"NUL\0hidden\n", b"NUL\n"),
            (b"\0", b"\n"),
            (b"two\nlines\0more\n", b"two lines\n"),
        ] {
            let text = Text::line(stored);
            assert_eq!(text.shown().to_bytes(), shown, "{}", stored.escape_ascii());
            assert_eq!(text.stored(), stored);
        }
    }

    #[test]
    fn only_messages_without_line_feed_are_unterminated() {
        let shown = |stored: &[u8]| {
            let text = Text::line(stored).unterminated();
            text.map(|text| text.shown().to_bytes().to_vec())
        };
        assert_eq!(shown(b"a b"), Some(b"a b".to_vec()));
        for stored in [&b"a\n"[..], b"", b"\n", b"a\nb", b"a\0", b"a\n\n"] {
            assert_eq!(shown(stored), None, "{}", stored.escape_ascii());
        }
    }

    #[test]
    fn names_end_at_nul() {
        for (stored, shown) in [(&b"A U"[..], &b"A U"[..]), (b"A\0U", b"A"), (b"\0", b"")] {
            let text = Text::word(stored);
            assert_eq!(text.shown().to_bytes(), shown);
            assert_eq!(text.stored(), stored);
        }
    }
}
