//! The types of configuration values.
#![forbid(unsafe_code)]

use super::config_file::Variable;
use crate::format::quote::Quoted;

/// A boolean: no value is true, an empty one false.
pub(super) fn boolean(variable: &Variable<'_>) -> Result<bool, String> {
    let Some(value) = variable.value else {
        return Ok(true);
    };
    if let Some(known) = word(value) {
        return Ok(known);
    }
    match signed_number(value) {
        Ok(number) if i32::try_from(number).is_ok() => Ok(number != 0),
        _ => Err(format!(
            "bad boolean config value '{}' for '{}'",
            Quoted(value),
            Quoted(variable.key)
        )),
    }
}

/// The boolean that a word names.
pub(super) fn word(value: &[u8]) -> Option<bool> {
    let is = |words: &[&str]| {
        words
            .iter()
            .any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
    };
    match () {
        () if is(&["true", "yes", "on"]) => Some(true),
        () if is(&["", "false", "no", "off"]) => Some(false),
        () => None,
    }
}

/// A number, which may have a sign, a base as in C, and a unit: k, m or g.
pub(super) fn signed(variable: &Variable<'_>) -> Result<i64, String> {
    number(variable, signed_number)
}

/// As [`signed`], without a sign.
pub(super) fn unsigned(variable: &Variable<'_>) -> Result<u64, String> {
    number(variable, unsigned_number)
}

fn number<T>(
    variable: &Variable<'_>,
    parse: fn(&[u8]) -> Result<T, &'static str>,
) -> Result<T, String> {
    let value = variable.required()?;
    parse(value).map_err(|reason| {
        format!(
            "bad numeric config value '{}' for '{}': {reason}",
            Quoted(value),
            Quoted(variable.key)
        )
    })
}

fn signed_number(value: &[u8]) -> Result<i64, &'static str> {
    let value = trim_start(value);
    let (is_negative, digits) = match value.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, value),
    };
    let magnitude = i64::try_from(magnitude(digits)?).map_err(|_| OUT_OF_RANGE)?;
    Ok(if is_negative { -magnitude } else { magnitude })
}

fn unsigned_number(value: &[u8]) -> Result<u64, &'static str> {
    if value.contains(&b'-') {
        return Err(INVALID_UNIT);
    }
    let value = trim_start(value);
    magnitude(value.strip_prefix(b"+").unwrap_or(value))
}

const INVALID_UNIT: &str = "invalid unit";
const OUT_OF_RANGE: &str = "out of range";

/// The number of `text`: digits and a unit.
fn magnitude(text: &[u8]) -> Result<u64, &'static str> {
    let (base, digits) = match text {
        [b'0', b'x' | b'X', digits @ ..] if digits.first().is_some_and(u8::is_ascii_hexdigit) => {
            (16, digits)
        }
        [b'0', ..] => (8, text),
        _ => (10, text),
    };
    let mut number = 0_u64;
    let mut rest = digits;
    while let Some((&byte, tail)) = rest.split_first() {
        let Some(digit) = char::from(byte).to_digit(base) else {
            break;
        };
        number = number
            .checked_mul(base.into())
            .and_then(|n| n.checked_add(digit.into()))
            .ok_or(OUT_OF_RANGE)?;
        rest = tail;
    }
    let has_digits = rest.len() < digits.len();
    let shift = match rest {
        _ if !has_digits => return Err(INVALID_UNIT),
        b"" => 0,
        b"k" | b"K" => 10,
        b"m" | b"M" => 20,
        b"g" | b"G" => 30,
        _ => return Err(INVALID_UNIT),
    };
    number.checked_mul(1 << shift).ok_or(OUT_OF_RANGE)
}

fn trim_start(value: &[u8]) -> &[u8] {
    let space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let at = value.iter().position(|byte| !space(byte));
    at.and_then(|at| value.get(at..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(value: Option<&str>) -> Variable<'_> {
        Variable {
            key: b"a.b",
            value: value.map(str::as_bytes),
            line: 1,
        }
    }

    #[test]
    fn booleans_are_words_or_numbers() {
        for (value, expected) in [
            (None, Some(true)),
            (Some(""), Some(false)),
            (Some("YES"), Some(true)),
            (Some("off"), Some(false)),
            (Some("2"), Some(true)),
            (Some("0"), Some(false)),
            (Some("-1"), Some(true)),
            (Some("1k"), Some(true)),
            (Some("maybe"), None),
            (Some("4g"), None),
        ] {
            assert_eq!(boolean(&variable(value)).ok(), expected, "{value:?}");
        }
    }

    #[test]
    fn numbers_have_bases_and_units() {
        for (value, expected) in [
            ("10", Ok(10)),
            (" \t-10", Ok(-10)),
            ("+0x1F", Ok(31)),
            ("010", Ok(8)),
            ("0", Ok(0)),
            ("2K", Ok(2048)),
            ("1g", Ok(1 << 30)),
            ("", Err("invalid unit")),
            ("k", Err("invalid unit")),
            ("0x", Err("invalid unit")),
            ("08", Err("invalid unit")),
            ("1 k", Err("invalid unit")),
            ("1kk", Err("invalid unit")),
            ("9223372036854775808", Err("out of range")),
            ("99999999999999999999", Err("out of range")),
        ] {
            assert_eq!(signed_number(value.as_bytes()), expected, "{value}");
        }
        assert_eq!(unsigned_number(b"18446744073709551615"), Ok(u64::MAX));
        assert_eq!(unsigned_number(b"-1"), Err(INVALID_UNIT));
        assert_eq!(unsigned_number(b"1-1"), Err(INVALID_UNIT));
    }
}
