//! `reftable migrate`: moves references from files to reftables or back.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::failure::{quoted_path, Failure, Result};
use crate::files::flaw::Flaw;
use crate::interrupt::Interrupt;
use crate::json::Object;
use crate::migrate::config::Format;
use crate::migrate::recover::{Done, Migration, Recovered, Stop};
use crate::migrate::site::Site;
use crate::migrate::survey::Survey;
use crate::migrate::{to_files, to_tables};
use crate::output::{Output, Paint};
use crate::text::{plural, shown};
use crate::Outcome;

/// Move the references of a repository from files to reftables, or back.
///
/// All worktrees are moved: refs, symbolic refs, root refs such as HEAD, and reflogs. The new store
/// is written and verified beside the old one; then the format in the configuration is changed, in
/// one step, and the old store is removed. If the command is killed, the repository is as it was,
/// or is moved; run it again to remove what is left.
///
/// Exits with 1 and changes nothing if there is something that cannot be moved, which is printed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The format to move to.
    #[arg(long, value_name = "FORMAT")]
    to: Format,

    /// The repository, instead of -C.
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,

    /// Only print what would be moved and what cannot be.
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Report names that differ only in case or in the form of Unicode, even if the file system
    /// distinguishes them.
    #[arg(long)]
    ignore_case: bool,

    /// After a move to reftables, keep the old locks this long, for programs that were started
    /// before. By default one second longer than git waits for packed-refs.lock.
    #[arg(long, value_name = "SECONDS")]
    grace: Option<u64>,

    /// Write JSON objects: kind, name, text for each thing that cannot be moved; then repository,
    /// to, refs, symbolic_refs, logs, log_entries, worktrees, moved.
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options, place: Option<&Path>, output: &mut Output) -> Result<Outcome> {
    let site = Site::find(options.path.as_deref().or(place))?;
    let dir = site.dir.clone();
    let mut report = Report {
        options,
        dir: &dir,
        output,
    };
    if options.dry_run {
        report.refuse_same(&site)?;
        let survey = match options.to {
            Format::Reftable => {
                let stores = to_tables::read_all(&site)?;
                let mut survey = to_tables::survey(&site, &stores);
                to_tables::survey_logs(&site, &stores, &mut survey)?;
                survey
            }
            Format::Files => {
                let views = to_files::views(&site)?;
                to_files::survey(&site, &views, options.ignore_case)?
            }
        };
        return report.survey(&survey, "would be moved to");
    }
    if Migration::is_needed(&site, options.to) {
        let grace = options.grace.map(Duration::from_secs);
        let grace = grace.unwrap_or_else(|| site.config.default_grace());
        let (migration, recovered) = Migration::begin(site, grace, Interrupt::new()?)?;
        if migration.site.format() == options.to {
            match recovered {
                Recovered::Nothing => report.refuse_same(&migration.site)?,
                Recovered::Undone => return report.recovered("undid", &Done::default()),
                Recovered::Finished(done) => return report.recovered("finished", &done),
            }
        }
        return match migration.run(options.to, options.ignore_case) {
            Ok(done) => report.done(&done),
            Err(Stop::Flaws(survey)) => report.survey(&survey, "not moved to"),
            Err(Stop::Failed(failure)) => Err(failure),
        };
    }
    report.refuse_same(&site)?;
    Ok(Outcome::Ok)
}

/// What is printed.
struct Report<'r> {
    options: &'r Options,
    dir: &'r Path,
    output: &'r mut Output,
}

impl Report<'_> {
    fn refuse_same(&self, site: &Site) -> Result<()> {
        if site.format() != self.options.to {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the references of {} are already in {}",
            quoted_path(self.dir),
            self.options.to.place()
        )))
    }

    /// Reports what cannot be moved, or what would be moved.
    fn survey(&mut self, survey: &Survey, what: &str) -> Result<Outcome> {
        self.flaws("left out", &survey.notes)?;
        self.flaws("cannot be moved", &survey.flaws)?;
        self.summary(survey, what, false)?;
        Ok(match survey.flaws.is_empty() {
            true => Outcome::Ok,
            false => Outcome::Findings,
        })
    }

    fn done(&mut self, done: &Done) -> Result<Outcome> {
        self.flaws("left out", &done.survey.notes)?;
        self.summary(&done.survey, "moved to", true)?;
        self.late(done)
    }

    /// Reports what was done about a migration that was killed.
    fn recovered(&mut self, verb: &str, done: &Done) -> Result<Outcome> {
        let to = self.options.to;
        if self.options.json {
            let mut object = Object::new(self.output.buffer());
            object.bytes("repository", self.dir.as_os_str().as_encoded_bytes());
            object.text("to", to.name()).text("recovered", verb);
            object.end();
            self.output.end_line()?;
        } else {
            let (dir, place) = (self.dir.display(), to.place());
            self.output.line(format!(
                "{dir}: {verb} an interrupted migration; references are in {place}"
            ))?;
        }
        self.late(done)
    }

    fn late(&mut self, done: &Done) -> Result<Outcome> {
        let Some(kept) = &done.kept else {
            return Ok(Outcome::Ok);
        };
        let text = format!("differs; the files are in {}", kept.display());
        self.flaws(&text, &done.late)?;
        Ok(Outcome::Findings)
    }

    fn flaws(&mut self, word: &str, flaws: &[Flaw]) -> Result<()> {
        for flaw in flaws {
            if self.options.json {
                let mut object = Object::new(self.output.buffer());
                object.text("kind", flaw.kind.word());
                object.bytes("name", &flaw.name);
                object.text("text", format!("{word}: {}", flaw.text));
                object.end();
                self.output.end_line()?;
                continue;
            }
            self.output.paint(Paint::Bad, word.as_bytes());
            let name = shown(&flaw.name);
            self.output.line(format!(": {name}: {}", flaw.text))?;
        }
        Ok(())
    }

    fn summary(&mut self, survey: &Survey, what: &str, is_moved: bool) -> Result<()> {
        let counts = &survey.counts;
        let to = self.options.to;
        if self.options.json {
            let mut object = Object::new(self.output.buffer());
            object.bytes("repository", self.dir.as_os_str().as_encoded_bytes());
            object.text("to", to.name());
            object.value("refs", counts.refs);
            object.value("symbolic_refs", counts.symbolic_refs);
            object.value("logs", counts.logs);
            object.value("log_entries", counts.log_entries);
            object.value("worktrees", counts.worktrees);
            object.value("moved", is_moved);
            object.end();
            return self.output.end_line();
        }
        self.output.line(format!(
            "{}: {}, {}, {} in {}, {} {what} {}",
            self.dir.display(),
            plural(counts.refs, "ref"),
            plural(counts.symbolic_refs, "symbolic ref"),
            plural(counts.log_entries, "log entry"),
            plural(counts.logs, "log"),
            plural(counts.worktrees, "linked worktree"),
            to.place()
        ))
    }
}
