//! Files in a stack's folder that belong to nobody.
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::super::clean::STALE_MS;
use super::super::list::List;
use super::super::{names, LIST_NAME};
use super::{read_list, Detail};
use crate::format::Error;
use crate::sys::{Storage, LOCK_SUFFIX};

/// How long an addition that has taken tables in may need to remove them once it has given up
/// the list's lock, in milliseconds.
const REMOVAL_MS: u64 = 200;

/// Tells the tables that are not in `list` and the temporary and lock files that are too old to
/// belong to a process at work. Other files are not ours to judge.
///
/// A table is unlisted, and no leftover, while an addition or a compaction holds the list's lock;
/// a compaction removes its inputs after that, but holds their own locks until then. So whoever
/// takes a lock after the folder was read is known by a list that has changed, or by a table that
/// is no longer there.
pub(super) fn check(
    storage: &dyn Storage,
    dir: &Path,
    list: &List,
    tell: &mut dyn FnMut(&str, Detail<'_>),
) {
    let entries = match storage.list_dir(dir) {
        Ok(entries) => names_of(entries),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return,
        Err(e) => {
            return tell(
                LIST_NAME,
                Detail::BadList(&Error::io("open directory", dir, e)),
            )
        }
    };
    let present: HashSet<&str> = entries.iter().map(String::as_str).collect();
    let is_old = |name: &str| match storage.age_ms(&dir.join(name)) {
        Ok(Some(age_ms)) if age_ms > STALE_MS => Some(Detail::Stale { age_ms }),
        _ => None,
    };
    let list_lock = format!("{LIST_NAME}{LOCK_SUFFIX}");
    if present.contains(list_lock.as_str()) {
        if let Some(finding) = is_old(&list_lock) {
            tell(&list_lock, finding);
        }
        return;
    }
    let newer = read_list(storage, dir).unwrap_or_default();
    let listed: HashSet<&str> = list.names().chain(newer.names()).collect();
    let exists = |name: &str| match storage.file_id(&dir.join(name)) {
        Err(e) => e.kind() != io::ErrorKind::NotFound,
        Ok(_) => true,
    };
    let mut has_waited = false;
    let mut stays = |name: &str| {
        if exists(name) && !std::mem::replace(&mut has_waited, true) {
            storage.sleep_ms(REMOVAL_MS);
        }
        exists(name)
    };
    for name in &entries {
        let is_locked = || present.contains(format!("{name}{LOCK_SUFFIX}").as_str());
        let finding = if name.ends_with(names::TABLE_SUFFIX) {
            let is_leftover = !listed.contains(name.as_str()) && !is_locked() && stays(name);
            is_leftover.then_some(Detail::Unlisted)
        } else if names::is_temp_table(name) || names::table_of_lock(name).is_some() {
            is_old(name)
        } else {
            None
        };
        if let Some(finding) = finding {
            tell(name, finding);
        }
    }
}

/// The names, sorted; those that are not UTF-8 are nobody's that we know.
fn names_of(entries: Vec<OsString>) -> Vec<String> {
    let names = entries.into_iter().filter_map(|e| e.into_string().ok());
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names
}
