//! Reading objects, as far as that is needed to find what a tag finally points at.
//!
//! ```text
//! pack    the index of a pack, and its entries
//! ```
#![forbid(unsafe_code)]

mod pack;

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use bstr::ByteSlice as _;
use flate2::read::ZlibDecoder;
use reftable::{HashId, ObjectId, Target};

use crate::failure::{Failure, Result};
use crate::files::loose::id_of;
use crate::files::packed::Peeled;
use crate::files::walk::{content, is_missing};
use pack::Pack;

/// The largest tag that is read. Bases of deltas may be any object.
const MAX_SIZE: u64 = 64 << 20;

/// The most tags between a ref and its object, and the most directories of objects.
const MAX_DEPTH: usize = 64;

/// The objects of a repository.
#[derive(Debug)]
pub struct Objects {
    dir: PathBuf,
    hash: HashId,
    /// The directories of loose objects and the packs; read when first needed.
    sources: Option<(Vec<PathBuf>, Vec<Pack>)>,
    /// How many objects were not found.
    pub missing: u64,
}

/// The types of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Tag,
    /// A commit, a tree or a blob.
    Other,
}

/// An object: its content, if it is a tag.
type Object = (Kind, Vec<u8>);

impl Objects {
    /// The objects of the repository with this shared directory.
    pub fn new(common_dir: &Path, hash: HashId) -> Self {
        Self {
            dir: common_dir.join("objects"),
            hash,
            sources: None,
            missing: 0,
        }
    }

    /// The peeled value of a ref, if it has one. Reads objects only if `known` does not tell it.
    pub fn peeled(&mut self, target: Option<&Target>, known: Peeled) -> Result<Option<ObjectId>> {
        match (target, known) {
            (Some(Target::Id(id)), Peeled::Unknown) => self.peel(id),
            (Some(Target::Id(_)), Peeled::Id(id)) => Ok(Some(id)),
            _ => Ok(None),
        }
    }

    /// The object that the tag `id` finally points at. `None` if `id` is not that of a tag, or an
    /// object is missing or damaged, where git prints no peeled value either.
    pub fn peel(&mut self, id: &ObjectId) -> Result<Option<ObjectId>> {
        let mut id = *id;
        for depth in 0..MAX_DEPTH {
            let Some((kind, content)) = self.read(&id)? else {
                self.missing += 1;
                return Ok(None);
            };
            if kind == Kind::Other {
                return Ok((depth > 0).then_some(id));
            }
            let line = content.lines().next().unwrap_or_default();
            let target = line.strip_prefix(b"object ").and_then(id_of);
            let Some(target) = target.filter(|id| id.hash() == self.hash) else {
                return Ok(None);
            };
            // The tag says what it points at, so a commit need not be found.
            let kind = content.lines().nth(1).unwrap_or_default();
            if kind != b"type tag" {
                return Ok(Some(target));
            }
            id = target;
        }
        Ok(None)
    }

    /// An object; `None` if it is missing or damaged.
    fn read(&mut self, id: &ObjectId) -> Result<Option<Object>> {
        if self.sources.is_none() {
            self.sources = Some(self.find_sources()?);
        }
        let Some((dirs, packs)) = &mut self.sources else {
            return Ok(None);
        };
        // The pack that was last useful is first.
        for at in 0..packs.len() {
            let found = packs.get(at).and_then(|pack| pack.offset_of(id));
            if let Some(offset) = found {
                packs.swap(0, at);
                let pack = packs.first_mut();
                return Ok(pack.and_then(|pack| pack.tag_at(offset)));
            }
        }
        let hex = id.to_string();
        let (first, rest) = hex.split_at(2);
        for dir in dirs {
            let path = dir.join(first).join(rest);
            match File::open(&path) {
                Err(e) if is_missing(&e) => {}
                Err(e) => return Err(Failure::io("read", &path, &e)),
                Ok(file) => return Ok(loose(file)),
            }
        }
        Ok(None)
    }

    /// Reads the names of packs, here and in the repositories whose objects are used.
    fn find_sources(&self) -> Result<(Vec<PathBuf>, Vec<Pack>)> {
        let mut dirs = vec![self.dir.clone()];
        let mut packs = Vec::new();
        let mut at = 0;
        while let Some(dir) = dirs.get(at).cloned() {
            at += 1;
            let pack_dir = dir.join("pack");
            let failed = |e: io::Error| Failure::io("read", &pack_dir, &e);
            let entries = match fs::read_dir(&pack_dir) {
                Err(e) if is_missing(&e) => None,
                entries => Some(entries.map_err(failed)?),
            };
            for entry in entries.into_iter().flatten() {
                let path = entry.map_err(failed)?.path();
                if path.extension().is_some_and(|extension| extension == "idx") {
                    packs.extend(Pack::open(&path, self.hash));
                }
            }
            let alternates = content(&dir.join("info/alternates"))?.unwrap_or_default();
            for line in alternates.lines() {
                let is_path = !line.is_empty() && !line.starts_with(b"#");
                if let (true, Ok(path)) = (is_path && dirs.len() < MAX_DEPTH, line.to_path()) {
                    dirs.push(dir.join(path));
                }
            }
        }
        Ok((dirs, packs))
    }
}

/// The object in a file of its own.
fn loose(file: File) -> Option<Object> {
    use std::io::BufRead as _;

    let mut stream = BufReader::with_capacity(512, ZlibDecoder::new(file)).take(MAX_SIZE);
    let mut header = Vec::new();
    stream.read_until(0, &mut header).ok()?;
    if !header.starts_with(b"tag ") {
        return Some((Kind::Other, Vec::new()));
    }
    let mut content = Vec::new();
    stream.read_to_end(&mut content).ok()?;
    Some((Kind::Tag, content))
}
