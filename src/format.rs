//! Constants, integers, prefix-compressed keys and errors, which all other layers use.
//!
//! The numbers are those of git's `Documentation/technical/reftable`.
#![forbid(unsafe_code)]

pub(crate) mod error;
pub(crate) mod error_code;
pub(crate) mod finding;
pub(crate) mod id_prefix;
pub(crate) mod input;
pub(crate) mod key;
pub(crate) mod layout;
pub(crate) mod quote;
pub(crate) mod varint;
pub(crate) mod words;

pub use error::{Corruption, Error, Expected, IoFailure, Result};
pub(crate) use error::{Damage, FlawKind};
pub use finding::FindingKind;
pub use id_prefix::IdPrefix;
pub(crate) use input::Input;
pub use layout::BlockType;
pub use layout::HashId;
pub(crate) use layout::{
    DEFAULT_BLOCK_SIZE, DEFAULT_RESTART_INTERVAL, MAX_BLOCK_SIZE, MAX_HASH_LEN, MAX_RESTARTS,
};
