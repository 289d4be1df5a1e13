//! Constants, integers, prefix-compressed keys and errors: what every other floor is made of.
//!
//! The numbers are those of git's `Documentation/technical/reftable`.
#![forbid(unsafe_code)]

pub(crate) mod error;
pub(crate) mod input;
pub(crate) mod key;
pub(crate) mod layout;
pub(crate) mod quote;
pub(crate) mod varint;
pub(crate) mod words;

pub use error::{Corruption, Error, Expected, Result};
pub(crate) use error::{Damage, FlawKind};
pub(crate) use input::Input;
pub use layout::{
    BlockType, HashId, DEFAULT_BLOCK_SIZE, DEFAULT_RESTART_INTERVAL, MAX_BLOCK_SIZE, MAX_HASH_LEN,
    MAX_RESTARTS,
};
