//! Programs on a pseudo-terminal.
//!
//! Not with script(1): 10 milliseconds after the program has ended, it stops reading, and what the
//! kernel has not yet passed on by then is lost.
#![cfg(unix)]

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, ExitStatus};

use pty_process::blocking::{self, Pty};
use pty_process::Size;
use rustix::termios::{tcgetattr, tcsetattr, LocalModes, OptionalActions};

/// Ctrl-C.
pub const INTERRUPT: &[u8] = b"\x03";

/// A program on a terminal of its own.
pub struct Terminal {
    child: Child,
    pty: Pty,
    /// What has been shown so far.
    pub shown: String,
}

impl Terminal {
    pub fn start(command: Command) -> Self {
        let (pty, user_end) = blocking::open().unwrap();
        pty.resize(Size::new(24, 80)).unwrap();
        // Otherwise Ctrl-C discards what the program has just written and the kernel has not passed
        // on yet.
        let mut modes = tcgetattr(&user_end).unwrap();
        modes.local_modes |= LocalModes::NOFLSH;
        tcsetattr(&user_end, OptionalActions::Now, &modes).unwrap();
        let child = blocking::Command::from(command).spawn(user_end).unwrap();
        Self {
            child,
            pty,
            shown: String::new(),
        }
    }

    /// Reads more. Returns whether there was something: once no process has the terminal open and
    /// everything has been read, there is not.
    pub fn read(&mut self) -> bool {
        let mut bytes = [0; 1024];
        // Linux reports the end as an error, others as an empty read.
        let len = self.pty.read(&mut bytes).unwrap_or(0);
        // What is shown here is ASCII.
        self.shown += &String::from_utf8_lossy(&bytes[..len]);
        len > 0
    }

    /// Presses keys. The program may have ended.
    pub fn press(&mut self, keys: &[u8]) {
        let _ = self.pty.write_all(keys);
    }

    /// Closes the terminal. Returns the exit status as a shell reports it.
    pub fn hang_up(self) -> i32 {
        let Self { mut child, pty, .. } = self;
        drop(pty);
        status_of(child.wait().unwrap())
    }

    /// Reads everything else. Returns the exit status as a shell reports it, and what was shown.
    pub fn finish(mut self) -> (i32, String) {
        while self.read() {}
        (status_of(self.child.wait().unwrap()), self.shown)
    }
}

fn status_of(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;

    let signal = status.signal().map(|signal| 128 + signal);
    status.code().or(signal).unwrap()
}
