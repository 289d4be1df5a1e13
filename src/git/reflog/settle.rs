//! Applying decisions about a log that has changed since they were made.
//!
//! The result is that of an expiry before the change: an entry that was pruned and is still there
//! goes, entries that are new stay, and nothing comes back that has been deleted.
#![forbid(unsafe_code)]

use super::judge::Judged;
use crate::format::Result;
use crate::merged::MergedLogs;
use crate::record::{LogRecord, LogValue};

/// The decisions about a log that are to be written.
#[derive(Debug)]
pub struct Decisions {
    /// Newest entry first.
    pub judged: Vec<Judged>,
    /// Whether they leave no entry in the log.
    pub is_emptied: bool,
}

/// Drops the decisions about the log of `name` that do not apply any more. They were made in the
/// view of `old`; `new` is a cursor over the current one.
pub fn settle(
    decisions: &mut Decisions,
    name: &[u8],
    old: &mut MergedLogs,
    new: &mut MergedLogs,
) -> Result<()> {
    let mut exists = false;
    let mut stays = false;
    let mut last = None;
    let mut judged = std::mem::take(&mut decisions.judged).into_iter().peekable();
    old.seek_only(name)?;
    new.seek_only(name)?;
    let mut has_old = old.advance()?;
    while new.advance()? {
        let record = new.record();
        let update_index = record.update_index;
        exists = true;
        // One decision is about all records with a key that a table contains twice.
        if last.replace(update_index) == Some(update_index) {
            continue;
        }
        while has_old && old.record().update_index > update_index {
            has_old = old.advance()?;
        }
        while judged
            .next_if(|judged| judged.update_index > update_index)
            .is_some()
        {}
        let is_same = has_old && old.record() == record;
        let decision = judged.next_if(|judged| judged.update_index == update_index);
        match decision.filter(|judged| is_same || judged.is_pruned()) {
            Some(decision) => {
                stays |= !decision.is_pruned();
                decisions.judged.push(decision);
            }
            None => stays |= !is_marker(&record),
        }
    }
    decisions.is_emptied = exists && !stays && !decisions.judged.is_empty();
    Ok(())
}

fn is_marker(record: &LogRecord<'_>) -> bool {
    let is_null = |id: &[u8]| id.iter().all(|&byte| byte == 0);
    match &record.value {
        LogValue::Update(update) => is_null(update.old_hash) && is_null(update.new_hash),
        LogValue::Deletion => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::HashId;
    use crate::git::reflog::entry::tests::entry;
    use crate::merged::{Merged, Tombstones};
    use crate::repo::log_records::{marker, tombstone};
    use crate::table::{Table, WriteOptions, Writer};
    use std::sync::Arc;

    const NAME: &[u8] = b"refs/heads/main";

    /// A record in a table: an entry with this message, a marker or a tombstone.
    #[derive(Clone, Copy)]
    enum Kind {
        Entry(&'static [u8]),
        Marker,
        Gone,
    }
    use Kind::{Entry, Gone, Marker};

    /// A table with these records of the log, newest first.
    fn table(records: &[(u64, Kind)]) -> Arc<Table> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, &WriteOptions::default()).unwrap();
        writer.set_limits(1, 99).unwrap();
        for &(update_index, kind) in records {
            let main = c"refs/heads/main";
            match kind {
                Entry(message) => {
                    let entry = entry(update_index, message);
                    writer.copy_log(&entry.record(main, HashId::Sha1))
                }
                Marker => writer.add_log_verbatim(&marker(NAME, update_index, 20)),
                Gone => writer.copy_log(&tombstone(NAME, update_index)),
            }
            .unwrap();
        }
        writer.finish().unwrap();
        drop(writer);
        Arc::new(Table::new("table", bytes.into()).unwrap())
    }

    const OLD: [(u64, Kind); 3] = [(3, Entry(b"c")), (2, Entry(b"b")), (1, Entry(b"a"))];

    /// Settles decisions about OLD after another process has added a table of `added`. Each
    /// decision is the update index of an entry and whether it is pruned. Returns those that are
    /// left, and whether the log is emptied.
    fn settled(decisions: &[(u64, bool)], added: &[(u64, Kind)]) -> (Vec<(u64, bool)>, bool) {
        let judged = |&(update_index, is_pruned): &(u64, bool)| {
            Judged::new(entry(update_index, b"rewritten"), is_pruned, true, 100)
        };
        let mut decisions = Decisions {
            judged: decisions.iter().map(judged).collect(),
            is_emptied: decisions.len() == 3,
        };
        let old = Merged::new(vec![table(&OLD)], HashId::Sha1).unwrap();
        let mut tables = old.tables().to_vec();
        tables.extend((!added.is_empty()).then(|| table(added)));
        let new = Merged::new(tables, HashId::Sha1).unwrap();
        let (mut old, mut new) = (old.logs(Tombstones::Hide), new.logs(Tombstones::Hide));
        settle(&mut decisions, NAME, &mut old, &mut new).unwrap();
        let left = decisions.judged.iter();
        let left = left.map(|judged| (judged.update_index, judged.is_pruned()));
        (left.collect(), decisions.is_emptied)
    }

    const ALL: [(u64, bool); 3] = [(3, true), (2, true), (1, true)];
    const GONE: [(u64, Kind); 3] = [(3, Gone), (2, Gone), (1, Gone)];

    #[test]
    fn a_log_that_has_not_changed() {
        assert_eq!(settled(&ALL, &[]), (ALL.to_vec(), true));
        let some = [(2, true), (1, false)];
        assert_eq!(settled(&some, &[]), (some.to_vec(), false));
    }

    #[test]
    fn new_entries_stay() {
        let (left, is_emptied) = settled(&ALL, &[(4, Entry(b"d"))]);
        assert_eq!(left, ALL);
        assert!(!is_emptied);
    }

    #[test]
    fn nothing_comes_back_of_a_deleted_log() {
        assert_eq!(settled(&ALL, &GONE), (vec![], false));
        assert_eq!(settled(&[(2, false)], &GONE), (vec![], false));
        // The log has been created again.
        let mut again = vec![(5, Entry(b"e"))];
        again.extend(GONE);
        assert_eq!(settled(&ALL, &again), (vec![], false));
    }

    #[test]
    fn another_expiry_has_pruned_some_or_all() {
        let (left, is_emptied) = settled(&ALL, &[(2, Gone)]);
        assert_eq!(left, [(3, true), (1, true)]);
        assert!(is_emptied);
        let mut emptied = vec![(4, Marker)];
        emptied.extend(GONE);
        assert_eq!(settled(&ALL, &emptied), (vec![], false));
        // The other one leaves what this one prunes.
        let (left, is_emptied) = settled(&[(3, true)], &[(4, Marker), (2, Gone), (1, Gone)]);
        assert_eq!(left, [(3, true)]);
        assert!(is_emptied);
    }

    #[test]
    fn an_entry_that_another_process_has_rewritten() {
        let rewritten = [(2, Entry(b"other"))];
        assert_eq!(settled(&[(2, false)], &rewritten), (vec![], false));
        assert_eq!(settled(&[(2, true)], &rewritten), (vec![(2, true)], false));
    }
}
