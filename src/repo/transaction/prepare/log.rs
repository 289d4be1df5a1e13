//! Which changes get a log entry, and with which id.
#![forbid(unsafe_code)]

use bstr::BString;

use super::{Place, Preparation};
use crate::record::RefValue;
use crate::repo::locked::route;
use crate::repo::rules::{is_usually_logged, is_well_formed, SYMREF_DEPTH};
use crate::repo::transaction::change::{Change, Log, New};
use crate::repo::transaction::update::LogChange;
use crate::repo::{Error, LogRefUpdates, ObjectId, Result};

impl Preparation<'_, '_> {
    /// The log entry for a change, if there is to be one.
    pub(super) fn plan_log(
        &mut self,
        number: u32,
        change: &Change,
        place: Place,
    ) -> Result<LogChange> {
        let wanted = match change.log.unwrap_or(self.log) {
            Log::Always => true,
            Log::Never => false,
            Log::ByRules => self.is_logged(number, place)?,
        };
        if !wanted {
            return Ok(LogChange::None);
        }
        Ok(match &change.new {
            New::Id(_) | New::Deleted => LogChange::Append,
            New::Symbolic(target) => {
                match found_or_dangling(self.resolve(target, SYMREF_DEPTH))? {
                    Some(id) => LogChange::AppendResolved(self.names.add_id(id)?),
                    // Without an id there is nothing to log.
                    None => LogChange::None,
                }
            }
            New::Same => LogChange::None,
        })
    }

    fn is_logged(&mut self, number: u32, place: Place) -> Result<bool> {
        let setting = match self.settings.log_ref_updates {
            LogRefUpdates::Unset if self.repository.layout().is_bare() => LogRefUpdates::Existing,
            LogRefUpdates::Unset => LogRefUpdates::Usual,
            other => other,
        };
        let is_usual = || is_usually_logged(self.name(number, place.name));
        if setting == LogRefUpdates::Always || setting == LogRefUpdates::Usual && is_usual() {
            return Ok(true);
        }
        self.has_log(number, place)
    }

    pub(super) fn has_log(&mut self, number: u32, place: Place) -> Result<bool> {
        let name = self.names.of(self.changes, number, place.name);
        match self.parts.all.get_mut(place.part) {
            Some(part) => part.has_log(name),
            None => Ok(false),
        }
    }

    /// The object that `name` resolves to after reading at most `depth` refs; `None` if the last one
    /// does not exist.
    pub(super) fn resolve(&mut self, name: &[u8], depth: usize) -> Result<Option<ObjectId>> {
        let mut name = BString::from(name);
        for _ in 0..depth {
            if !is_well_formed(&name) {
                let reason = "target of a symbolic ref".into();
                return Err(Error::InvalidName { name, reason });
            }
            let (key, bare) = route(self.repository, &name);
            let hash = self.repository.hash();
            let Some(found) = self.parts.find(key, bare)? else {
                return Ok(None);
            };
            match found.value {
                RefValue::Symref(target) => {
                    let target = target.into();
                    name = target;
                }
                value => return Ok(value.id().map(|id| ObjectId::stored(id, hash))),
            }
        }
        Err(Error::TooManySymrefs { name })
    }
}

/// A symbolic ref that leads nowhere has no id, for whatever reason.
pub(super) fn found_or_dangling(resolved: Result<Option<ObjectId>>) -> Result<Option<ObjectId>> {
    match resolved {
        Err(Error::TooManySymrefs { .. } | Error::InvalidName { .. }) => Ok(None),
        other => other,
    }
}
