//! The file `packed-refs`.
#![forbid(unsafe_code)]

use std::path::Path;

use reftable::repo::check_name;
use reftable::{HashId, ObjectId};

use super::flaw::{Flaw, Kind};
use super::loose::id_of;
use super::walk::content;
use crate::failure::Result;

/// The header of a file that has the peeled value of each annotated tag.
pub const HEADER: &[u8] = b"# pack-refs with: peeled fully-peeled sorted \n";

/// The content of the file.
#[derive(Debug, Default)]
pub struct Packed {
    bytes: Vec<u8>,
    /// In the order of the names.
    lines: Vec<Line>,
    hash: HashId,
    /// Whether a ref without a peeled value has none: any ref, or one in `refs/tags`.
    is_fully_peeled: bool,
    has_peeled_tags: bool,
}

/// The line of a ref.
#[derive(Clone, Copy, Debug)]
struct Line {
    /// Position of the name, which follows the id and a space.
    name: usize,
    name_len: usize,
    /// Whether the next line has the peeled value.
    is_peeled: bool,
}

/// What is known of the object that a tag points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peeled {
    /// The tag's object finally points at this one.
    Id(ObjectId),
    /// It is not a tag.
    Not,
    Unknown,
}

/// A ref of the file.
#[derive(Clone, Copy, Debug)]
pub struct PackedRef<'p> {
    pub name: &'p [u8],
    pub id: ObjectId,
    pub peeled: Peeled,
}

impl Packed {
    /// Reads the file, which may be missing. Lines that are not valid are `flaws`.
    pub fn read(path: &Path, hash: HashId, flaws: &mut Vec<Flaw>) -> Result<Self> {
        let bytes = content(path)?.unwrap_or_default();
        Ok(Self::parse(bytes, hash, flaws))
    }

    fn parse(bytes: Vec<u8>, hash: HashId, flaws: &mut Vec<Flaw>) -> Self {
        let mut packed = Self {
            hash,
            ..Self::default()
        };
        let digits = 2 * hash.len();
        let mut at = 0;
        for (number, line) in (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n')) {
            let start = at;
            at += line.len();
            let text = line.strip_suffix(b"\n");
            let flaw = match text {
                Some(text) if number == 1 && text.starts_with(b"# pack-refs with:") => {
                    packed.read_header(text);
                    continue;
                }
                Some([b'^', peeled @ ..]) => match packed.lines.last_mut() {
                    Some(last) if !last.is_peeled && is_id(peeled, digits) => {
                        last.is_peeled = true;
                        continue;
                    }
                    _ => "a peeled value without a tag, or not an object id",
                },
                Some(text) => match text.split_at_checked(digits + 1) {
                    Some((id, name)) if id.ends_with(b" ") => {
                        let flaw = flaw_of(id.get(..digits).unwrap_or_default(), name, digits);
                        packed.lines.push(Line {
                            name: start + digits + 1,
                            name_len: name.len(),
                            is_peeled: false,
                        });
                        match flaw {
                            None => continue,
                            Some((kind, text)) => {
                                packed.lines.pop();
                                flaws.push(Flaw::new(kind, name, text));
                                continue;
                            }
                        }
                    }
                    _ => "neither a comment nor an object id and a name",
                },
                None => "not terminated by a newline",
            };
            let text = format!("line {number}: {flaw}");
            flaws.push(Flaw::new(Kind::Broken, &b"packed-refs"[..], text));
        }
        packed.bytes = bytes;
        packed.sort(flaws);
        packed
    }

    fn read_header(&mut self, text: &[u8]) {
        let has = |word: &[u8]| text.split(|&byte| byte == b' ').any(|other| other == word);
        self.is_fully_peeled = has(b"fully-peeled");
        self.has_peeled_tags = has(b"peeled");
    }

    /// Git sorts the file if its header does not say that it is sorted.
    fn sort(&mut self, flaws: &mut Vec<Flaw>) {
        let mut lines = std::mem::take(&mut self.lines);
        let is_sorted = lines.is_sorted_by(|a, b| self.name(a) < self.name(b));
        if !is_sorted {
            lines.sort_by(|a, b| self.name(a).cmp(self.name(b)));
            for pair in lines.windows(2) {
                if let [a, b] = pair {
                    if self.name(a) == self.name(b) {
                        let text = "packed-refs has it twice";
                        flaws.push(Flaw::new(Kind::Broken, self.name(a), text));
                    }
                }
            }
        }
        self.lines = lines;
    }

