//! What the variables of the configuration mean.
#![forbid(unsafe_code)]

use bstr::ByteSlice;

use super::sources::Configuration;
use crate::format::{DEFAULT_BLOCK_SIZE, MAX_BLOCK_SIZE};
use crate::repo::config_file::Variable;
use crate::repo::config_value::{boolean, signed, unsigned, word};
use crate::repo::settings::LogRefUpdates;
use crate::repo::{Result, Settings};
use crate::stack::StackOptions;
use crate::sys::Sharing;

/// The settings, except the committer.
pub(super) fn settings(configuration: &Configuration) -> Result<Settings> {
    let mut settings = Settings::default();
    stack(configuration, &mut settings.stack)?;
    if let Some(last) = configuration.last("core.logAllRefUpdates") {
        settings.log_ref_updates = last.parsed(log_ref_updates)?;
    }
    if let Some(last) = configuration.last("core.sharedRepository") {
        settings.sharing = last.parsed(|variable| sharing(variable.value))?;
    }
    // References are not among what git flushes by default.
    let flushes = match configuration.last("core.fsync") {
        Some(last) => last.parsed(|variable| Ok(flushes_references(variable.required()?)))?,
        None => false,
    };
    let only_writes_out = match configuration.last("core.fsyncMethod") {
        // Git warns of unknown methods and ignores them.
        Some(last) => last.parsed(|variable| Ok(variable.required()? == b"writeout-only"))?,
        None => false,
    };
    settings.no_fsync = !flushes || only_writes_out;
    Ok(settings)
}

/// The variables `reftable.*`, with git's limits and messages.
fn stack(configuration: &Configuration, options: &mut StackOptions) -> Result<()> {
    if let Some(last) = configuration.last("reftable.blockSize") {
        options.write.block_size = last.parsed(|variable| {
            let size = u32::try_from(unsigned(variable)?);
            let size = size.ok().filter(|&size| size <= MAX_BLOCK_SIZE);
            size.ok_or_else(|| above("block size", "16MB"))
        })?;
    }
    if let Some(last) = configuration.last("reftable.restartInterval") {
        options.write.restart_interval = last.parsed(|variable| {
            u16::try_from(unsigned(variable)?).map_err(|_| above("restart interval", u16::MAX))
        })?;
    }
    if let Some(last) = configuration.last("reftable.indexObjects") {
        options.write.skip_index_objects = !last.parsed(boolean)?;
    }
    if let Some(last) = configuration.last("reftable.geometricFactor") {
        options.auto_compaction_factor = last.parsed(|variable| {
            u8::try_from(unsigned(variable)?).map_err(|_| above("geometric factor", u8::MAX))
        })?;
    }
    if let Some(last) = configuration.last("reftable.lockTimeout") {
        options.lock_timeout_ms = last.parsed(|variable| match signed(variable)? {
            ..-1 => {
                Err("reftable lock timeout does not support negative values other than -1".into())
            }
            timeout => Ok(timeout),
        })?;
    }
    if options.write.block_size == 0 {
        options.write.block_size = DEFAULT_BLOCK_SIZE;
    }
    Ok(())
}

fn above(what: &str, max: impl std::fmt::Display) -> String {
    format!("reftable {what} cannot exceed {max}")
}

fn log_ref_updates(variable: &Variable<'_>) -> Result<LogRefUpdates, String> {
    let is_always = |value: &[u8]| value.eq_ignore_ascii_case(b"always");
    if variable.value.is_some_and(is_always) {
        return Ok(LogRefUpdates::Always);
    }
    Ok(match boolean(variable)? {
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
