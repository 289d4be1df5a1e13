//! A ref in a file of its own.
#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;

use reftable::{HashId, ObjectId, Target};

use super::walk::content;
use crate::failure::Result;

/// The ref in the file `path`. `None` if the file does not exist. The inner error says what is wrong
/// with its content.
pub fn read(path: &Path, hash: HashId) -> Result<Option<Result<Target, &'static str>>> {
    if let Ok(target) = fs::read_link(path) {
        // Git's former format of symbolic refs. Other links are followed.
        let target = target.as_os_str().as_encoded_bytes();
        if target.starts_with(b"refs/") {
            return Ok(Some(Ok(Target::Symbolic(target.into()))));
        }
    }
    if path.is_dir() {
        return Ok(Some(Err("it is a symbolic link to a directory")));
    }
    Ok(content(path)?.map(|bytes| parse(&bytes, hash)))
}

/// As git's `parse_loose_ref_contents()`.
fn parse(bytes: &[u8], hash: HashId) -> Result<Target, &'static str> {
    let text = bytes.trim_ascii_end();
    if text.contains(&0) {
        return Err("it has null bytes");
    }
    if let Some(target) = text.strip_prefix(b"ref:") {
        let target = target.trim_ascii_start();
        return Ok(Target::Symbolic(target.into()));
    }
    if text.is_empty() {
        return Err("it is empty");
    }
    let (digits, rest) = text.split_at_checked(2 * hash.len()).unwrap_or_default();
    let is_end = rest.first().is_none_or(u8::is_ascii_whitespace);
    match id_of(digits).filter(|_| is_end) {
        None => Err("it has neither an object id nor the name of another ref"),
        Some(id) if id.is_null() => Err("it has the null id"),
        Some(id) => Ok(Target::Id(id)),
    }
}

/// The id with these hexadecimal digits.
#[inline]
pub fn id_of(digits: &[u8]) -> Option<ObjectId> {
    let mut bytes = [0; 32];
    let bytes = bytes.get_mut(..digits.len() / 2)?;
    let mut all = 0;
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        let (high, low) = (VALUE[usize::from(high)], VALUE[usize::from(low)]);
        all |= high | low;
        *byte = high << 4 | low;
    }
    let is_hex = all < 16 && digits.len() % 2 == 0;
    ObjectId::from_bytes(bytes).filter(|_| is_hex)
}

/// The value of each character as a hexadecimal digit; 16 if it is none.
static VALUE: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let mut values = [16; 256];
    let digits = b"0123456789abcdef";
    let mut value = 0;
    while value < digits.len() {
        let digit = digits[value];
        #[expect(clippy::cast_possible_truncation, reason = "below 16")]
        let number = value as u8;
        values[digit as usize] = number;
        values[digit.to_ascii_uppercase() as usize] = number;
        value += 1;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_parsed_as_by_git() {
        let id: ObjectId = "12".repeat(20).parse().unwrap();
        for text in [format!("{id}\n"), format!("{id}"), format!("{id} x\n")] {
            assert_eq!(parse(text.as_bytes(), HashId::Sha1), Ok(Target::Id(id)));
        }
        let symbolic = Target::Symbolic("refs/heads/main".into());
        for text in ["ref: refs/heads/main\n", "ref:refs/heads/main"] {
            assert_eq!(parse(text.as_bytes(), HashId::Sha1), Ok(symbolic.clone()));
        }
        let null = "0".repeat(40);
        for text in ["", "\n", "12", &format!("{id}0"), &null, "ref: a\0b"] {
            assert!(parse(text.as_bytes(), HashId::Sha1).is_err(), "{text}");
        }
        assert!(parse(id.to_string().as_bytes(), HashId::Sha256).is_err());
        let mixed = "aB".repeat(32);
        assert_eq!(id_of(mixed.as_bytes()), mixed.parse().ok());
        for text in [&mixed[1..], &mixed[2..], &"x1".repeat(20), &"1:".repeat(20)] {
            assert_eq!(id_of(text.as_bytes()), None, "{text}");
        }
    }
}
