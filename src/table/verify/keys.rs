//! The rules for keys of each kind of records, checked in time linear in what is new in a key.
#![forbid(unsafe_code)]

use crate::format::error::wide;
use crate::format::{Corruption, Damage, Expected};
use crate::record::{IndexRecords, LogRecords, ObjRecords, Records, RefRecords};

/// NUL and update index behind the name in a log key.
const LOG_TAIL: usize = 9;

/// A kind of records with a rule for its keys.
pub(super) trait Keys: Records {
    /// Checks a key whose first `shared` bytes are those of the key before, which had `old_len`
    /// bytes and was checked. `place` is the position to name.
    fn check(key: &[u8], shared: usize, old_len: usize, place: usize) -> Result<(), Damage>;

    /// Checks extra bits that reading does not depend on.
    fn check_extra(_: u8, _: usize) -> Result<(), Damage> {
        Ok(())
    }
}

impl Keys for RefRecords {
    fn check(key: &[u8], shared: usize, _: usize, place: usize) -> Result<(), Damage> {
        without_nul(key, shared, place)
    }
}

impl Keys for LogRecords {
    fn check(key: &[u8], shared: usize, old_len: usize, place: usize) -> Result<(), Damage> {
        let Some((name, tail)) = key.split_last_chunk::<LOG_TAIL>() else {
            let what = "length of a reflog entry's key";
            let least = Expected::AtLeast(wide(LOG_TAIL) + 1);
            return Err(Corruption::new(wide(place), what, wide(key.len()), least));
        };
        let [nul, ..] = tail;
        if *nul != 0 {
            let what = "byte between ref name and update index of a reflog entry's key";
            let none = Expected::Exactly(0);
            return Err(Corruption::new(wide(place), what, (*nul).into(), none));
        }
        if name.is_empty() {
            let (what, least) = ("length of a reflog entry's ref name", Expected::AtLeast(1));
            return Err(Corruption::new(wide(place), what, 0, least));
        }
        // Of the key before only the name is known to be without NUL.
        let known = shared.min(old_len.saturating_sub(LOG_TAIL));
        without_nul(name, known, place)
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

    fn check_extra(extra: u8, place: usize) -> Result<(), Damage> {
        match extra {
            0 => Ok(()),
            _ => {
                let what = "value type of an index record";
                Err(Corruption::at(place, what, usize::from(extra), 0))
            }
        }
    }
}

/// Names hold no NUL; the first `known` bytes are known to hold none.
fn without_nul(name: &[u8], known: usize, place: usize) -> Result<(), Damage> {
    let fresh = name.get(known..).unwrap_or_default();
    let Some(position) = fresh.iter().position(|&byte| byte == 0) else {
        return Ok(());
    };
    let what = "NUL inside a ref name, its position";
    let least = Expected::AtLeast(wide(name.len()));
    Err(Corruption::new(
        wide(place),
        what,
        wide(known + position),
        least,
    ))
}
