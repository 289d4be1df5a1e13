//! An entry of a reflog: a line of a file, or a record of a table.
#![forbid(unsafe_code)]

use bstr::ByteSlice as _;
use reftable::record::{LogUpdate, Zone};
use reftable::{HashId, ObjectId};

use super::loose::id_of;
use crate::template::put_number;
use crate::text::put_hex;

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine<'l> {
    pub old: ObjectId,
    pub new: ObjectId,
    pub name: &'l [u8],
    pub email: &'l [u8],
    /// In seconds since 1970.
    pub time: u64,
    /// The zone `±hhmm` as a decimal number.
    pub zone: i16,
    /// Without the newline at its end.
    pub message: &'l [u8],
}

impl<'l> LogLine<'l> {
    /// Parses a line, which ends with a newline. `None` if git does not show it either. As git's
    /// `show_one_reflog_ent()`.
    pub fn parse(line: &'l [u8], hash: HashId) -> Option<Self> {
        let line = line.strip_suffix(b"\n")?;
        if line.contains(&0) {
            return None;
        }
        let digits = 2 * hash.len();
        let (old, rest) = line.split_at_checked(digits)?;
        let (new, rest) = rest.strip_prefix(b" ")?.split_at_checked(digits)?;
        let rest = rest.strip_prefix(b" ")?;
        let (ident, rest) = rest.split_at_checked(rest.find_byte(b'>')?)?;
        let (name, email) = ident.split_at_checked(ident.find_byte(b'<')?)?;
        let (time, rest) = rest.strip_prefix(b"> ")?.split_once_str(" ")?;
        let (zone, message) = rest.split_at_checked(5)?;
        Some(Self {
            old: id_of(old)?,
            new: id_of(new)?,
            name: name.strip_suffix(b" ").unwrap_or(name),
            email: email.get(1..)?,
            time: number(time).filter(|&time| time != 0)?,
            zone: zone_of(zone)?,
            message: message.strip_prefix(b"\t").unwrap_or(message),
        })
    }

    /// The entry of a record. `None` for the marker of an empty log.
    pub fn of_record(update: &LogUpdate<'l>) -> Option<Self> {
        let old = ObjectId::from_bytes(update.old_hash)?;
        let new = ObjectId::from_bytes(update.new_hash)?;
        let line = Self {
            old,
            new,
            name: update.name,
            email: update.email,
            time: update.time,
            zone: update.tz_offset.stored(),
            message: update.message.strip_suffix(b"\n").unwrap_or(update.message),
        };
        (!old.is_null() || !new.is_null()).then_some(line)
    }

    /// The record of the entry. `message` is a buffer for its message.
    pub fn to_update<'b>(&'b self, message: &'b mut Vec<u8>) -> LogUpdate<'b> {
        message.clear();
        message.extend_from_slice(self.message);
        message.push(b'\n');
        LogUpdate {
            old_hash: self.old.as_bytes(),
            new_hash: self.new.as_bytes(),
            name: self.name,
            email: self.email,
            time: self.time,
            tz_offset: Zone::from_stored(self.zone),
            message,
        }
    }

    /// Why a file cannot hold the entry.
    pub fn flaw(&self) -> Option<&'static str> {
        let has = |text: &[u8], bytes: &[u8]| text.iter().any(|byte| bytes.contains(byte));
        if has(self.name, b"<>\n\0") || has(self.email, b"<>\n\0") {
            return Some("the name or the email has a newline, a null byte or an angle bracket");
        }
        if has(self.message, b"\n\0") {
            return Some("the message has a newline or a null byte");
        }
        if self.time == 0 {
            return Some("its time is 0, which git does not read from files");
        }
        (!(-9999..=9999).contains(&self.zone)).then_some("its time zone has more than four digits")
    }

    /// Appends the line.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_hex(out, self.old.as_bytes());
        out.push(b' ');
        put_hex(out, self.new.as_bytes());
        out.push(b' ');
        out.extend_from_slice(self.name);
        out.extend_from_slice(b" <");
        out.extend_from_slice(self.email);
        out.extend_from_slice(b"> ");
        put_number(out, self.time);
        out.push(b' ');
        out.extend_from_slice(Zone::from_stored(self.zone).to_string().as_bytes());
        if !self.message.is_empty() {
            out.push(b'\t');
            out.extend_from_slice(self.message);
        }
        out.push(b'\n');
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    digits.to_str().ok().filter(|_| is_number)?.parse().ok()
}

/// The number of `±hhmm`.
fn zone_of(text: &[u8]) -> Option<i16> {
    let (sign, digits) = text.split_first()?;
    let number = i16::try_from(number(digits)?).ok()?;
    match sign {
        b'+' => Some(number),
        b'-' => Some(-number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_round_trip() {
        let (a, b) = ("1".repeat(40), "0".repeat(40));
        for rest in [
            "A U Thor <a@b> 1 +0000\tcommit: x\n",
            "A <a@b> 1700000000 -0730\n",
            " <> 5 +9999\t a\tb \n",
        ] {
            let line = format!("{b} {a} {rest}");
            let parsed = LogLine::parse(line.as_bytes(), HashId::Sha1).unwrap();
            let mut out = Vec::new();
            parsed.put(&mut out);
            assert_eq!(out, line.as_bytes());
            assert_eq!(parsed.flaw(), None);
            let mut message = Vec::new();
            let update = parsed.to_update(&mut message);
            assert_eq!(LogLine::of_record(&update), Some(parsed.clone()));
        }
    }

    #[test]
    fn lines_that_git_skips_are_refused() {
        let a = "1".repeat(40);
        for line in [
            format!("{a} {a} A <a> 1 +0000\tx"),
            format!("{a} {a} A <a> 0 +0000\tx\n"),
            format!("{a} {a} A <a> 1 0000\tx\n"),
            format!("{a} {a} A <a> 1 +00\tx\n"),
            format!("{a} {a} A <a>1 +0000\tx\n"),
            format!("{a} {a} A 1 +0000\tx\n"),
            format!("{a}{a} A <a> 1 +0000\tx\n"),
            format!("{a} {a} A <a> 1 +0000\tx\0y\n"),
            "\n".to_owned(),
        ] {
            assert_eq!(
                LogLine::parse(line.as_bytes(), HashId::Sha1),
                None,
                "{line}"
            );
        }
    }

    #[test]
    fn entries_that_no_line_can_hold_are_reported() {
        let a = "1".repeat(40);
        let line = format!("{a} {a} A <a> 1 +0000\tx\n");
        let sound = LogLine::parse(line.as_bytes(), HashId::Sha1).unwrap();
        let name = LogLine {
            name: b"a<",
            ..sound.clone()
        };
        let email = LogLine {
            email: b"a\n",
            ..sound.clone()
        };
        let message = LogLine {
            message: b"a\nb",
            ..sound.clone()
        };
        let time = LogLine {
            time: 0,
            ..sound.clone()
        };
        let zone = LogLine {
            zone: -10000,
            ..sound.clone()
        };
        for entry in [name, email, message, time, zone] {
            assert!(entry.flaw().is_some(), "{entry:?}");
        }
        assert_eq!(sound.flaw(), None);
    }
}