    fn name(&self, line: &Line) -> &[u8] {
        let end = line.name + line.name_len;
        self.bytes.get(line.name..end).unwrap_or_default()
    }

    fn id_at(&self, start: usize) -> Option<ObjectId> {
        self.bytes
            .get(start..start + 2 * self.hash.len())
            .and_then(id_of)
    }

    /// The refs in the order of their names.
    pub fn refs(&self) -> impl Iterator<Item = PackedRef<'_>> {
        self.lines.iter().filter_map(|line| {
            let name = self.name(line);
            let id = self.id_at(line.name - 2 * self.hash.len() - 1)?;
            let is_known =
                self.is_fully_peeled || self.has_peeled_tags && name.starts_with(b"refs/tags/");
            let peeled = match line.is_peeled {
                // After the name, its newline and the circumflex.
                true => self.id_at(line.name + line.name_len + 2).map(Peeled::Id),
                false => is_known.then_some(Peeled::Not),
            };
            Some(PackedRef {
                name,
                id,
                peeled: peeled.unwrap_or(Peeled::Unknown),
            })
        })
    }
}

/// What is wrong with the line of a ref.
fn flaw_of(id: &[u8], name: &[u8], digits: usize) -> Option<(Kind, &'static str)> {
    if !is_id(id, digits) {
        return Some((Kind::Broken, "packed-refs has no object id for it"));
    }
    if id.iter().all(|&byte| byte == b'0') {
        return Some((Kind::Broken, "packed-refs has the null id for it"));
    }
    if !name.starts_with(b"refs/") || check_name(name).is_err() {
        return Some((
            Kind::Name,
            "packed-refs has this name, which git does not allow",
        ));
    }
    None
}

fn is_id(text: &[u8], digits: usize) -> bool {
    text.len() == digits && text.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Vec<(String, Peeled)>, Vec<Flaw>) {
        let mut flaws = Vec::new();
        let packed = Packed::parse(text.as_bytes().to_vec(), HashId::Sha1, &mut flaws);
        let refs = packed.refs().map(|found| {
            let name = String::from_utf8(found.name.to_vec()).unwrap();
            (name, found.peeled)
        });
        (refs.collect(), flaws)
    }

    #[test]
    fn refs_are_sorted_and_peeled_as_the_header_says() {
        let (a, b) = ("1".repeat(40), "2".repeat(40));
        let lines = format!("{a} refs/tags/t\n^{b}\n{a} refs/heads/m\n{b} refs/tags/u\n");
        let id: ObjectId = b.parse().unwrap();
        for (header, tag, other) in [
            ("", Peeled::Unknown, Peeled::Unknown),
            ("# pack-refs with: peeled \n", Peeled::Not, Peeled::Unknown),
            (
                "# pack-refs with: peeled fully-peeled \n",
                Peeled::Not,
                Peeled::Not,
            ),
        ] {
            let (refs, flaws) = parse(&format!("{header}{lines}"));
            assert!(flaws.is_empty(), "{flaws:?}");
            let expected = [
                ("refs/heads/m", other),
                ("refs/tags/t", Peeled::Id(id)),
                ("refs/tags/u", tag),
            ];
            assert_eq!(
                refs,
                expected.map(|(name, peeled)| (name.to_owned(), peeled))
            );
        }
    }

    #[test]
    fn invalid_lines_are_reported() {
        let (a, null) = ("1".repeat(40), "0".repeat(40));
        for (text, name) in [
            (format!("^{a}\n"), "packed-refs"),
            (format!("{a} refs/heads/a"), "packed-refs"),
            ("x\n".to_owned(), "packed-refs"),
            (format!("{null} refs/heads/a\n"), "refs/heads/a"),
            (format!("{} refs/heads/a\n", "x".repeat(40)), "refs/heads/a"),
            (format!("{a} refs/heads/a..b\n"), "refs/heads/a..b"),
            (format!("{a} HEAD\n"), "HEAD"),
            (format!("{a} refs/a\n{a} refs/a\n"), "refs/a"),
        ] {
            let (_, flaws) = parse(&text);
            assert_eq!(flaws.len(), 1, "{text}");
            assert_eq!(flaws[0].name, name.as_bytes(), "{text}");
        }
    }
}
