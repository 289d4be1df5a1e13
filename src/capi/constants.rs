//! `reftable-constants.h`: the first bytes of blocks.

/// First byte of a block of reflog entries.
pub const REFTABLE_BLOCK_TYPE_LOG: u8 = b'g';
/// First byte of an index block.
pub const REFTABLE_BLOCK_TYPE_INDEX: u8 = b'i';
/// First byte of a block of refs.
pub const REFTABLE_BLOCK_TYPE_REF: u8 = b'r';
/// First byte of a block of abbreviated object ids.
pub const REFTABLE_BLOCK_TYPE_OBJ: u8 = b'o';
/// Stands for any type where one is wanted.
pub const REFTABLE_BLOCK_TYPE_ANY: u8 = 0;
