//! Malformed repositories, the same ones each time.
//!
//! A [`Bend`] changes one thing of a sound table that has every section, several blocks in each,
//! and indexes of two levels; what is not bent is right, checksum and lengths included. A
//! [`ListCase`](lists::ListCase) does the same to what is around tables.
#![forbid(unsafe_code)]
#![allow(dead_code)] // each test program uses a part

pub mod bends;
pub mod commands;
pub mod lists;
pub mod many;
pub mod raw;
pub mod run;
pub mod sound;
pub mod world;

use raw::Raw;
use sound::Layout;

/// What a bend makes of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Makes {
    /// The same refs and logs in another form, all of it legal.
    Sound,
    /// Other refs or logs, or what only git's own rules for names and values forbid.
    Other,
    /// Something that the format forbids.
    Damaged,
}

/// One change of a table.
pub struct Bend {
    /// The part of the format that it is about.
    pub group: &'static str,
    pub name: String,
    pub makes: Makes,
    change: Change,
}

type RawChange = Box<dyn Fn(&mut Raw, &Layout) + Send + Sync>;
type BytesChange = Box<dyn Fn(&mut Vec<u8>, &[u64]) + Send + Sync>;

enum Change {
    Raw(RawChange),
    /// Of the file; given is where its blocks, and last the footer, begin.
    Bytes(BytesChange),
}

impl Bend {
    /// The file of a table with this bend.
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

/// Collects bends.
#[derive(Default)]
pub struct Bends(Vec<Bend>);

impl Bends {
    pub fn raw(
        &mut self,
        group: &'static str,
        makes: Makes,
        name: impl Into<String>,
        change: impl Fn(&mut Raw, &Layout) + Send + Sync + 'static,
    ) {
        self.0.push(Bend {
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
        self.0.push(Bend {
            group,
            name: name.into(),
            makes,
            change: Change::Bytes(Box::new(change)),
        });
    }
}

/// All bends.
pub fn all_bends() -> Vec<Bend> {
    let mut bends = Bends::default();
    bends::frame::add(&mut bends);
    bends::blocks::add(&mut bends);
    bends::refs::add(&mut bends);
    bends::logs::add(&mut bends);
    bends::indexes::add(&mut bends);
    bends.0
}
