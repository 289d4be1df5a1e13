//! The syntax of git's configuration files.
//!
//! The format of a repository is read with it, in all builds. Settings are read by `gix-config`,
//! which only the feature `config` has.
#![forbid(unsafe_code)]

use std::io::ErrorKind;
use std::path::Path;

use super::{Error, Result};
use crate::format::quote::Quoted;
use crate::sys::read_up_to;

/// Size limit of a file. Git's own limit is 2 GiB, which would take seconds and as much memory.
const MAX_BYTES: u64 = 16 << 20;

/// A variable of a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variable<'a> {
    /// `section.name` or `section.subsection.name`; all but the subsection in lower case.
    pub(super) key: &'a [u8],
    /// `None` if the variable has no `=`, which means true.
    pub(super) value: Option<&'a [u8]>,
    /// The line that it ends on, from 1.
    pub(super) line: usize,
}

impl Variable<'_> {
    /// The value, of a variable that needs one.
    pub(super) fn required(&self) -> Result<&[u8], String> {
        self.value
            .ok_or_else(|| format!("missing value for '{}'", Quoted(self.key)))
    }
}

/// The content of a configuration file; `None` if there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match read_up_to(path, MAX_BYTES) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(Error::io("read", path, e)),
    }
}

/// Calls `each` for the variables of the file `path`, whose content is `bytes`.
///
/// # Errors
/// [`Error::Config`] if a line is malformed or `each` fails; any error of its own that `each`
/// returns.
pub(super) fn parse(
    path: &Path,
    bytes: &[u8],
    each: &mut dyn FnMut(&Variable<'_>) -> Result<(), Fault>,
) -> Result<()> {
    let mut parser = Parser::new(bytes);
    let fault = match parser.run(each) {
        Ok(()) => return Ok(()),
        Err(Fault::Other(error)) => return Err(error),
        Err(Fault::Value(reason)) => format!("line {}: {reason}", parser.line),
        Err(Fault::Syntax) => format!("line {}: bad config line", parser.line),
    };
    Err(Error::Config {
        path: Some(path.to_owned()),
        reason: fault,
    })
}

/// The variables of a configuration file as `git config list -z` prints them, for tests and
/// fuzzers.
///
/// # Errors
/// [`Error::Config`] if a line is malformed.
pub fn config_list(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut list = Vec::new();
    parse(Path::new("config"), bytes, &mut |variable| {
        list.extend_from_slice(variable.key);
        if let Some(value) = variable.value {
            list.push(b'\n');
            list.extend_from_slice(value);
        }
        list.push(0);
        Ok(())
    })?;
    Ok(list)
}

/// Why a file could not be used.
#[derive(Debug)]
pub(super) enum Fault {
    /// The line is malformed.
    Syntax,
    /// The value is invalid.
    Value(String),
    /// An error that is not about this file.
    Other(Error),
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Self::Value(reason)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// A parser of git's configuration, as its `git_parse_source()`.
struct Parser<'a> {
    rest: &'a [u8],
    /// The line of the next byte.
    line: usize,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl<'a> Parser<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let bom = b"\xef\xbb\xbf";
        Self {
            rest: bytes.strip_prefix(bom).unwrap_or(bytes),
            line: 1,
            key: Vec::new(),
            value: Vec::new(),
        }
    }

    /// The next byte, with CRLF as a newline; `None` at the end, which also ends a line.
    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        match (byte, rest.strip_prefix(b"\n")) {
            (b'\r', Some(rest)) => {
                self.rest = rest;
                Some(b'\n')
            }
            _ => Some(byte),
        }
    }

    fn run(
        &mut self,
        each: &mut dyn FnMut(&Variable<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        // Length of the section's part of the key, with its dot.
        let mut stem = 0;
        while let Some(byte) = self.next() {
            match byte {
                b'\n' => self.line += 1,
                _ if is_space(byte) => {}
                b'#' | b';' => self.skip_line(),
                b'[' => {
                    self.key.clear();
                    self.section()?;
                    if self.key.is_empty() {
                        return Err(Fault::Syntax);
                    }
                    self.key.push(b'.');
                    stem = self.key.len();
                }
                _ if byte.is_ascii_alphabetic() => {
                    self.key.truncate(stem);
                    self.variable(byte, each)?;
                    self.line += 1;
                }
                _ => return Err(Fault::Syntax),
            }
        }
        Ok(())
    }

    fn skip_line(&mut self) {
        let end = self.rest.iter().position(|&byte| byte == b'\n');
        self.rest = end.and_then(|at| self.rest.get(at..)).unwrap_or_default();
    }

    /// The rest of `[section]` or `[section "subsection"]`.
    fn section(&mut self) -> Result<(), Fault> {
        loop {
            match self.next().ok_or(Fault::Syntax)? {
                b']' => return Ok(()),
                byte if is_space(byte) => return self.subsection(byte),
                byte if is_key_byte(byte) || byte == b'.' => {
                    self.key.push(byte.to_ascii_lowercase());
                }
                _ => return Err(Fault::Syntax),
            }
        }
    }

    /// The rest of ` "subsection"]`, of which `space` is the first byte.
    fn subsection(&mut self, space: u8) -> Result<(), Fault> {
        let mut byte = space;
        while is_space(byte) && byte != b'\n' {
            byte = self.next().ok_or(Fault::Syntax)?;
        }
        if byte != b'"' {
            return Err(Fault::Syntax);
        }
        self.key.push(b'.');
        loop {
            let byte = match self.next() {
                Some(b'"') => break,
                Some(b'\\') => self.next(),
                byte => byte,
            };
            match byte {
                None | Some(b'\n') => return Err(Fault::Syntax),
                Some(byte) => self.key.push(byte),
            }
        }
        match self.next() {
            Some(b']') => Ok(()),
            _ => Err(Fault::Syntax),
        }
    }

    /// The rest of a variable whose name begins with `first`.
    fn variable(
        &mut self,
        first: u8,
        each: &mut dyn FnMut(&Variable<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut byte = Some(first);
        while let Some(b) = byte.filter(|&b| is_key_byte(b)) {
            self.key.push(b.to_ascii_lowercase());
            byte = self.next();
        }
        while matches!(byte, Some(b' ' | b'\t')) {
            byte = self.next();
        }
        let has_value = match byte {
            None | Some(b'\n') => false,
            Some(b'=') => true,
            Some(_) => return Err(Fault::Syntax),
        };
        if has_value {
            self.value()?;
        }
        each(&Variable {
            key: &self.key,
            value: has_value.then_some(&self.value),
            line: self.line,
        })
    }

    /// The rest of a value and its line.
    fn value(&mut self) -> Result<(), Fault> {
        self.value.clear();
        let mut is_quoted = false;
        // Length without trailing whitespace, after some was seen.
        let mut trimmed = None;
        loop {
            let byte = match self.next() {
                None | Some(b'\n') if is_quoted => return Err(Fault::Syntax),
                None | Some(b'\n') => break,
                Some(byte) => byte,
            };
            match byte {
                _ if is_space(byte) && !is_quoted => {
                    trimmed.get_or_insert(self.value.len());
                    if !self.value.is_empty() {
                        self.value.push(byte);
                    }
                    continue;
                }
                b'#' | b';' if !is_quoted => {
                    self.skip_line();
                    continue;
                }
                b'\\' => match self.next() {
                    None => {}
                    Some(b'\n') => self.line += 1,
                    Some(b't') => self.value.push(b'\t'),
                    Some(b'b') => self.value.push(8),
                    Some(b'n') => self.value.push(b'\n'),
                    Some(byte @ (b'\\' | b'"')) => self.value.push(byte),
                    Some(_) => return Err(Fault::Syntax),
                },
                b'"' => is_quoted = !is_quoted,
                _ => self.value.push(byte),
            }
            trimmed = None;
        }
        // As in git, whitespace before the first byte of a value is never kept.
        if let Some(len) = trimmed.filter(|&len| len > 0) {
            self.value.truncate(len);
        }
        Ok(())
    }
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// As git's `isspace()`, which has neither vertical tab nor form feed.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
