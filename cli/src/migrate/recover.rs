//! A migration from the beginning to the end, and what is done if one was killed.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::time::Duration;

use super::config::Format;
use super::disk;
use super::lock::{self, Lock, Mark};
use super::site::Site;
use super::staging::Staging;
use super::survey::Survey;
use super::to_files;
use super::to_tables::{self, Late, Locks, Stacks};
use crate::failure::{Failure, Result};
use crate::files::flaw::{Flaw, Kind};
use crate::interrupt::Interrupt;

/// A repository that no other process migrates.
pub struct Migration {
    pub site: Site,
    mark: Mark,
    _config_lock: Lock,
    interrupt: Interrupt,
    grace: Duration,
}

/// What was done about a migration that was killed.
#[derive(Debug)]
pub enum Recovered {
    /// There was none, or it had not changed anything.
    Nothing,
    /// It was killed before the switch.
    Undone,
    /// It was killed after the switch.
    Finished(Done),
}

/// The result of a migration.
#[derive(Debug, Default)]
pub struct Done {
    pub survey: Survey,
    /// Refs that a program wrote as files after the switch, and the directory that has them.
    pub late: Vec<Flaw>,
    pub kept: Option<PathBuf>,
}

impl Migration {
    /// Whether there is something to do: the format is another one, or a migration was killed. The
    /// lock of the configuration is the last that a run removes.
    pub fn is_needed(site: &Site, to: Format) -> bool {
        site.format() != to
            || Staging::existing(&site.dir).is_some()
            || lock::is_abandoned(&config_lock(site))
    }

    /// Locks the configuration, and undoes or finishes a migration that was killed.
    pub fn begin(site: Site, grace: Duration, interrupt: Interrupt) -> Result<(Self, Recovered)> {
        let mark = Mark::new(&site.dir)?;
        let config_lock = Lock::take(config_lock(&site), &mark)?;
        mark.remove_abandoned()?;
        let migration = Self {
            // It may have changed before it was locked.
            site: Site::at(site.dir)?,
            mark,
            _config_lock: config_lock,
            interrupt,
            grace,
        };
        let recovered = migration.recover()?;
        migration.remove_abandoned_locks()?;
        Ok((migration, recovered))
    }

    fn remove_abandoned_locks(&self) -> Result<()> {
        let mut paths = vec![self.site.dir.join("packed-refs.lock")];
        for tree in &self.site.trees {
            paths.push(tree.dir.join("HEAD.lock"));
            paths.push(tree.dir.join("reftable/tables.list.lock"));
        }
        paths
            .iter()
            .try_for_each(|path| lock::remove_abandoned(path).map(|_| ()))
    }

    /// Undoes a migration that was killed before the switch, or finishes one that was killed after
    /// it.
    fn recover(&self) -> Result<Recovered> {
        let Some(staging) = Staging::existing(&self.site.dir) else {
            return Ok(Recovered::Nothing);
        };
        match staging.target()? {
            None => {
                disk::remove(staging.path())?;
                Ok(Recovered::Nothing)
            }
            Some(target) if target == self.site.format() => {
                self.finish(staging).map(Recovered::Finished)
            }
            Some(target) => self.undo(staging, target).map(|()| Recovered::Undone),
        }
    }

    /// Before the switch.
    fn undo(&self, staging: Staging, to: Format) -> Result<()> {
        match to {
            Format::Files => to_files::retract(&self.site, &staging)?,
            Format::Reftable => {
                for tree in &self.site.trees {
                    disk::remove(&tree.dir.join("reftable"))?;
                }
            }
        }
        staging.remove()
    }

    /// After the switch, in another process than the one that has switched.
    fn finish(&self, staging: Staging) -> Result<Done> {
        if self.site.format() == Format::Files {
            to_files::remove_stacks(&self.site, &staging)?;
            staging.remove()?;
            return Ok(Done::default());
        }
        let locks = Locks::take(&self.site, &self.mark)?;
        // If all locks are still those of the process that was killed, no other has written.
        let is_locked = self
            .site
            .trees
            .iter()
            .all(|tree| lock::is_abandoned(&tree.dir.join("reftable/tables.list.lock")));
        let late = match is_locked {
            true => Late::Newer,
            false => Late::Unknown,
        };
        let stacks = Stacks::lock(&self.site, &self.mark)?;
        self.settle(staging, late, locks, stacks, Survey::default())
    }

