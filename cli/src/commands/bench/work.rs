//! What a benchmark does, by git and by this program.
#![forbid(unsafe_code)]

use bstr::ByteSlice as _;
use reftable::repo::{Identity, Log};
use reftable::ObjectId;

use super::copies::Copies;
use crate::failure::Result;
use crate::text::put_hex;

/// The refs that are looked up, and those that are created, in one round.
const MOST: usize = 1000;

/// Kinds of work, in the order of the table.
pub const ALL: [Kind; 4] = [Kind::Sorted, Kind::Random, Kind::Update, Kind::Log];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Lists all refs.
    Sorted,
    /// Looks up refs.
    Random,
    /// Creates refs in one transaction.
    Update,
    /// Shows a reflog.
    Log,
}

/// Work on the refs of a repository.
pub struct Work {
    kind: Kind,
    /// The names of the refs that are looked up, or of the one whose log is shown.
    names: Vec<String>,
    /// An object that exists.
    id: Option<ObjectId>,
    count: usize,
}

impl Work {
    /// `None` if the repository has no refs for it.
    pub fn new(kind: Kind, copies: &Copies) -> Result<Option<Self>> {
        let mut work = Self {
            kind,
            names: Vec::new(),
            id: None,
            count: 0,
        };
        match kind {
            Kind::Sorted => work.count = all_names(copies)?.len(),
            Kind::Random => {
                work.names = shuffled(all_names(copies)?);
                work.names.truncate(MOST);
                work.count = work.names.len();
            }
            Kind::Update => {
                work.id = any_object(copies)?;
                work.count = work.id.map_or(0, |_| MOST);
            }
            Kind::Log => {
                if let Some((name, count)) = longest_log(copies)? {
                    work.names.push(name);
                    // git fails if a commit of the log is missing.
                    if work.run_git(copies, 0).is_ok() {
                        work.count = count;
                    }
                }
            }
        }
        Ok((work.count > 0).then_some(work))
    }

    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Sorted => "sorted",
            Kind::Random => "random",
            Kind::Update => "update",
            Kind::Log => "log",
        }
    }

    pub fn changes_refs(&self) -> bool {
        self.kind == Kind::Update
    }

    /// What is counted.
    pub fn noun(&self) -> &'static str {
        match self.kind {
            Kind::Log => "log entry",
            _ => "ref",
        }
    }

    /// Whether both print the same. git shows only commits of a reflog, and one line of a message.
    pub fn is_compared(&self) -> bool {
        self.kind != Kind::Log
    }

    pub fn count(&self) -> usize {
        self.count
    }

    fn new_names(&self, round: u32) -> impl Iterator<Item = String> {
        (0..self.count).map(move |number| format!("refs/bench/{round}/{number:04}"))
    }

    /// Lets git do it, and returns what it prints.
    pub fn run_git(&self, copies: &Copies, round: u32) -> Result<Vec<u8>> {
        let name = self.names.first().map(String::as_str).unwrap_or_default();
        match self.kind {
            Kind::Sorted => copies.git(&["for-each-ref", "--format=%(objectname) %(refname)"], b""),
            Kind::Random => {
                // Without looking for tags and branches of the same name.
                let args = ["-c", "core.warnAmbiguousRefs=false", "rev-parse"];
                let names = self.names.iter().map(String::as_str);
                copies.git(&args.into_iter().chain(names).collect::<Vec<_>>(), b"")
            }
            Kind::Update => {
                let id = self.id.map_or(String::new(), |id| id.to_string());
                let lines = self.new_names(round);
                let input: String = lines.map(|name| format!("create {name} {id}\n")).collect();
                let args = ["update-ref", "--create-reflog", "-m", "bench", "--stdin"];
                copies.git(&args, input.as_bytes())
            }
            Kind::Log => copies.git(&["reflog", "show", "--format=%H %gs", name], b""),
        }
    }

    /// Does it with this program, and returns what git would print.
    pub fn run_ours(&self, copies: &Copies, round: u32) -> Result<Vec<u8>> {
        let repository = copies.open()?;
        let mut out = Vec::new();
        match self.kind {
            Kind::Sorted => {
                let mut snapshot = repository.snapshot()?;
                let mut refs = repository.refs("")?;
                while let Some(found) = refs.next()? {
                    // As git, without symbolic refs that lead nowhere.
                    match found.value().id() {
                        Some(id) => put_hex(&mut out, id),
                        None => match snapshot.resolve(found.name)?.and_then(|end| end.id) {
                            Some(id) => put_hex(&mut out, id.as_bytes()),
                            None => continue,
                        },
                    }
                    out.push(b' ');
                    out.extend_from_slice(found.name);
                    out.push(b'\n');
                }
            }
            Kind::Random => {
                let mut snapshot = repository.snapshot()?;
                for name in &self.names {
                    if let Some(id) = snapshot.find(name)?.and_then(|found| found.id()) {
                        put_hex(&mut out, id.as_bytes());
                        out.push(b'\n');
                    }
                }
            }
            Kind::Update => {
                let mut change = repository.transaction();
                change.log(Log::Always).message("bench");
                // As in `Copies::git`.
                change.committer(Identity {
                    name: "bench".into(),
                    email: "bench@localhost".into(),
                });
                if let Some(id) = self.id {
                    for name in self.new_names(round) {
                        change.create(name, id);
                    }
                }
                change.commit()?;
            }
            Kind::Log => {
                let name = self.names.first().map(String::as_str).unwrap_or_default();
                let mut entries = repository.reflog(name)?.newest_first()?;
                while let Some(entry) = entries.next()? {
                    put_hex(&mut out, entry.new.as_bytes());
                    out.push(b' ');
                    out.extend_from_slice(entry.message);
                    out.push(b'\n');
                }
            }
        }
        Ok(out)
    }
}

/// The names of refs with an object id that the command line can have.
fn all_names(copies: &Copies) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let repository = copies.open()?;
    let mut refs = repository.refs("")?;
    while let Some(found) = refs.next()? {
        if let (Some(_), Ok(name)) = (found.id(), found.name.to_str()) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// The names in an order that is the same each time.
fn shuffled(mut names: Vec<String>) -> Vec<String> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for last in (1..names.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let among = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
        names.swap(last, usize::try_from(state % among).unwrap_or(last));
    }
    names
}

/// The object of the first ref.
fn any_object(copies: &Copies) -> Result<Option<ObjectId>> {
    let repository = copies.open()?;
    let mut refs = repository.refs("")?;
    while let Some(found) = refs.next()? {
        if let Some(id) = found.id() {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// The ref with the most log entries, and their number.
fn longest_log(copies: &Copies) -> Result<Option<(String, usize)>> {
    let repository = copies.open()?;
    let mut longest: Option<(String, usize)> = None;
    for name in repository.reflog_names()? {
        let mut entries = repository.reflog(&name)?.newest_first()?;
        let mut count = 0;
        while entries.next()?.is_some() {
            count += 1;
        }
        if let Ok(name) = name.to_str() {
            if longest.as_ref().is_none_or(|(_, most)| count > *most) {
                longest = Some((name.to_owned(), count));
            }
        }
    }
    Ok(longest)
}
