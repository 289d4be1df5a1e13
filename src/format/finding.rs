//! The kinds of findings that verification reports.
#![forbid(unsafe_code)]

/// What a finding of a table or of a stack is about.
///
/// The numbers are this crate's own; they never reach a file.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FindingKind {
    /// The name of a table.
    TableName,
    /// `tables.list`, or the directory that holds it.
    List,
    /// A listed table is missing or cannot be opened.
    MissingTable,
    /// A file that no list names and no running process owns.
    UnlistedFile,
    /// The first bytes are not those of a readable table.
    Header,
    /// The last bytes contradict their checksum, the header, or the sections.
    Footer,
    /// The hash of the object ids is unknown or differs from the expected one.
    Hash,
    /// An update index is out of range.
    UpdateIndex,
    /// A block or a record cannot be read, or bytes are where none may be.
    Block,
    /// Keys repeat or do not ascend.
    Order,
    /// An index does not lead to the blocks below it.
    Index,
    /// The object section does not list the blocks that mention an object.
    Objects,
}
