//! The mutations, by the part of the format that they change.

pub mod blocks;
pub mod frame;
pub mod indexes;
pub mod logs;
pub mod refs;

use super::raw::{Block, Raw};
use super::sound::Layout;

/// A kind of block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Refs,
    RefIndex,
    Objects,
    ObjectIndex,
    Logs,
    LogIndex,
}

impl Section {
    pub const ALL: [Self; 6] = [
        Self::Refs,
        Self::RefIndex,
        Self::Objects,
        Self::ObjectIndex,
        Self::Logs,
        Self::LogIndex,
    ];

    /// The blocks of the section; for an index, from the lowest level up.
    pub fn blocks(self, layout: &Layout) -> Vec<usize> {
        match self {
            Self::Refs => layout.refs.clone(),
            Self::RefIndex => layout.ref_index.concat(),
            Self::Objects => layout.objects.clone(),
            Self::ObjectIndex => layout.object_index.concat(),
            Self::Logs => layout.logs.clone(),
            Self::LogIndex => layout.log_index.concat(),
        }
    }
}

/// Which one of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    First,
    Middle,
    Last,
}

impl Which {
    pub const ALL: [Self; 3] = [Self::First, Self::Middle, Self::Last];

    pub fn of(self, count: usize) -> usize {
        match self {
            Self::First => 0,
            Self::Middle => count / 2,
            Self::Last => count - 1,
        }
    }
}

/// The number of a block of the section.
pub fn number(layout: &Layout, section: Section, which: Which) -> usize {
    let blocks = section.blocks(layout);
    blocks[which.of(blocks.len())]
}

/// A block of the section.
pub fn block<'r>(
    raw: &'r mut Raw,
    layout: &Layout,
    section: Section,
    which: Which,
) -> &'r mut Block {
    &mut raw.blocks[number(layout, section, which)]
}
