//! The settings `reftable.*`, and other settings for writing tables.
#![forbid(unsafe_code)]

use super::sys::config::{self, Setting};
use super::sys::messages::die;
use super::sys::repo::{self, Repository};
use crate::format::{HashId, DEFAULT_BLOCK_SIZE, MAX_BLOCK_SIZE};
use crate::stack::StackOptions;
use crate::table::WriteOptions;
use std::cell::OnceCell;
use std::ffi::{c_int, c_long, CString};

/// Milliseconds to wait for `tables.list.lock` when nothing is configured.
const DEFAULT_LOCK_TIMEOUT_MS: i64 = 100;

/// The configuration of a repository's refs, read when the first write needs it.
///
/// It must not be read when the store is opened: with `includeIf.onbranch` it depends on `HEAD`,
/// which git reads through that store.
pub struct Settings {
    repo: Repository,
    hash: HashId,
    stack: OnceCell<StackOptions>,
    log_refs: OnceCell<c_int>,
}

impl Settings {
    /// The settings of `repo`, whose object IDs are of the algorithm `hash`.
    pub fn new(repo: Repository, hash: HashId) -> Self {
        Self {
            repo,
            hash,
            stack: OnceCell::new(),
            log_refs: OnceCell::new(),
        }
    }

    /// The options for writing stacks. Git dies on a setting out of range.
    pub fn stack_options(&self) -> &StackOptions {
        // Nothing is borrowed meanwhile: git may read refs while it reads its configuration.
        if let Some(known) = self.stack.get() {
            return known;
        }
        let options = stack_options(self.repo, self.hash);
        self.stack.get_or_init(|| options)
    }

    /// The options for opening stacks, which are independent of settings.
    pub fn reading_options(&self) -> StackOptions {
        StackOptions {
            write: WriteOptions {
                hash_id: self.hash,
                ..WriteOptions::default()
            },
            ..StackOptions::default()
        }
    }

    /// `core.logAllRefUpdates` as `enum log_refs_config`.
    pub fn log_refs(&self) -> c_int {
        if let Some(known) = self.log_refs.get() {
            return *known;
        }
        let log_refs = self.repo.log_all_ref_updates();
        *self.log_refs.get_or_init(|| log_refs)
    }
}

/// The options for the stacks of `repo`, whose object IDs are of the algorithm `hash`.
fn stack_options(repo: Repository, hash: HashId) -> StackOptions {
    let mut options = StackOptions {
        write: WriteOptions {
            hash_id: hash,
            ..WriteOptions::default()
        },
        default_permissions: repo.shared_mode(0o666 & !repo::umask()),
        disable_auto_compact: !repo::env_bool(c"GIT_TEST_REFTABLE_AUTOCOMPACTION", true),
        lock_timeout_ms: DEFAULT_LOCK_TIMEOUT_MS,
        ..StackOptions::default()
    };
    config::for_each(repo, &mut |setting| apply(&mut options, setting));
    if options.write.block_size == 0 {
        options.write.block_size = DEFAULT_BLOCK_SIZE;
    }
    options
}

fn apply(options: &mut StackOptions, setting: &Setting<'_>) {
    match setting.key() {
        b"reftable.blocksize" => options.write.block_size = block_size(setting.unsigned()),
        b"reftable.restartinterval" => {
            options.write.restart_interval =
                u16::try_from(setting.unsigned()).unwrap_or_else(|_| {
                    let max = decimal(u16::MAX);
                    die(c"reftable block size cannot exceed %s", &[&max])
                });
        }
        b"reftable.indexobjects" => options.write.skip_index_objects = !setting.boolean(),
        b"reftable.geometricfactor" => {
            options.auto_compaction_factor =
                u8::try_from(setting.unsigned()).unwrap_or_else(|_| {
                    let max = decimal(u8::MAX);
                    die(c"reftable geometric factor cannot exceed %s", &[&max])
                });
        }
        b"reftable.locktimeout" => options.lock_timeout_ms = lock_timeout(setting.signed()),
        _ => {}
    }
}

fn block_size(wanted: u64) -> u32 {
    match u32::try_from(wanted) {
        Ok(size) if size <= MAX_BLOCK_SIZE => size,
        _ => die(c"reftable block size cannot exceed 16MB", &[]),
    }
}

fn lock_timeout(wanted: i64) -> i64 {
    if c_long::try_from(wanted).is_err() && wanted > 0 {
        let max = decimal(c_long::MAX);
        die(c"reftable lock timeout cannot exceed %s", &[&max]);
    }
    if wanted < 0 && wanted != -1 {
        die(
            c"reftable lock timeout does not support negative values other than -1",
            &[],
        );
    }
    wanted
}

fn decimal(number: impl ToString) -> CString {
    CString::new(number.to_string()).unwrap_or_default()
}
