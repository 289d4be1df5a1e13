//! Names of tables and of temporary files.
#![forbid(unsafe_code)]

use std::path::{Component, Path};

use crate::format::error::wide;
use crate::format::Expected;
use crate::sys::{LOCK_SUFFIX, TEMP_INFIX};

/// The list of a stack's tables.
pub(crate) const LIST_NAME: &str = "tables.list";

/// Suffix of a table's name.
pub(super) const TABLE_SUFFIX: &str = ".ref";

/// Longest file name that file systems allow, in bytes.
pub(super) const MAX_NAME_LEN: usize = 255;

/// A table's name without its suffix; `random` distinguishes tables of equal ranges.
pub(super) fn stem(min: u64, max: u64, random: u32) -> String {
    format!("0x{min:012x}-0x{max:012x}-{random:08x}")
}

/// Why a name in a list cannot be that of a file in the stack's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NameFault {
    /// What was counted or measured.
    pub(super) what: &'static str,
    /// The number found.
    pub(super) found: usize,
    /// The numbers allowed.
    pub(super) expected: Expected,
}

/// The first fault of `name`, if it has any.
pub(super) fn fault_of(name: &[u8]) -> Option<NameFault> {
    let count = |byte| name.iter().filter(|&&b| b == byte).count();
    let text = String::from_utf8_lossy(name);
    let utf8 = name.utf8_chunks().next().map_or(0, |c| c.valid().len());
    let components = Path::new(&*text).components();
    let normal = components.filter(|c| matches!(c, Component::Normal(_)));
    let none = Expected::Exactly(0);
    [
        (
            "length of a table name",
            name.len(),
            Expected::AtMost(wide(MAX_NAME_LEN)),
        ),
        ("NUL bytes in a table name", count(0), none),
        ("path separators in a table name", count(b'/'), none),
        (
            "file names in a table name",
            normal.count(),
            Expected::Exactly(1),
        ),
        (
            "UTF-8 bytes in a table name",
            utf8,
            Expected::Exactly(wide(name.len())),
        ),
    ]
    .into_iter()
    .map(|(what, found, expected)| NameFault {
        what,
        found,
        expected,
    })
    .find(|fault| {
        let found = wide(fault.found);
        match fault.expected {
            Expected::Exactly(n) => found != n,
            Expected::AtMost(n) => found > n,
            Expected::AtLeast(n) => found < n,
        }
    })
}

