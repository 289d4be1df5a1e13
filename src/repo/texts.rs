//! The form of texts in log entries.
#![forbid(unsafe_code)]

/// The form in which git stores a log message: without white space at the ends, and with one space
/// for each other run of white space. A NUL counts as white space.
pub(super) fn clean_message(message: &[u8]) -> Vec<u8> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0);
    let mut clean = Vec::with_capacity(message.len());
    for word in message.split(is_space).filter(|word| !word.is_empty()) {
        if !clean.is_empty() {
            clean.push(b' ');
        }
        clean.extend_from_slice(word);
    }
    clean
}

/// Git's form of a name or an email: without white space and punctuation at the ends, and without
/// the characters that end a field.
pub(super) fn clean_identity(text: &[u8]) -> Vec<u8> {
    let start = text.iter().position(|&byte| !is_crud(byte));
    let end = text.iter().rposition(|&byte| !is_crud(byte));
    let inner = match (start, end) {
        (Some(start), Some(end)) => text.get(start..=end).unwrap_or_default(),
        _ => &[],
    };
    let ends_field = |byte: &u8| matches!(byte, b'\n' | b'<' | b'>' | 0);
    let kept = inner.iter().filter(|byte| !ends_field(byte));
    kept.copied().collect()
}

/// Whether git strips this character from the ends of a name.
fn is_crud(byte: u8) -> bool {
    byte <= b' ' || b".,:;<>\"\\'".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_one_line() {
        for (message, clean) in [
            ("", ""),
            (" \n", ""),
            ("a message", "a message"),
            ("  two\n\n lines\t \r\n", "two lines"),
            ("form\u{c}feed\u{b}", "form\u{c}feed\u{b}"),
            ("nul\0", "nul"),
        ] {
            assert_eq!(clean_message(message.as_bytes()), clean.as_bytes());
        }
    }

    #[test]
    fn identities_have_no_crud() {
        for (text, clean) in [
            ("A U Thor", "A U Thor"),
            (" .A. <U>\nThor; ", "A. UThor"),
            ("...", ""),
            ("", ""),
            ("O'Neil\"", "O'Neil"),
        ] {
            assert_eq!(clean_identity(text.as_bytes()), clean.as_bytes());
        }
    }
}
