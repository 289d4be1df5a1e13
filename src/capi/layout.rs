//! Compile-time checks of the layouts of public structs in git's headers, and of its constants
//! against those of the layers below. The numbers hold for 64-bit pointers.
#![cfg(target_pointer_width = "64")]
#![forbid(unsafe_code)]

use super::basics::{
    reftable_buf, REFTABLE_HASH_SIZE_MAX, REFTABLE_HASH_SIZE_SHA1, REFTABLE_HASH_SIZE_SHA256,
};
use super::block::reftable_block;
use super::blocksource::{
    reftable_block_data, reftable_block_source, reftable_block_source_vtable,
};
use super::constants::{
    REFTABLE_BLOCK_TYPE_ANY, REFTABLE_BLOCK_TYPE_INDEX, REFTABLE_BLOCK_TYPE_LOG,
    REFTABLE_BLOCK_TYPE_OBJ, REFTABLE_BLOCK_TYPE_REF,
};
use super::fsck::{reftable_fsck_error, reftable_fsck_info};
use super::iterator::reftable_iterator;
use super::record::{
    reftable_log_record, reftable_log_update, reftable_ref_record, reftable_ref_val2, LOG_UPDATE,
    REFTABLE_NR_LOG_VALUETYPES, REFTABLE_NR_REF_VALUETYPES, REF_SYMREF,
};
use super::stack::{reftable_compaction_stats, reftable_log_expiry_config};
use super::table::{reftable_table, reftable_table_iterator, reftable_table_offsets};
use super::writer::{reftable_block_stats, reftable_stats};

use crate::format::{BlockType, HashId, MAX_HASH_LEN};

/// `NAME, SIZE: MEMBER OFFSET, …`
macro_rules! layout {
    ($name:ty, $size:literal: $($member:ident $offset:literal),+) => {
        const _: () = {
            assert!(size_of::<$name>() == $size);
            $(assert!(std::mem::offset_of!($name, $member) == $offset);)+
        };
    };
}
pub(super) use layout;

layout!(reftable_buf, 24: alloc 0, len 8, buf 16);
layout!(reftable_ref_record, 96:
    refname 0, refname_cap 8, update_index 16, value_type 24, value 32);
layout!(reftable_ref_val2, 64: value 0, target_value 32);
layout!(reftable_log_record, 144:
    refname 0, refname_cap 8, update_index 16, value_type 24, value 32);
layout!(reftable_log_update, 112:
    new_hash 0, old_hash 32, name 64, email 72, time 80, tz_offset 88, message 96,
    message_cap 104);
layout!(reftable_iterator, 16: ops 0, iter_arg 8);
layout!(reftable_block_source, 16: ops 0, arg 8);
layout!(reftable_block_data, 32: data 0, len 8, source 16);
layout!(reftable_block_source_vtable, 32: size 0, read_data 8, release_data 16, close 24);
layout!(reftable_block, 88:
    header_off 0, block_data 8, hash_size 40, zstream 48, uncompressed_data 56,
    uncompressed_cap 64, restart_count 72, restart_off 76, full_block_size 80, block_type 84);
layout!(reftable_table_offsets, 24: is_present 0, offset 8, index_offset 16);
layout!(reftable_table, 144:
    name 0, source 8, size 24, hash_id 32, block_size 36, min_update_index 40,
    max_update_index 48, object_id_len 56, version 60, ref_offsets 64, obj_offsets 88,
    log_offsets 112, refcount 136);
layout!(reftable_table_iterator, 8: iter_arg 0);
layout!(reftable_block_stats, 40:
    entries 0, restarts 4, blocks 8, index_blocks 12, max_index_level 16, offset 24,
    index_offset 32);
layout!(reftable_stats, 176:
    blocks 0, ref_stats 8, obj_stats 48, idx_stats 88, log_stats 128, object_id_len 168);
layout!(reftable_log_expiry_config, 16: time 0, min_update_index 8);
layout!(reftable_compaction_stats, 24: bytes 0, entries_written 8, attempts 16, failures 20);
layout!(reftable_fsck_info, 24: error 0, msg 8, path 16);

const _: () = {
    assert!(REFTABLE_HASH_SIZE_SHA1 == HashId::Sha1.len());
    assert!(REFTABLE_HASH_SIZE_SHA256 == HashId::Sha256.len());
    assert!(REFTABLE_HASH_SIZE_MAX == MAX_HASH_LEN);
    assert!(REFTABLE_BLOCK_TYPE_REF == BlockType::Ref.byte());
    assert!(REFTABLE_BLOCK_TYPE_OBJ == BlockType::Obj.byte());
    assert!(REFTABLE_BLOCK_TYPE_LOG == BlockType::Log.byte());
    assert!(REFTABLE_BLOCK_TYPE_INDEX == BlockType::Index.byte());
    assert!(REFTABLE_BLOCK_TYPE_ANY == 0);
    assert!(REFTABLE_NR_REF_VALUETYPES == REF_SYMREF + 1);
    assert!(REFTABLE_NR_LOG_VALUETYPES == LOG_UPDATE + 1);
    assert!(reftable_fsck_error::REFTABLE_FSCK_MAX_VALUE as u32 == 1);
};
