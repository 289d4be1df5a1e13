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
