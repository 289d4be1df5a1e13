//! Verifying keys of each type of records, in time linear in the bytes that keys do not share.
#![forbid(unsafe_code)]

use crate::format::error::wide;
use crate::format::{Corruption, Damage, Expected};
use crate::record::{IndexRecords, LogRecords, ObjRecords, Records, RefRecords};

/// Bytes after the name in a log key: NUL and update index.
const LOG_TAIL: usize = 9;

/// A type of records with rules for its keys.
pub(super) trait Keys: Records {
    /// Checks a key that shares `shared` bytes with the previous one, which had `old_len` bytes and
    /// was checked. An error names `position`.
    fn check(key: &[u8], shared: usize, old_len: usize, position: usize) -> Result<(), Damage>;

    /// Checks extra bits that readers ignore.
    fn check_extra(_: u8, _: usize) -> Result<(), Damage> {
        Ok(())
    }
}

impl Keys for RefRecords {
    fn check(key: &[u8], shared: usize, _: usize, position: usize) -> Result<(), Damage> {
        without_nul(key, shared, position)
    }
}

impl Keys for LogRecords {
    fn check(key: &[u8], shared: usize, old_len: usize, position: usize) -> Result<(), Damage> {
        let Some((name, tail)) = key.split_last_chunk::<LOG_TAIL>() else {
            let what = "length of a reflog entry's key";
            let least = Expected::AtLeast(wide(LOG_TAIL) + 1);
            return Err(Corruption::new(
                wide(position),
                what,
                wide(key.len()),
                least,
            ));
        };
        let [nul, ..] = tail;
        if *nul != 0 {
            let what = "byte between ref name and update index of a reflog entry's key";
            let none = Expected::Exactly(0);
            return Err(Corruption::new(wide(position), what, (*nul).into(), none));
        }
        if name.is_empty() {
            let (what, least) = ("length of a reflog entry's ref name", Expected::AtLeast(1));
            return Err(Corruption::new(wide(position), what, 0, least));
        }
        // Only the name in the previous key is known to contain no NUL, not its update index.
        let known = shared.min(old_len.saturating_sub(LOG_TAIL));
        without_nul(name, known, position)
    }
}

impl Keys for ObjRecords {
    fn check(_: &[u8], _: usize, _: usize, _: usize) -> Result<(), Damage> {
        Ok(())
    }
}

impl Keys for IndexRecords {
    fn check(_: &[u8], _: usize, _: usize, _: usize) -> Result<(), Damage> {
        Ok(())
    }

    fn check_extra(extra: u8, position: usize) -> Result<(), Damage> {
        match extra {
            0 => Ok(()),
            _ => {
                let what = "value type of an index record";
                Err(Corruption::at(position, what, usize::from(extra), 0))
            }
        }
    }
}

/// Checks that a name contains no NUL; its first `known` bytes are known to contain none.
fn without_nul(name: &[u8], known: usize, position: usize) -> Result<(), Damage> {
    let unknown = name.get(known..).unwrap_or_default();
    let Some(nul) = unknown.iter().position(|&byte| byte == 0) else {
        return Ok(());
    };
    let what = "NUL inside a ref name, its position";
    let least = Expected::AtLeast(wide(name.len()));
    Err(Corruption::new(
        wide(position),
        what,
        wide(known + nul),
        least,
    ))
}
