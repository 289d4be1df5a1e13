//! The directory of a migration, `ref-migration` in the directory that all worktrees share.
//!
//! It has the file `state`, which says what the migration is to; the directory `new`, in which the new
//! store is written; and directories `old-N` or `merged-N` with what has been removed. The state is
//! written before anything outside of the directory, so without it there is nothing to undo.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::config::Format;
use super::disk;
use crate::failure::{Failure, Result};
use crate::files::walk::content;

const NAME: &str = "ref-migration";

/// What has been removed, before and after its changes have been added to the new store.
const OLD: &str = "old-";
const MERGED: &str = "merged-";

/// The coarsest time stamps of file systems.
const GRANULARITY: Duration = Duration::from_secs(2);

/// The directory.
#[derive(Debug)]
pub struct Staging(PathBuf);

impl Staging {
    pub fn create(common_dir: &Path, to: Format) -> Result<Self> {
        let dir = common_dir.join(NAME);
        fs::create_dir(&dir).map_err(|e| Failure::io("create", &dir, &e))?;
        let staging = Self(dir);
        match staging.fill(common_dir, to) {
            Ok(()) => Ok(staging),
            Err(failure) => {
                // If this fails, the next run does it.
                let _ = staging.remove();
                Err(failure)
            }
        }
    }

    fn fill(&self, common_dir: &Path, to: Format) -> Result<()> {
        disk::create_dirs(&self.new_dir())?;
        let new = self.0.join("state.new");
        disk::write(&new, to.name().as_bytes())?;
        disk::rename(&new, &self.state())?;
        disk::sync_dir(&self.0)?;
        disk::sync_dir(common_dir)
    }

    /// That of a run that was killed.
    pub fn existing(common_dir: &Path) -> Option<Self> {
        let dir = common_dir.join(NAME);
        fs::symlink_metadata(&dir).is_ok().then_some(Self(dir))
    }

    /// The format that the migration is to. `None` if it has not changed anything.
    pub fn target(&self) -> Result<Option<Format>> {
        let text = content(&self.state())?;
        let formats = [Format::Files, Format::Reftable];
        let is_named = |format: &Format| Some(format.name().as_bytes()) == text.as_deref();
        Ok(formats.into_iter().find(is_named))
    }

    fn state(&self) -> PathBuf {
        self.0.join("state")
    }

    /// Where the new store is written; laid out like the shared directory.
    pub fn new_dir(&self) -> PathBuf {
        self.0.join("new")
    }

    /// A file for contents that replace another file.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A new directory for what is removed; laid out like the shared directory.
    pub fn next_old_dir(&self) -> Result<PathBuf> {
        let is_free = |number: &u32| {
            let is_used = |name: &str| fs::symlink_metadata(self.numbered(name, *number)).is_ok();
            !is_used(OLD) && !is_used(MERGED)
        };
        let number = (1..).find(is_free).unwrap_or(u32::MAX);
        let dir = self.numbered(OLD, number);
        disk::create_dirs(&dir)?;
        Ok(dir)
    }

    fn numbered(&self, name: &str, number: u32) -> PathBuf {
        self.0.join(format!("{name}{number}"))
    }

    /// The directories whose changes may not have been added to the new store.
    pub fn old_dirs(&self) -> Vec<PathBuf> {
        let numbers = 1..;
        let dirs = numbers.map(|number| [OLD, MERGED].map(|name| self.numbered(name, number)));
        let exists = |dir: &PathBuf| fs::symlink_metadata(dir).is_ok();
        let used = dirs.take_while(|dirs| dirs.iter().any(exists));
        used.flat_map(|[old, _]| exists(&old).then_some(old))
            .collect()
    }

    /// Notes that the changes in one of these directories have been added.
    pub fn note_merged(&self, old: &Path) -> Result<()> {
        let name = old.file_name().unwrap_or_default().to_string_lossy();
        disk::rename(old, &self.0.join(name.replacen(OLD, MERGED, 1)))
    }

    /// Notes the present time, by the clock of the file system.
    pub fn note_time(&self) -> Result<()> {
        disk::write(&self.file("time"), b"")
    }

    /// The time before which all files have been compared.
    pub fn noted_time(&self) -> Option<SystemTime> {
        let time = fs::metadata(self.file("time")).and_then(|meta| meta.modified());
        time.ok()?.checked_sub(GRANULARITY)
    }

    /// Removes the directory, the state last.
    pub fn remove(self) -> Result<()> {
        let state = self.state();
        let failed = |e| Failure::io("read", &self.0, &e);
        for entry in fs::read_dir(&self.0).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path != state {
                disk::remove(&path)?;
            }
        }
        disk::remove(&state)?;
        disk::remove(&self.0)
    }

    /// Ends the migration, but keeps what has been removed. Returns the directory that has it.
    pub fn keep(self) -> Result<PathBuf> {
        let parent = self.0.parent().unwrap_or(&self.0);
        let mut dirs = (1..).map(|number: u32| parent.join(format!("{NAME}-kept-{number}")));
        let dir = dirs.find(|dir| fs::symlink_metadata(dir).is_err());
        let dir = dir.unwrap_or_else(|| self.0.clone());
        disk::rename(&self.0, &dir)?;
        Ok(dir)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}
