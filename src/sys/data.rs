//! The bytes of an open table.
#![forbid(unsafe_code)]

use std::ops::Deref;

use super::mmap::Mapping;

/// The bytes of a table: read into memory when few, mapped when many.
#[derive(Debug)]
pub struct TableData(Kind);

#[derive(Debug)]
enum Kind {
    Owned(Vec<u8>),
    Mapped(Mapping),
}

impl TableData {
    pub(super) fn mapped(mapping: Mapping) -> Self {
        Self(Kind::Mapped(mapping))
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
        }
    }
}
