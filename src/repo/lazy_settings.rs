//! Settings, which are read when the first change needs them.
//!
//! They cannot be read when the repository is opened: what the configuration includes can depend on
//! the current branch, which only the references tell. And most programs never write.
#![forbid(unsafe_code)]

#[cfg(feature = "config")]
use bstr::{BString, ByteSlice};

#[cfg(feature = "config")]
use super::config;
use super::{Repository, Result, Settings};

impl Repository {
    /// How refs are written: the settings given to [`open_at`](Self::open_at), or those of git's
    /// configuration as it was when they were first needed.
    ///
    /// The configuration is that of the system, of the user and of the repository, with the files
    /// that they include, and `GIT_CONFIG_COUNT` in the environment, but not what `git -c` passes to
    /// the programs that it runs. Without the feature `config`, it has no influence.
    ///
    /// # Errors
    /// [`Error::Config`](super::Error::Config) if the configuration is invalid,
    /// [`Error::Io`](super::Error::Io) if it is unreadable.
    pub fn settings(&self) -> Result<&Settings> {
        if let Some(known) = self.given.as_ref().or_else(|| self.settings.get()) {
            return Ok(known);
        }
        let settings = self.read_settings()?;
        // If another thread was faster, all use its settings.
        let settings = self.settings.get_or_init(|| settings);
        self.storage.configure(settings.file_options());
        Ok(settings)
    }

    #[cfg(feature = "config")]
    fn read_settings(&self) -> Result<Settings> {
        config::read(
            self.layout(),
            self.branch().as_ref().map(|name| name.as_bstr()),
        )
    }

    #[cfg(not(feature = "config"))]
    #[expect(
        clippy::unnecessary_wraps,
        reason = "reading the configuration can fail"
    )]
    fn read_settings(&self) -> Result<Settings> {
        Ok(Settings::default())
    }

    /// The full name of the current branch; `None` without one, and if `HEAD` cannot be read, which
    /// matters only to an include.
    #[cfg(feature = "config")]
    fn branch(&self) -> Option<BString> {
        self.head().ok()?.name().map(Into::into)
    }
}
