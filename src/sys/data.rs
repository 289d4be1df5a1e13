//! The bytes of an open table.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::mmap::Mapping;
use super::{StdStorage, Storage as _};

/// The bytes of a table: in memory, mapped, or owned by the caller.
#[derive(Debug)]
pub struct TableData(Backing);

/// Has an explicit tag, not a niche, because the tag is checked for each record.
#[derive(Debug)]
#[repr(u8)]
enum Backing {
    Owned(
        Vec<u8>,
        #[expect(dead_code, reason = "held to be dropped")] Option<Share>,
    ),
    Mapped(
        Mapping,
        #[expect(dead_code, reason = "held to be dropped")] Share,
    ),
    Kept(Keeper),
}

/// A limit for all tables that are open in this process.
#[derive(Debug)]
pub(super) struct Quota {
    taken: AtomicUsize,
    limit: usize,
}

/// A part of a quota, returned when dropped.
#[derive(Debug)]
pub(super) struct Share {
    quota: &'static Quota,
    amount: usize,
}

impl Quota {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            taken: AtomicUsize::new(0),
            limit,
        }
    }

    /// Takes `amount` if that much remains.
    pub(super) fn take(&'static self, amount: usize) -> Option<Share> {
        let taken = self.taken.fetch_add(amount, Ordering::Relaxed);
        let share = Share {
            quota: self,
            amount,
        };
        (taken.saturating_add(amount) <= self.limit).then_some(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.quota.taken.fetch_sub(self.amount, Ordering::Relaxed);
    }
}

/// An owner of bytes that never change.
struct Keeper(Box<dyn Deref<Target = [u8]> + Send + Sync>);

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper")
            .field("len", &self.0.len())
            .finish_non_exhaustive()
    }
}

impl TableData {
    pub(super) fn mapped(mapping: Mapping, share: Share) -> Self {
        Self(Backing::Mapped(mapping, share))
    }

    #[cfg(test)]
    pub(super) fn is_mapped(&self) -> bool {
        matches!(self.0, Backing::Mapped(..))
    }

    pub(super) fn read(bytes: Vec<u8>, share: Option<Share>) -> Self {
        Self(Backing::Owned(bytes, share))
    }

    /// The content of the file `path`, which must not change while it is used: large files are
    /// mapped. Tables never change.
    ///
    /// # Errors
    /// `NotFound` if there is no such file; `InvalidInput` if it is not a regular file.
    pub fn open(path: &Path) -> io::Result<Self> {
        StdStorage.open_table(path)
    }

    /// Bytes owned by `keeper`, which must always dereference to the same ones.
    #[must_use]
    pub fn kept(keeper: impl Deref<Target = [u8]> + Send + Sync + 'static) -> Self {
        Self(Backing::Kept(Keeper(Box::new(keeper))))
    }
}

impl From<Vec<u8>> for TableData {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Backing::Owned(bytes, None))
    }
}

impl Deref for TableData {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Backing::Owned(bytes, _) => bytes,
            Backing::Mapped(mapping, _) => mapping.bytes(),
            Backing::Kept(keeper) => &keeper.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_shares_return_to_the_quota() {
        static QUOTA: Quota = Quota::new(10);
        let first = QUOTA.take(6).unwrap();
        assert!(QUOTA.take(5).is_none());
        let second = QUOTA.take(4).unwrap();
        assert!(QUOTA.take(1).is_none());
        drop(first);
        assert!(QUOTA.take(6).is_some());
        drop(second);
        assert!(QUOTA.take(10).is_some());
        assert!(QUOTA.take(usize::MAX).is_none());
        assert!(QUOTA.take(10).is_some());
    }
}
