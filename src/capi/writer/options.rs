//! C's options as options of the library.

use std::ffi::c_uint;

use super::{bit_field, reftable_write_options, CResult, Code};
use crate::capi::basics::{hash_number, reftable_hash};
use crate::format::HashId;
use crate::stack::StackOptions;
use crate::table::WriteOptions;

/// The bit of a C compiler's first bit-field in a byte.
const FIRST: bit_field = if cfg!(target_endian = "big") {
    0x80
} else {
    0x01
};
/// The bit of the second one.
const SECOND: bit_field = if cfg!(target_endian = "big") {
    0x40
} else {
    0x02
};

/// The bit of the third one.
const THIRD: bit_field = if cfg!(target_endian = "big") {
    0x20
} else {
    0x04
};

/// The hash function of a C number; 0 means SHA-1.
///
/// # Errors
/// Misuse if the number is unknown.
pub(in crate::capi) fn hash_of(number: hash_number) -> CResult<HashId> {
    const SHA1: c_uint = reftable_hash::REFTABLE_HASH_SHA1 as c_uint;
    const SHA256: c_uint = reftable_hash::REFTABLE_HASH_SHA256 as c_uint;
    match number {
        0 | SHA1 => Ok(HashId::Sha1),
        SHA256 => Ok(HashId::Sha256),
        _ => Err(Code::MISUSE),
    }
}

/// The C number of a hash function.
pub(in crate::capi) fn number_of(hash: HashId) -> hash_number {
    match hash {
        HashId::Sha1 => reftable_hash::REFTABLE_HASH_SHA1 as hash_number,
        HashId::Sha256 => reftable_hash::REFTABLE_HASH_SHA256 as hash_number,
    }
}

impl reftable_write_options {
    /// Options filled with zeros.
    // SAFETY: all members may be zero.
    pub(in crate::capi) const EMPTY: Self = unsafe { std::mem::zeroed() };

    /// Copies C's options. NULL means all zeros.
    ///
    /// # Safety
    /// `options` is NULL or points to options.
    pub(in crate::capi) unsafe fn read(options: *const Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { options.as_ref() }.copied().unwrap_or(Self::EMPTY)
    }

    /// Whether stacks are left uncompacted after an addition.
    pub(in crate::capi) fn disables_auto_compact(&self) -> bool {
        // The byte of all three bit-fields is that of the first.
        self.exact_log_message & SECOND != 0
    }

    /// Options for writing tables of a hash function.
    pub(in crate::capi) fn for_tables(&self, hash_id: HashId) -> WriteOptions {
        WriteOptions {
            block_size: self.block_size,
            restart_interval: self.restart_interval,
            hash_id,
            skip_index_objects: self.skip_index_objects & FIRST != 0,
            unpadded: self.unpadded & FIRST != 0,
            exact_log_message: self.exact_log_message & FIRST != 0,
            git_layout: self.exact_log_message & THIRD != 0,
        }
    }

    /// Options for stacks of a hash function. They disable compaction after an addition: the
    /// caller decides that for each addition.
    #[allow(
        clippy::useless_conversion,
        reason = "a long of C has 32 bits on some systems"
    )]
    pub(in crate::capi) fn for_stacks(&self, hash_id: HashId) -> StackOptions {
        StackOptions {
            write: self.for_tables(hash_id),
            default_permissions: self.default_permissions,
            disable_auto_compact: true,
            fold_small_tables: false,
            auto_compaction_factor: self.auto_compaction_factor,
            lock_timeout_ms: self.lock_timeout_ms.into(),
            interrupt: None,
            progress: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_converted() {
        let options = reftable_write_options {
            unpadded: FIRST,
            block_size: 512,
            skip_index_objects: FIRST,
            restart_interval: 5,
            default_permissions: 0o660,
            exact_log_message: FIRST | SECOND | THIRD,
            auto_compaction_factor: 3,
            lock_timeout_ms: -1,
            ..reftable_write_options::EMPTY
        };
        assert!(options.disables_auto_compact());
        let stack = options.for_stacks(HashId::Sha256);
        assert_eq!(
            stack.write,
            WriteOptions {
                block_size: 512,
                restart_interval: 5,
                hash_id: HashId::Sha256,
                skip_index_objects: true,
                unpadded: true,
                exact_log_message: true,
                git_layout: true,
            }
        );
        assert_eq!(
            (stack.default_permissions, stack.lock_timeout_ms),
            (0o660, -1)
        );
        assert_eq!(stack.auto_compaction_factor, 3);
        // SAFETY: NULL is allowed.
        let none = unsafe { reftable_write_options::read(std::ptr::null()) };
        assert!(!none.disables_auto_compact());
        assert_eq!(none.for_tables(HashId::Sha1), WriteOptions::default());
    }

    #[test]
    fn hashes_convert_to_numbers_and_back() {
        for hash in [HashId::Sha1, HashId::Sha256] {
            assert_eq!(hash_of(number_of(hash)), Ok(hash));
        }
        assert_eq!(hash_of(0), Ok(HashId::Sha1));
        assert_eq!(hash_of(1), Err(Code::MISUSE));
    }
}
