//! Malformed repositories, always the same ones.
//!
//! A [`Mutation`] changes one thing in a sound table that has every section, several
//! blocks in each, and indexes of two levels; everything else is right, checksum and lengths
//! included. A [`ListCase`](lists::ListCase) does the same to the files around tables.
#![forbid(unsafe_code)]
#![allow(dead_code)] // each test program uses a part

pub mod commands;
// The fuzzers include this module without `common`.
#[allow(clippy::duplicate_mod)]
#[path = "../common/dialect.rs"]
mod dialect;
pub mod lists;
pub mod many;
pub mod mutations;
pub mod raw;
pub mod run;
pub mod sound;
pub mod world;

use raw::Raw;
use sound::Layout;

/// What a mutation turns the table into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Makes {
    /// The same refs and logs in another valid form.
    Sound,
    /// Other refs or logs, or something that only git's own rules for names and values forbid.
    Other,
    /// Something that the format forbids.
    Damaged,
}

/// One change of a table.
pub struct Mutation {
    /// The part of the format that it changes.
    pub group: &'static str,
    pub name: String,
    pub makes: Makes,
    change: Change,
}

type RawChange = Box<dyn Fn(&mut Raw, &Layout) + Send + Sync>;
type BytesChange = Box<dyn Fn(&mut Vec<u8>, &[u64]) + Send + Sync>;

enum Change {
    Raw(RawChange),
    /// Changes the file; the arguments are the positions of its blocks and last of its footer.
    Bytes(BytesChange),
}

impl Mutation {
    /// The file of a table with this mutation.
    pub fn apply(&self, raw: &Raw, layout: &Layout) -> Vec<u8> {
        let mut raw = raw.clone();
        match &self.change {
            Change::Raw(change) => {
                change(&mut raw, layout);
                raw.encode()
            }
            Change::Bytes(change) => {
                let (mut bytes, offsets) = raw.encode_with_offsets();
                change(&mut bytes, &offsets);
                bytes
            }
        }
    }
}

/// Collects mutations.
#[derive(Default)]
pub struct Mutations(Vec<Mutation>);

impl Mutations {
    pub fn raw(
        &mut self,
        group: &'static str,
        makes: Makes,
        name: impl Into<String>,
        change: impl Fn(&mut Raw, &Layout) + Send + Sync + 'static,
    ) {
        self.0.push(Mutation {
            group,
            name: name.into(),
            makes,
            change: Change::Raw(Box::new(change)),
        });
    }

    pub fn bytes(
        &mut self,
        group: &'static str,
        makes: Makes,
        name: impl Into<String>,
        change: impl Fn(&mut Vec<u8>, &[u64]) + Send + Sync + 'static,
    ) {
        self.0.push(Mutation {
            group,
            name: name.into(),
            makes,
            change: Change::Bytes(Box::new(change)),
        });
    }
}

/// All mutations.
pub fn all_mutations() -> Vec<Mutation> {
    let mut mutations = Mutations::default();
    mutations::frame::add(&mut mutations);
    mutations::blocks::add(&mut mutations);
    mutations::refs::add(&mut mutations);
    mutations::logs::add(&mut mutations);
    mutations::indexes::add(&mut mutations);
    mutations.0
}
