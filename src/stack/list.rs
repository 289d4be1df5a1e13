//! The content of `tables.list`: one table name per line, the oldest table first.
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;

use super::names::{self, NameFault, LIST_NAME};
use crate::format::error::wide;
use crate::format::{Error, Expected, Result};
use crate::sys::{ListHandle, Storage, MAX_LIST_BYTES};

/// A checked list. Every name is a plain file name and occurs once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    text: String,
}

impl List {
    /// Reads and checks the list file `path`, which messages about its content call `shown`.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read, [also](is_missing) if it is missing;
    /// [`Error::Corrupt`].
    pub(super) fn read(
        storage: &dyn Storage,
        path: &Path,
        shown: &Path,
    ) -> Result<(Self, Option<ListHandle>)> {
        let file = storage
            .read_list(path)
            .map_err(|e| Error::io("open", path, e))?;
        Ok((Self::parse(file.bytes, shown)?, file.handle))
    }

    /// Reads the list in the directory `dir` for a check; a missing file is an empty list.
    /// Messages about its content do not name the directory.
    pub(super) fn read_for_check(storage: &dyn Storage, dir: &Path) -> Result<Self> {
        match Self::read(storage, &dir.join(LIST_NAME), Path::new(LIST_NAME)) {
            Err(e) if is_missing(&e) => Ok(Self::default()),
            done => done.map(|(list, _)| list),
        }
    }

    /// Checks the content of the list file `path`. As in git, empty lines are ignored, and the
    /// last line must end with a newline.
    fn parse(bytes: Vec<u8>, path: &Path) -> Result<Self> {
        if bytes.len() > MAX_LIST_BYTES {
            let limit = Expected::AtMost(wide(MAX_LIST_BYTES));
            return Err(damage(
                path,
                None,
                0,
                "length of the list",
                bytes.len(),
                limit,
            ));
        }
        let mut offset = 0;
        for (index, line) in bytes.split_inclusive(|&b| b == b'\n').enumerate() {
            let at = Some(index + 1);
            let Some(name) = line.strip_suffix(b"\n") else {
                let (what, one) = ("newlines at the end", Expected::Exactly(1));
                return Err(damage(path, at, offset, what, 0, one).about(line));
            };
            let fault = names::fault_of(name).filter(|_| !name.is_empty());
            if let Some(NameFault {
                what,
                found,
                expected,
            }) = fault
            {
                let error = damage(path, at, offset, what, found, expected);
                return Err(error.about(name));
            }
            offset += line.len();
        }
        // Every line is UTF-8, which the loop has checked.
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        let list = Self { text };
        match list.repeated() {
            Some((name, line, offset)) => {
                let (what, one) = ("lines with this table name", Expected::Exactly(1));
                Err(damage(path, Some(line), offset, what, 2, one).about(name.as_bytes()))
            }
            None => Ok(list),
        }
    }

    /// The list of these names, which are valid and distinct.
    pub(super) fn from_names<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut text = String::new();
        for name in names {
            text.push_str(name);
            text.push('\n');
        }
        Self { text }
    }

    /// The names with their line numbers, from 1.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.split_terminator('\n').enumerate();
        lines.filter_map(|(i, name)| (!name.is_empty()).then_some((i + 1, name)))
    }

    /// The names, oldest table first.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.numbered().map(|(_, name)| name)
    }

    /// The file's content.
    pub(super) fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// A name that occurs twice, with line number and offset of its second occurrence.
    fn repeated(&self) -> Option<(&str, usize, usize)> {
        let mut sorted: Vec<&str> = self.names().collect();
        sorted.sort_unstable();
        let mut pairs = sorted.windows(2);
        let name = pairs.find(|pair| pair.first() == pair.last())?.first()?;
        let mut offset = 0;
        let mut positions = Vec::new();
        for (index, line) in self.text.split_inclusive('\n').enumerate() {
            if line.trim_end_matches('\n') == *name {
                positions.push((index + 1, offset));
            }
            offset += line.len();
        }
        let (line, offset) = positions.get(1)?;
        Some((name, *line, *offset))
    }
}

/// Whether an error of opening or creating a file says that it, or its directory, is missing.
pub(super) fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Io(failure) if failure.source.kind() == io::ErrorKind::NotFound)
}

/// The error for a damaged list, as `file:line`, the form that compilers use.
fn damage(
    path: &Path,
    line: Option<usize>,
    offset: usize,
    what: &'static str,
    found: usize,
    expected: Expected,
) -> Error {
    let file = match line {
        Some(line) => format!("{}:{line}", path.display()),
        None => path.display().to_string(),
    };
    Error::corrupt(file, wide(offset), what, wide(found), expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<List> {
        List::parse(bytes.to_vec(), Path::new("dir/tables.list"))
    }

    #[test]
    fn names_keep_their_order_and_empty_lines_are_ignored() {
        let list = parse(b"a.ref\n\nb.ref\n").unwrap();
        assert!(list.names().eq(["a.ref", "b.ref"]));
        assert_eq!(list.bytes(), b"a.ref\n\nb.ref\n");
        assert_eq!(parse(b"").unwrap().names().count(), 0);
        assert_eq!(parse(b"\n\n").unwrap().names().count(), 0);
        let again = List::from_names(list.names());
        assert_eq!(again.bytes(), b"a.ref\nb.ref\n");
    }

    #[test]
    fn damage_is_reported_with_file_and_line() {
        for (bytes, line, name) in [
            (&b"a.ref"[..], "tables.list:1:", "'a.ref'"),
            (b"a.ref\nb", "tables.list:2:", "'b'"),
            (b"a.ref\n../b.ref\n", "tables.list:2:", "'../b.ref'"),
            (b"a.ref\n\n..\n", "tables.list:3:", "'..'"),
            (b"a\0b\n", "tables.list:1:", "'a\\000b'"),
            (b"\xff\x1b[1m\n", "tables.list:1:", "'\\377\\033[1m'"),
            (b"a.ref\nb.ref\na.ref\n", "tables.list:3:", "'a.ref'"),
        ] {
            let error = parse(bytes).unwrap_err();
            assert!(matches!(error, Error::Corrupt(_)), "{bytes:?}: {error}");
            let text = error.to_string();
            assert!(text.contains(line), "{text} has no {line}");
            assert!(text.ends_with(name), "{text} does not show {name}");
        }
        assert!(parse(&vec![b'\n'; MAX_LIST_BYTES]).is_ok());
        assert!(parse(&vec![b'\n'; MAX_LIST_BYTES + 1]).is_err());
    }
}
