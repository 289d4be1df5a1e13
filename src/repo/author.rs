//! The committer, the time and the message of log entries.
#![forbid(unsafe_code)]

use super::texts::{clean_identity, clean_message};
use super::{Error, Identity, Repository, Result, Time};
use crate::format::DEFAULT_BLOCK_SIZE;
use crate::record::LogUpdate;
use crate::stack::Stack;

/// The committer, the time and the message of log entries, in the form in which they are stored.
#[derive(Debug)]
pub(super) struct Author {
    name: Vec<u8>,
    email: Vec<u8>,
    time: Time,
    message: Vec<u8>,
}

impl Author {
    /// Without a `committer`, the one in the settings; without a `time`, now.
    pub(super) fn new(
        repository: &Repository,
        committer: Option<&Identity>,
        time: Option<Time>,
        message: &[u8],
    ) -> Result<Self> {
        let committer = match committer {
            None => repository.settings()?.committer.as_ref(),
            given => given,
        };
        let committer = committer.ok_or(Error::NoCommitter)?;
        Ok(Self {
            name: clean_identity(&committer.name),
            email: clean_identity(&committer.email),
            time: time.unwrap_or_else(Time::now),
            message: clean_message(message),
        })
    }

    /// An entry without ids, with `message` or the usual one, of which `longest` bytes are stored.
    pub(super) fn entry<'a>(&'a self, message: Option<&'a [u8]>, longest: usize) -> LogUpdate<'a> {
        let message = message.unwrap_or(&self.message);
        LogUpdate {
            old_hash: &[],
            new_hash: &[],
            name: &self.name,
            email: &self.email,
            time: self.time.seconds,
            tz_offset: self.time.zone,
            message: message.get(..longest).unwrap_or(message),
        }
    }
}

/// Size in bytes of the longest message that is stored: half a block.
pub(super) fn longest_message(stack: &Stack) -> usize {
    let size = match stack.options().write.block_size {
        0 => DEFAULT_BLOCK_SIZE,
        size => size,
    };
    usize::try_from(size / 2).unwrap_or(usize::MAX)
}
