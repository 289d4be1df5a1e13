//! The format of a line of `reftable ls`, in the syntax of `git for-each-ref --format`.
#![forbid(unsafe_code)]

use std::io::Write as _;

use crate::failure::{Failure, Result};
use crate::refs::{Item, Lookup};
use crate::text::put_hex;

/// A parsed format.
#[derive(Debug)]
pub struct Template(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    RefName { strip: i32 },
    ObjectName,
    Peeled,
    SymRef,
}

impl Template {
    /// Parses a format.
    pub fn new(text: &[u8]) -> Result<Self> {
        let mut pieces = Vec::new();
        let mut plain = Vec::new();
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            if byte != b'%' {
                plain.push(byte);
                rest = after;
                continue;
            }
            if let Some(after) = after.strip_prefix(b"%") {
                plain.push(b'%');
                rest = after;
            } else if let Some(inner) = after.strip_prefix(b"(") {
                let end = inner.iter().position(|&byte| byte == b')');
                let (atom, after) = match end {
                    Some(end) => (inner.get(..end), inner.get(end + 1..)),
                    None => return Err(Failure::new("the format has '%(' without ')'")),
                };
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(piece(atom.unwrap_or_default())?);
                rest = after.unwrap_or_default();
            } else if let Some((byte, after)) = hex_byte(after) {
                plain.push(byte);
                rest = after;
            } else {
                plain.push(byte);
                rest = after;
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// Appends the line of a ref, without its end.
    #[inline]
    pub fn put(&self, out: &mut Vec<u8>, item: &Item<'_>, lookup: &mut Lookup<'_>) -> Result<()> {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::RefName { strip: 0 } => out.extend_from_slice(item.name),
                Piece::RefName { strip } => out.extend_from_slice(stripped(item.name, *strip)),
                Piece::ObjectName => match (item.id(), item.symbolic()) {
                    (Some(id), _) => put_hex(out, id),
                    (None, Some(target)) => {
                        if let Some(id) = lookup.resolve(target)? {
                            put_hex(out, id.as_bytes());
                        }
                    }
                    (None, None) => {}
                },
                Piece::Peeled => put_hex(out, item.peeled().unwrap_or_default()),
                Piece::SymRef => {
                    out.extend_from_slice(item.symbolic().unwrap_or_default());
                }
            }
        }
        Ok(())
    }
}

fn piece(atom: &[u8]) -> Result<Piece> {
    let text = String::from_utf8_lossy(atom);
    if let Some(number) = text.strip_prefix("refname:lstrip=") {
        let strip = number
            .parse()
            .map_err(|_| Failure::new(format!("the format has '%({text})', without a number")))?;
        return Ok(Piece::RefName { strip });
    }
    match &*text {
        "refname" => Ok(Piece::RefName { strip: 0 }),
        "objectname" => Ok(Piece::ObjectName),
        "*objectname" => Ok(Piece::Peeled),
        "symref" => Ok(Piece::SymRef),
        _ => Err(Failure::new(format!(
            "the format has '%({})'; known are refname, refname:lstrip=N, objectname, \
             *objectname and symref",
            text.escape_default()
        ))),
    }
}

/// The name without its first `strip` components, or with the last ones if it is negative.
fn stripped(name: &[u8], strip: i32) -> &[u8] {
    let slashes = || name.iter().enumerate().filter(|(_, &byte)| byte == b'/');
    let count = usize::try_from(strip.unsigned_abs()).unwrap_or(usize::MAX);
    let skip = match strip < 0 {
        false => count,
        true => (slashes().count() + 1).saturating_sub(count),
    };
    if skip == 0 {
        return name;
    }
    match slashes().nth(skip - 1) {
        Some((at, _)) => name.get(at + 1..).unwrap_or_default(),
        None => b"",
    }
}

fn hex_byte(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = text.split_at_checked(2)?;
    let digits = std::str::from_utf8(digits).ok()?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = u8::from_str_radix(digits, 16).ok()?;
    is_hex.then_some((byte, rest))
}

/// Appends a number.
pub fn put_number(out: &mut Vec<u8>, number: u64) {
    // Writing to memory does not fail.
    let _ = write!(out, "{number}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_parsed_as_in_git() {
        let parse = |text: &str| Template::new(text.as_bytes()).map(|template| template.0);
        assert_eq!(
            parse("%%a%00b%zz%(refname)%").unwrap(),
            [
                Piece::Text(b"%a\0b%zz".to_vec()),
                Piece::RefName { strip: 0 },
                Piece::Text(b"%".to_vec())
            ]
        );
        for wrong in ["%(", "%(refname", "%(other)", "%(refname:lstrip=x)"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn components_are_stripped_from_the_left() {
        for (strip, expected) in [
            (0, "refs/heads/a/b"),
            (1, "heads/a/b"),
            (3, "b"),
            (4, ""),
            (-1, "b"),
            (-3, "heads/a/b"),
            (-9, "refs/heads/a/b"),
        ] {
            assert_eq!(stripped(b"refs/heads/a/b", strip), expected.as_bytes());
        }
    }
}
