//! `reftable-constants.h`: block types.

/// First byte of a log block.
pub const REFTABLE_BLOCK_TYPE_LOG: u8 = b'g';
/// First byte of an index block.
pub const REFTABLE_BLOCK_TYPE_INDEX: u8 = b'i';
/// First byte of a ref block.
pub const REFTABLE_BLOCK_TYPE_REF: u8 = b'r';
/// First byte of an object block.
pub const REFTABLE_BLOCK_TYPE_OBJ: u8 = b'o';
/// Any block type, where a type is requested.
pub const REFTABLE_BLOCK_TYPE_ANY: u8 = 0;
