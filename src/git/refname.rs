//! A fast check of refnames that accepts nearly all names in use. Git's own check decides about
//! the others.
#![forbid(unsafe_code)]

use super::sys::refs;
use std::ffi::CStr;

/// Whether `name` follows the rules of `git check-ref-format --allow-onelevel`.
pub fn is_well_formed(name: &CStr) -> bool {
    is_plain(name.to_bytes()) || refs::is_well_formed(name)
}

/// Whether `name` is certain to be well-formed: its components consist of letters, digits, `-`,
/// `_`, non-ASCII bytes, and dots that cannot be part of `..` or `.lock`, or start or end a
/// component. A result of `false` means that the name may still be well-formed.
fn is_plain(name: &[u8]) -> bool {
    let mut previous = b'/';
    for (i, &byte) in name.iter().enumerate() {
        match CLASS[usize::from(byte)] {
            Class::Plain => {}
            Class::Slash if previous != b'/' => {}
            Class::Dot if previous != b'/' => {
                if matches!(name.get(i + 1), None | Some(b'.' | b'/' | b'l')) {
                    return false;
                }
            }
            Class::Slash | Class::Dot | Class::Other => return false,
        }
        previous = byte;
    }
    previous != b'/'
}

#[derive(Clone, Copy)]
enum Class {
    Plain,
    Slash,
    Dot,
    Other,
}

static CLASS: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let character = byte as u8;
        classes[byte] = match character {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | 0x80..=0xff => Class::Plain,
            b'/' => Class::Slash,
            b'.' => Class::Dot,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn common_names_are_plain() {
        for name in [
            "HEAD",
            "refs/heads/main",
            "refs/tags/v1.2.3",
            "refs/heads/wip-1_x",
            "refs/heads/\u{e4}",
        ] {
            assert!(is_plain(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn names_that_git_refuses_are_not_plain() {
        for name in [
            "", "/", "a/", "/a", "a//b", ".a", "a/.b", "a..b", "a.", "a./b", "a.lock", "a.lock/b",
            "a b", "a~", "a^", "a:", "a?", "a*", "a[", "a\\", "a@{", "@", "a\x01", "a\x7f",
        ] {
            assert!(!is_plain(name.as_bytes()), "{name:?}");
        }
    }
}
