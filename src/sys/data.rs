//! The bytes of an open table.
#![forbid(unsafe_code)]

use std::fmt;
use std::ops::Deref;

use super::mmap::Mapping;

/// The bytes of a table: read into memory when few, mapped when many, or kept by somebody
/// else.
#[derive(Debug)]
pub struct TableData(Kind);

/// With a tag of its own: it is looked at for each record.
#[derive(Debug)]
#[repr(u8)]
enum Kind {
    Owned(Vec<u8>),
    Mapped(Mapping),
    Kept(Keeper),
}

/// Keeps bytes that never change, and lets them go when it is dropped.
struct Keeper(Box<dyn Deref<Target = [u8]> + Send + Sync>);

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper")
            .field("len", &self.0.len())
            .finish_non_exhaustive()
    }
}

impl TableData {
    pub(super) fn mapped(mapping: Mapping) -> Self {
        Self(Kind::Mapped(mapping))
    }

    /// Bytes that `keeper` keeps; it must always give the same ones.
    #[must_use]
    pub fn kept(keeper: impl Deref<Target = [u8]> + Send + Sync + 'static) -> Self {
        Self(Kind::Kept(Keeper(Box::new(keeper))))
    }
}

impl From<Vec<u8>> for TableData {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Kind::Owned(bytes))
    }
}

impl Deref for TableData {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kind::Owned(bytes) => bytes,
            Kind::Mapped(mapping) => mapping.bytes(),
            Kind::Kept(keeper) => &keeper.0,
        }
    }
}
