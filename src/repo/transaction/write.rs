//! Writing the table of one stack: the refs by name, then the log records.
#![forbid(unsafe_code)]

use super::change::{Change, New};
use super::update::{LogChange, Names, Update};
use crate::merged::MergedLogs;
use crate::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue};
use crate::repo::author::{longest_message, Author};
use crate::repo::locked::LockedStack;
use crate::repo::log_records::add_tombstones;
use crate::repo::texts::clean_message;
use crate::repo::{ObjectId, Result};
use crate::table::Writer;

/// What is common to all updates of a transaction.
pub(super) struct Context<'a> {
    pub(super) changes: &'a [Change],
    pub(super) names: &'a Names,
    /// `None` if no log gets an entry.
    pub(super) author: Option<&'a Author>,
}

/// Writes the table with `updates`.
pub(super) fn write(
    context: &Context<'_>,
    part: &mut LockedStack,
    updates: &mut [Update],
) -> Result<()> {
    let name = |update: &Update| context.names.of_update(context.changes, update);
    if !updates.is_sorted_by_key(name) {
        updates.sort_by(|a, b| name(a).cmp(name(b)));
    }
    let updates = &*updates;
    let first = part.addition.next_update_index();
    let least = updates
        .iter()
        .map(|update| least_bytes(context, update))
        .sum();
    let longest = longest_message(&part.stack);
    let logs = &mut part.logs;
    part.addition.add_table_of(least, |writer| {
        writer.set_limits(first, first)?;
        for update in updates {
            write_ref(context, writer, update, first)?;
        }
        for update in updates {
            write_log(context, writer, logs, update, first, longest)?;
        }
        Ok(())
    })
}

/// The least size of an update's ref record in bytes: one byte each for the lengths of the shared
/// and new parts of the name, for the new part and for the update index; and the value.
fn least_bytes(context: &Context<'_>, update: &Update) -> u64 {
    match update.change_of(context.changes).map(|change| &change.new) {
        _ if update.is_log_only => 0,
        Some(New::Id(_)) => 24,
        Some(New::Symbolic(_)) => 6,
        Some(New::Deleted) => 4,
        Some(New::Same) | None => 0,
    }
}

fn write_ref(
    context: &Context<'_>,
    writer: &mut Writer<'_>,
    update: &Update,
    update_index: u64,
) -> Result<()> {
    let Some(change) = update.change_of(context.changes) else {
        return Ok(());
    };
    let value = match &change.new {
        _ if update.is_log_only => return Ok(()),
        New::Same => return Ok(()),
        New::Deleted => RefValue::Deletion,
        New::Symbolic(target) => RefValue::Symref(target),
        New::Id(id) => match change.peeled_id() {
            Some(peeled) => RefValue::Val2 {
                value: id.as_bytes(),
                target: peeled.as_bytes(),
            },
            None => RefValue::Val1(id.as_bytes()),
        },
    };
    writer.add_ref(&RefRecord {
        name: context.names.of_update(context.changes, update),
        update_index,
        value,
    })?;
    Ok(())
}

fn write_log(
    context: &Context<'_>,
    writer: &mut Writer<'_>,
    logs: &mut MergedLogs,
    update: &Update,
    update_index: u64,
    longest: usize,
) -> Result<()> {
    let name = context.names.of_update(context.changes, update);
    let change = update.change_of(context.changes);
    let null = ObjectId::null(update.old.hash());
    let new = match update.log {
        LogChange::None => return Ok(()),
        LogChange::Remove => return Ok(add_tombstones(writer, logs, name)?),
        LogChange::AppendResolved(index) => context.names.id(index).unwrap_or(&null),
        LogChange::Append => match change.map(|change| &change.new) {
            Some(New::Id(id)) => id,
            _ => &null,
        },
    };
    let Some(author) = context.author else {
        return Ok(());
    };
    let own = change.and_then(Change::own_message);
    let own = own.map(|text| clean_message(text));
    let entry = author.entry(own.as_deref(), longest);
    writer.add_log(&LogRecord {
        name,
        update_index,
        value: LogValue::Update(LogUpdate {
            old_hash: update.old.as_bytes(),
            new_hash: new.as_bytes(),
            ..entry
        }),
    })?;
    Ok(())
}
