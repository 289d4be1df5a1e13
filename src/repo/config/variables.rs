//! What the variables of the configuration mean.
#![forbid(unsafe_code)]

use bstr::{BString, ByteSlice};

use crate::format::{DEFAULT_BLOCK_SIZE, MAX_BLOCK_SIZE};
use crate::repo::config_file::{Fault, Variable};
use crate::repo::config_value::{boolean, signed, unsigned, word};
use crate::repo::settings::LogRefUpdates;
use crate::repo::{Error, Result, Settings};
use crate::sys::Sharing;

/// The settings so far.
#[derive(Debug, Default)]
pub(super) struct Variables {
    settings: Settings,
    /// The last values of variables that git looks up at the end: what comes before them may be
    /// invalid.
    log_ref_updates: Option<Option<BString>>,
    shared_repository: Option<Option<BString>>,
    /// Whether `core.fsync` includes references. They are not among git's defaults.
    flushes_references: bool,
    /// `core.fsyncMethod=writeout-only`.
    only_writes_out: bool,
}

impl Variables {
    pub(super) fn apply(&mut self, variable: &Variable<'_>) -> Result<(), Fault> {
        let last = || Some(variable.value.map(BString::from));
        match variable.key {
            b"core.logallrefupdates" => self.log_ref_updates = last(),
            b"core.sharedrepository" => self.shared_repository = last(),
            b"core.fsync" => self.flushes_references = flushes_references(variable.required()?),
            b"core.fsyncmethod" => match variable.required()? {
                b"writeout-only" => self.only_writes_out = true,
                b"fsync" | b"batch" => self.only_writes_out = false,
                // Git warns of these and ignores them.
                _ => {}
            },
            key => {
                if let Some(name) = key.strip_prefix(b"reftable.") {
                    self.apply_stack(name, variable)?;
                }
            }
        }
        Ok(())
    }

    /// Variables of stacks, with git's limits and messages.
    fn apply_stack(&mut self, name: &[u8], variable: &Variable<'_>) -> Result<(), String> {
        let stack = &mut self.settings.stack;
        let limit = |what: &str, max: &dyn std::fmt::Display| {
            format!("reftable {what} cannot exceed {max}")
        };
        match name {
            b"blocksize" => {
                let size = u32::try_from(unsigned(variable)?);
                let size = size.ok().filter(|&size| size <= MAX_BLOCK_SIZE);
                stack.write.block_size = size.ok_or_else(|| limit("block size", &"16MB"))?;
            }
            b"restartinterval" => {
                stack.write.restart_interval = u16::try_from(unsigned(variable)?)
                    .map_err(|_| limit("restart interval", &u16::MAX))?;
            }
            b"indexobjects" => stack.write.skip_index_objects = !boolean(variable)?,
            b"geometricfactor" => {
                stack.auto_compaction_factor = u8::try_from(unsigned(variable)?)
                    .map_err(|_| limit("geometric factor", &u8::MAX))?;
            }
            b"locktimeout" => match signed(variable)? {
                ..-1 => {
                    return Err(
                        "reftable lock timeout does not support negative values other than -1"
                            .into(),
                    )
                }
                timeout => stack.lock_timeout_ms = timeout,
            },
            _ => {}
        }
        Ok(())
    }

    /// The settings, but for the committer.
    pub(super) fn finish(self) -> Result<Settings> {
        let mut settings = self.settings;
        let invalid = |reason| Error::Config { path: None, reason };
        if let Some(value) = &self.log_ref_updates {
            let value = value.as_ref().map(|value| value.as_bytes());
            settings.log_ref_updates = log_ref_updates(value).map_err(invalid)?;
        }
        if let Some(value) = &self.shared_repository {
            let value = value.as_ref().map(|value| value.as_bytes());
            settings.sharing = sharing(value).map_err(invalid)?;
        }
        if settings.stack.write.block_size == 0 {
            settings.stack.write.block_size = DEFAULT_BLOCK_SIZE;
        }
        settings.no_fsync = !self.flushes_references || self.only_writes_out;
        Ok(settings)
    }
}

fn log_ref_updates(value: Option<&[u8]>) -> Result<LogRefUpdates, String> {
    if value.is_some_and(|value| value.eq_ignore_ascii_case(b"always")) {
        return Ok(LogRefUpdates::Always);
    }
    let is_on = boolean(&Variable {
        key: b"core.logAllRefUpdates",
        value,
        line: 0,
    })?;
    Ok(match is_on {
        true => LogRefUpdates::Usual,
        false => LogRefUpdates::Existing,
    })
}

/// The meaning of `core.sharedRepository`, as git's `git_config_perm()`.
fn sharing(value: Option<&[u8]>) -> Result<Sharing, String> {
    const GROUP: Sharing = Sharing::Also(0o660);
    const ALL: Sharing = Sharing::Also(0o664);
    let value = match value {
        None | Some(b"group") => return Ok(GROUP),
        Some(b"umask") => return Ok(Sharing::Umask),
        Some(b"all" | b"world" | b"everybody") => return Ok(ALL),
        Some(value) => value,
    };
    // The words of booleans that are no octal numbers.
    match word(value) {
        Some(true) => return Ok(GROUP),
        Some(false) => return Ok(Sharing::Umask),
        None => {}
    }
    let number = value.to_str().ok();
    let number = number.and_then(|number| u32::from_str_radix(number.trim_start(), 8).ok());
    match number {
        Some(0) => Ok(Sharing::Umask),
        Some(1) => Ok(GROUP),
        Some(2) => Ok(ALL),
        // Others never may write.
        Some(mode) if mode & 0o600 == 0o600 => Ok(Sharing::Exactly(mode & 0o666)),
        Some(mode) => Err(format!(
            "problem with core.sharedRepository filemode value (0{mode:03o}): the owner of files \
             must always have read and write permissions"
        )),
        None => {
            // A decimal number that is not octal is a boolean.
            let is_group = boolean(&Variable {
                key: b"core.sharedRepository",
                value: Some(value),
                line: 0,
            })?;
            Ok(if is_group { GROUP } else { Sharing::Umask })
        }
    }
}

/// Whether the list of `core.fsync` includes references, as git's `parse_fsync_components()`.
fn flushes_references(list: &[u8]) -> bool {
    let mut is_added = false;
    for item in list.split(|&byte| byte == b',') {
        let item = item.trim_start_with(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
        let (is_negative, name) = match item.strip_prefix(b"-") {
            Some(name) => (true, name),
            None => (false, item),
        };
        match (name, is_negative) {
            (b"", false) => continue,
            // Git ignores all after a lone dash.
            (b"", true) => break,
            _ => {}
        }
        // Git takes every component whose name begins so; these four include references.
        let is_meant = ["reference", "committed", "added", "all"]
            .iter()
            .any(|component| component.as_bytes().starts_with(name));
        // What a list adds it cannot remove.
        is_added |= is_meant && !is_negative;
    }
    is_added
}