    /// Moves the references.
    pub fn run(&self, to: Format, is_blind: bool) -> Result<Done, Stop> {
        match to {
            Format::Reftable => self.run_to_tables(),
            Format::Files => self.run_to_files(is_blind),
        }
    }

    fn run_to_tables(&self) -> Result<Done, Stop> {
        let locks = Locks::take(&self.site, &self.mark)?;
        let stores = to_tables::read_all(&self.site)?;
        let mut survey = to_tables::survey(&self.site, &stores);
        if !survey.flaws.is_empty() {
            to_tables::survey_logs(&self.site, &stores, &mut survey)?;
            return Err(Stop::Flaws(survey));
        }
        let staging = Staging::create(&self.site.dir, Format::Reftable)?;
        let switched = to_tables::switch(
            &self.site,
            stores,
            &staging,
            &self.mark,
            &self.interrupt,
            &mut survey,
        );
        match switched {
            Ok(stacks) => {
                let done = self.settle(staging, Late::Newer, locks, stacks, survey);
                Ok(done.map_err(|failure| unfinished(failure, Format::Reftable))?)
            }
            Err(failure) => Err(self.failed(staging, Format::Reftable, failure)),
        }
    }

    fn run_to_files(&self, is_blind: bool) -> Result<Done, Stop> {
        let stacks = Stacks::lock(&self.site, &self.mark)?;
        let views = to_files::views(&self.site)?;
        let survey = to_files::survey(&self.site, &views, is_blind)?;
        if !survey.flaws.is_empty() {
            return Err(Stop::Flaws(survey));
        }
        let staging = Staging::create(&self.site.dir, Format::Files)?;
        if let Err(failure) =
            to_files::switch(&self.site, &views, survey.bytes, &staging, &self.interrupt)
        {
            return Err(self.failed(staging, Format::Files, failure));
        }
        let removed = to_files::remove_stacks(&self.site, &staging);
        drop(stacks);
        removed
            .and_then(|()| staging.remove())
            .map_err(|failure| unfinished(failure, Format::Files))?;
        Ok(Done {
            survey,
            ..Done::default()
        })
    }

    /// Undoes what was done before a failure.
    fn failed(&self, staging: Staging, to: Format, failure: Failure) -> Stop {
        // The configuration may have been replaced although that has failed.
        let is_switched = Site::at(self.site.dir.clone()).map_or(true, |site| site.format() == to);
        if is_switched {
            return Stop::Failed(unfinished(failure, to));
        }
        // If this fails, the next run does it.
        let _ = self.undo(staging, to);
        Stop::Failed(failure)
    }

    /// Removes the files after the switch to tables.
    fn settle(
        &self,
        staging: Staging,
        late: Late,
        locks: Locks,
        stacks: Stacks,
        survey: Survey,
    ) -> Result<Done> {
        let mut done = Done {
            survey,
            ..Done::default()
        };
        to_tables::sweep(&self.site, &staging, late, &mut done.late)?;
        drop(stacks);
        to_tables::wait(self.grace);
        let stacks = Stacks::lock(&self.site, &self.mark)?;
        to_tables::sweep(&self.site, &staging, Late::Unknown, &mut done.late)?;
        drop((stacks, locks));
        self.find_new_trees(&mut done.late)?;
        match done.late.is_empty() {
            true => staging.remove()?,
            false => done.kept = Some(staging.keep()?),
        }
        Ok(done)
    }

    /// Worktrees that were added just when the format was changed.
    fn find_new_trees(&self, flaws: &mut Vec<Flaw>) -> Result<()> {
        let now = Site::at(self.site.dir.clone())?;
        for tree in now.trees {
            let is_new = !self.site.trees.contains(&tree);
            if is_new && !tree.dir.join("reftable").exists() {
                let name = tree.name.unwrap_or_default();
                let text = "the worktree was added meanwhile, with references in files";
                flaws.push(Flaw::new(Kind::File, name.as_encoded_bytes(), text));
            }
        }
        Ok(())
    }
}

/// A failure after the switch.
fn unfinished(failure: Failure, to: Format) -> Failure {
    match failure {
        Failure::Message(text) => Failure::Message(format!(
            "{text}; the references are in {} now: run the command again to remove what is left",
            to.place()
        )),
        other => other,
    }
}

/// The lock file of the configuration.
fn config_lock(site: &Site) -> PathBuf {
    let mut path = site.config_path.clone().into_os_string();
    path.push(".lock");
    path.into()
}

/// Why a migration has not been made.
#[derive(Debug)]
pub enum Stop {
    /// Something cannot be moved.
    Flaws(Survey),
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