/// Whether `name` is a temporary name that this crate or git uses for a table being written.
pub(super) fn is_temp_table(name: &str) -> bool {
    let Some((stem, random)) = name.split_once(TEMP_INFIX) else {
        return false;
    };
    let hex = |part: Option<&str>, prefix: &str, len: usize| {
        part.and_then(|p| p.strip_prefix(prefix))
            .is_some_and(|p| p.len() >= len && p.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let mut parts = stem.split('-');
    let named =
        hex(parts.next(), "0x", 12) && hex(parts.next(), "0x", 12) && hex(parts.next(), "", 8);
    named
        && parts.next().is_none()
        && random.len() == 6
        && random.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The table that the file `name` locks, if `name` is that of a table lock.
pub(super) fn table_of_lock(name: &str) -> Option<&str> {
    let table = name.strip_suffix(LOCK_SUFFIX)?;
    table.ends_with(TABLE_SUFFIX).then_some(table)
}

/// Whether git accepts `name` as that of a table: two update indexes and a random number in
/// hexadecimal, as `strtoull` reads them, and the suffix `.ref` or `.log`. `0x` is optional,
/// as JGit leaves it out.
pub(crate) fn is_valid(name: &str) -> bool {
    let numbers = || {
        let rest = skip_number(name.as_bytes())?.strip_prefix(b"-")?;
        let rest = skip_number(rest)?.strip_prefix(b"-")?;
        skip_number(rest)
    };
    matches!(numbers(), Some(b".ref" | b".log"))
}

/// The update indexes in a table's name, if it has the form that git and JGit use.
pub(super) fn range_of(name: &str) -> Option<(u64, u64)> {
    let stem = name.strip_suffix(TABLE_SUFFIX)?;
    let mut parts = stem.splitn(3, '-');
    let mut number = || {
        let part = parts.next()?;
        let digits = part.strip_prefix("0x").unwrap_or(part);
        // from_str_radix() accepts a sign.
        let is_plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
        u64::from_str_radix(digits, 16).ok().filter(|_| is_plain)
    };
    let range = (number()?, number()?);
    parts.next().map(|_| range)
}

/// The remainder after `strtoull(text, &end, 16)`; `None` if the number is out of range.
fn skip_number(text: &[u8]) -> Option<&[u8]> {
    let is_space = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r');
    let start = text.iter().position(|b| !is_space(b)).unwrap_or(text.len());
    let unsigned = match text.get(start..)? {
        [b'+' | b'-', rest @ ..] => rest,
        rest => rest,
    };
    let digits = match unsigned {
        [b'0', b'x' | b'X', rest @ ..] if rest.first().is_some_and(u8::is_ascii_hexdigit) => rest,
        rest => rest,
    };
    let mut rest = digits;
    let mut value: u64 = 0;
    while let [byte, tail @ ..] = rest {
        let Some(digit) = char::from(*byte).to_digit(16) else {
            break;
        };
        value = value.checked_mul(16)?.checked_add(u64::from(digit))?;
        rest = tail;
    }
    // Without a digit nothing is converted, and spaces and sign remain, too.
    Some(if rest.len() == digits.len() {
        text
    } else {
        rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_are_those_of_git() {
        assert_eq!(
            stem(1, 0xabc, 0x1f),
            "0x000000000001-0x000000000abc-0000001f"
        );
        assert_eq!(
            stem(u64::MAX, u64::MAX, u32::MAX),
            "0xffffffffffffffff-0xffffffffffffffff-ffffffff"
        );
    }

    #[test]
    fn climbing_names_are_faulty() {
        for name in [
            "..",
            ".",
            "/",
            "/etc/passwd",
            "../x.ref",
            "a/b",
            "a/",
            "./a",
            "a/..",
            "x\0y",
        ] {
            assert!(fault_of(name.as_bytes()).is_some(), "{name:?}");
        }
        assert!(fault_of(&[b'a'; 256]).is_some());
        assert!(fault_of(b"\xff.ref").is_some());
        for name in [
            "a.ref",
            "...",
            "..a",
            "000000000001-000000000009-f6a9c327.ref",
        ] {
            assert_eq!(fault_of(name.as_bytes()), None, "{name:?}");
        }
        assert_eq!(fault_of(&[b'a'; 255]), None);
    }

    #[test]
    fn valid_names_are_those_that_strtoull_can_read() {
        for name in [
            "0x000000000001-0x000000000002-b54f3b59.ref",
            "0x000000000001-0x000000000002-b54f3b59.log",
            "000000000001-000000000009-f6a9c327.ref",
            "0XA-0Xb-C.ref",
            "1-2-3.ref",
            " 1-+2--3.ref",
            "--.ref",
            "ffffffffffffffff-0-0.ref",
        ] {
            assert!(is_valid(name), "{name:?}");
        }
        for name in [
            "0x1-0x2-3.foo",
            "0x1-0x2-3",
            "0x1-0x2.ref",
            "0x1_0x2-3.ref",
            "0xg-0x2-3.ref",
            "0x-1-2.ref",
            "10000000000000000-0-0.ref",
            "0-0-10000000000000000.ref",
            "1-2-3.ref.ref",
            "",
            "table.ref",
        ] {
            assert!(!is_valid(name), "{name:?}");
        }
    }

    #[test]
    fn ranges_are_read_from_names() {
        let stem = stem(1, u64::MAX, 7);
        assert_eq!(range_of(&format!("{stem}.ref")), Some((1, u64::MAX)));
        let of_jgit = "000000000001-000000000009-f6a9c327.ref";
        assert_eq!(range_of(of_jgit), Some((1, 9)));
        for name in [
            "1-2.ref",
            "1-2-3.log",
            "+1-2-3.ref",
            "-1-2-3.ref",
            "x-2-3.ref",
        ] {
            assert_eq!(range_of(name), None, "{name:?}");
        }
    }

    #[test]
    fn temporary_names_are_recognised() {
        let temp = "0x000000000001-0x000000000001-b54f3b59.temp.aZ09xy";
        assert!(is_temp_table(temp));
        for name in [
            "0x000000000001-0x000000000001-b54f3b59.temp.aZ09x",
            "0x000000000001-0x000000000001-b54f3b59.temp.aZ09x.",
            "0x000000000001-0x000000000001-b54f3b59.ref",
            "0x000000000001-0x000000000001.temp.aZ09xy",
            "mine.temp.aZ09xy",
            "1-1-b54f3b59.temp.aZ09xy",
            "0x1-0x000000000001-b54f3b59.temp.aZ09xy",
            "0x000000000001-0x1-b54f3b59.temp.aZ09xy",
            "0x000000000001-0x000000000001-b54f3b5.temp.aZ09xy",
            "0x00000000000g-0x000000000001-b54f3b59.temp.aZ09xy",
            "0x000000000001-0x000000000001-b54f3b5g.temp.aZ09xy",
            "0x000000000001-0x000000000001-b54f3b59-1.temp.aZ09xy",
            "0x000000000001-0x000000000001-b54f3b59.temp.aZ09x-",
            "0x000000000001-0x000000000001-b54f3b59.temp.aZ09xyz",
        ] {
            assert!(!is_temp_table(name), "{name:?}");
        }
    }
}
