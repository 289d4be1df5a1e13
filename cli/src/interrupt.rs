//! Signals that end the program: a command that holds locks first releases them.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use crate::failure::{Failure, Result};

/// A flag that SIGINT, SIGTERM and SIGHUP set.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    flag: Arc<AtomicBool>,
}

impl Interrupt {
    /// From here on, the first signal only sets the flag; the second one ends the program.
    pub fn new() -> Result<Self> {
        let interrupt = Self::default();
        #[cfg(unix)]
        {
            use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
            use signal_hook::flag;

            for signal in [SIGINT, SIGTERM, SIGHUP] {
                flag::register_conditional_default(signal, Arc::clone(&interrupt.flag))
                    .and_then(|_| flag::register(signal, Arc::clone(&interrupt.flag)))
                    .map_err(|error| Failure::new(format!("cannot handle signals: {error}")))?;
            }
        }
        Ok(interrupt)
    }

    /// The flag, for the options of a stack.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// Fails after a signal.
    pub fn check(&self) -> Result<()> {
        match self.flag.load(Ordering::Relaxed) {
            true => Err(Failure::Interrupted),
            false => Ok(()),
        }
    }

    /// The result of an operation: after a signal, a failure that says so.
    pub fn result<T>(&self, done: reftable::format::Result<T>) -> Result<T> {
        match done {
            Err(_) if self.flag.load(Ordering::Relaxed) => Err(Failure::Interrupted),
            done => Ok(done?),
        }
    }
}
