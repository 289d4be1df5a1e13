//! Standard output: buffered, through a pager on a terminal.
#![forbid(unsafe_code)]

use std::env;
use std::io::{self, IsTerminal as _, Write};
use std::process::{Child, Command, Stdio};

use crate::failure::{Failure, Result};
use crate::progress;

/// Bytes that are written at once.
const BUFFER: usize = 64 << 10;

/// The output of a command.
pub struct Output {
    buffer: Vec<u8>,
    target: Target,
    has_color: bool,
}

enum Target {
    Stdout(io::Stdout),
    /// A pager that is started when there is something to show.
    Paged,
    Pager(Child),
}

/// When to use colors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless the environment has `NO_COLOR`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How the output is shown.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub color: Color,
    /// Whether a pager may be used.
    pub pages: bool,
}

/// The colors of the parts of the output, as in git.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Object ids, offsets.
    Id,
    /// Names of refs and tables.
    Name,
    /// Findings, removed lines.
    Bad,
    /// Added lines.
    Good,
    /// Explanations.
    Faint,
}

impl Paint {
    const fn code(self) -> &'static str {
        match self {
            Self::Id => "\x1b[33m",
            Self::Name => "\x1b[36m",
            Self::Bad => "\x1b[31m",
            Self::Good => "\x1b[32m",
            Self::Faint => "\x1b[2m",
        }
    }
}

impl Output {
    pub fn new(style: Style) -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let has_color = match style.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let is_unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                is_terminal && !is_unwanted && env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        };
        Self {
            buffer: Vec::with_capacity(BUFFER + (BUFFER >> 3)),
            target: match style.pages && is_terminal {
                true => Target::Paged,
                false => Target::Stdout(stdout),
            },
            has_color,
        }
    }

    /// Appends bytes.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Appends bytes in a color.
    #[inline]
    pub fn paint(&mut self, paint: Paint, bytes: &[u8]) {
        match self.has_color {
            false => self.put(bytes),
            true => self.put(&[paint.code().as_bytes(), bytes, b"\x1b[m"].concat()),
        }
    }

    /// The bytes that are not written yet.
    #[inline]
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Ends a line, and writes what has been collected if it is much.
    #[inline]
    pub fn end_line(&mut self) -> Result<()> {
        self.buffer.push(b'\n');
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        Ok(())
    }

    /// A line of text.
    pub fn line(&mut self, text: impl AsRef<[u8]>) -> Result<()> {
        self.put(text.as_ref());
        self.end_line()
    }

    /// Writes all that has been collected.
    pub fn flush(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        progress::end();
        if let Target::Paged = self.target {
            let pager = start_pager();
            if pager.is_some() {
                progress::give_way();
            }
            self.target = pager.map_or_else(|| Target::Stdout(io::stdout()), Target::Pager);
        }
        let done = match &mut self.target {
            Target::Paged => Ok(()),
            Target::Stdout(stdout) => {
                let mut stdout = stdout.lock();
                stdout.write_all(&self.buffer).and_then(|()| stdout.flush())
            }
            Target::Pager(pager) => match &mut pager.stdin {
                Some(stdin) => stdin.write_all(&self.buffer),
                None => Ok(()),
            },
        };
        self.buffer.clear();
        done.map_err(|error| Failure::output(&error))
    }
}

impl Drop for Output {
    /// Shows what has been collected before an error, and waits for the pager.
    fn drop(&mut self) {
        // A command that succeeds flushes the output itself.
        let _ = self.flush();
        if let Target::Pager(pager) = &mut self.target {
            drop(pager.stdin.take());
            let _ = pager.wait();
        }
    }
}

/// Starts the pager that git would start; `None` if there is none.
fn start_pager() -> Option<Child> {
    let named = ["GIT_PAGER", "PAGER"].into_iter().find_map(env::var_os);
    let program = named.unwrap_or_else(|| "less".into());
    if program.is_empty() || program == "cat" {
        return None;
    }
    let mut command = Command::new("sh");
    command.arg("-c").arg(&program).stdin(Stdio::piped());
    if env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    command.spawn().ok()
}
