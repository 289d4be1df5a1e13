//! Leftovers of dead processes in a stack's directory.
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::finding::Detail;
use crate::format::Error;
use crate::stack::list::List;
use crate::stack::locks::STALE_MS;
use crate::stack::names::{self, LIST_NAME};
use crate::sys::{Storage, LOCK_SUFFIX};

/// How long an addition that has merged older tables may need to remove them after it has
/// released the list's lock, in milliseconds.
const REMOVAL_MS: u64 = 200;

/// Reports tables that are not in `list`, and temporary and lock files that are too old to belong
/// to a running process. Ignores other files.
///
/// An unlisted table is no leftover while an addition or a compaction holds the list's lock. A
/// compaction removes its inputs after that, but holds their own locks until then. A process that
/// takes a lock after the directory was read is detected by a changed list, or because the table
/// is then gone.
pub(super) fn check(
    storage: &dyn Storage,
    dir: &Path,
    list: &List,
    emit: &mut dyn FnMut(&str, Detail<'_>),
) {
    let entries = match storage.list_dir(dir) {
        Ok(entries) => names_of(entries),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return,
        Err(e) => {
            return emit(
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
            emit(&list_lock, finding);
        }
        return;
    }
    let newer = List::read_for_check(storage, dir).unwrap_or_default();
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
            emit(name, finding);
        }
    }
}

/// The names, sorted, without those that are not UTF-8: they are not of a stack.
fn names_of(entries: Vec<OsString>) -> Vec<String> {
    let names = entries.into_iter().filter_map(|e| e.into_string().ok());
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names
}
