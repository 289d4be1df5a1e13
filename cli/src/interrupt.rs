//! Signals that end the program: a command that holds locks first releases them.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

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
            use signal_hook::flag;

            for signal in SIGNALS {
                flag::register_conditional_default(signal, Arc::clone(&interrupt.flag))
                    .and_then(|_| flag::register(signal, Arc::clone(&interrupt.flag)))
                    .map_err(|error| failure(&error))?;
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

    fn is_set(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }
}

#[cfg(unix)]
const SIGNALS: [i32; 3] = {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    [SIGINT, SIGTERM, SIGHUP]
};

#[cfg(unix)]
fn failure(error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot handle signals: {error}"))
}

/// Signals during the time in which something must be done before the program ends.
pub enum Watch {
    /// Those of a command that ends by itself.
    Of(Interrupt),
    /// All others.
    Own(&'static Signals),
}

/// The signals of a program that has no [`Interrupt`].
#[derive(Debug)]
pub struct Signals {
    /// Whether signals end the program at once.
    is_default: Arc<AtomicBool>,
    /// The number of the last signal, or 0.
    last: Arc<AtomicUsize>,
}

static OWN: OnceLock<Signals> = OnceLock::new();

impl Watch {
    pub fn of(interrupt: &Interrupt) -> Self {
        Self::Of(interrupt.clone())
    }

    /// Until [`finish`](Self::finish), a signal is only noted.
    pub fn new() -> Result<Self> {
        let signals = match OWN.get() {
            Some(signals) => signals,
            None => {
                let signals = Signals::register()?;
                OWN.get_or_init(|| signals)
            }
        };
        signals.is_default.store(false, Ordering::SeqCst);
        Ok(Self::Own(signals))
    }

    pub fn has_signal(&self) -> bool {
        match self {
            Self::Of(interrupt) => interrupt.is_set(),
            Self::Own(signals) => signals.last.load(Ordering::SeqCst) != 0,
        }
    }

    /// Lets signals end the program again, and ends it if there was one.
    pub fn finish(&self) {
        let Self::Own(signals) = self else { return };
        signals.is_default.store(true, Ordering::SeqCst);
        #[cfg(unix)]
        if let Ok(signal @ 1..) = i32::try_from(signals.last.load(Ordering::SeqCst)) {
            // It does not return; if it does, the command goes on.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    }
}

impl Signals {
    fn register() -> Result<Self> {
        let signals = Self {
            is_default: Arc::new(AtomicBool::new(false)),
            last: Arc::new(AtomicUsize::new(0)),
        };
        #[cfg(unix)]
        {
            use signal_hook::flag;

            for signal in SIGNALS {
                let number = usize::try_from(signal).unwrap_or_default();
                flag::register_conditional_default(signal, Arc::clone(&signals.is_default))
                    .and_then(|_| flag::register_usize(signal, Arc::clone(&signals.last), number))
                    .map_err(|error| failure(&error))?;
            }
        }
        Ok(signals)
    }
}
