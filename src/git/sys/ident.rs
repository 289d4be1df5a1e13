//! Parsing and formatting idents: the author and time of a reflog entry.

use super::messages;
use super::strings::borrow;
use crate::git::abi::{calls, ffi, IdentSplit, IDENT_NO_DATE, WANT_COMMITTER_IDENT, ZONE_FORM};
use crate::record::Zone;
use std::ffi::{c_char, CStr, CString};
use std::ptr;

/// A person and a time, as a log record holds them.
#[derive(Clone, Debug, Default)]
pub struct Ident {
    pub name: Vec<u8>,
    pub email: Vec<u8>,
    /// Seconds since the epoch.
    pub time: u64,
    pub tz_offset: Zone,
}

impl Ident {
    /// The committer of this process, now.
    pub fn committer() -> Self {
        // SAFETY: returns a static string, valid until the next calls.
        let line = unsafe { borrow(ffi::git_committer_info(0)) }.unwrap_or_default();
        Self::parse(line)
    }

    /// Splits `NAME <EMAIL> TIME ZONE`; a line that cannot be split is a bug
    /// of the caller.
    pub fn parse(line: &CStr) -> Self {
        let mut split = IdentSplit {
            name_begin: ptr::null(),
            name_end: ptr::null(),
            mail_begin: ptr::null(),
            mail_end: ptr::null(),
            date_begin: ptr::null(),
            date_end: ptr::null(),
            tz_begin: ptr::null(),
            tz_end: ptr::null(),
        };
        // SAFETY: `line` lives through the call and the use of `split`.
        let failed =
            unsafe { calls::split_ident(&mut split, line.as_ptr(), line.to_bytes().len()) };
        if failed != 0 {
            messages::bug(c"failed splitting committer info", &[]);
        }
        let part = |begin, end| part(line, begin, end);
        Self {
            name: part(split.name_begin, split.name_end).to_vec(),
            email: part(split.mail_begin, split.mail_end).to_vec(),
            time: decimal(part(split.date_begin, split.date_end)),
            tz_offset: zone(part(split.tz_begin, split.tz_end)),
        }
    }
}

/// The bytes of `line` from `begin` to `end`; empty when either is NULL.
fn part(line: &CStr, begin: *const c_char, end: *const c_char) -> &[u8] {
    let start = line.as_ptr() as usize;
    let from = (begin as usize).wrapping_sub(start);
    let to = (end as usize).wrapping_sub(start);
    line.to_bytes().get(from..to).unwrap_or_default()
}

/// The number at the start of `digits`, or 0.
fn decimal(digits: &[u8]) -> u64 {
    digits
        .iter()
        .take_while(|c| c.is_ascii_digit())
        .fold(0u64, |n, c| {
            n.saturating_mul(10).saturating_add(u64::from(c - b'0'))
        })
}

/// The time zone `+hhmm` or `-hhmm`.
fn zone(text: &[u8]) -> Zone {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let hhmm = i32::try_from(decimal(digits)).unwrap_or(i32::MAX);
    Zone::from_hhmm(if negative { -hhmm } else { hhmm }, ZONE_FORM)
}

/// `NAME <EMAIL>`, without the characters that git strips from idents.
pub fn format(name: &CStr, email: &CStr) -> CString {
    // SAFETY: NUL-terminated strings; the result is one of git's static
    // buffers, copied at once.
    let line = unsafe {
        borrow(ffi::fmt_ident(
            name.as_ptr(),
            email.as_ptr(),
            WANT_COMMITTER_IDENT,
            ptr::null(),
            IDENT_NO_DATE,
        ))
    };
    line.unwrap_or_default().to_owned()
}
