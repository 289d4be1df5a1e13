//! Checking, compacting and measuring the stacks of a repository.
#![forbid(unsafe_code)]

use std::fmt;
use std::path::PathBuf;

use bstr::{BStr, BString, ByteSlice};

use super::rules::{is_root_ref, is_well_formed, owner_of};
use super::{Error, Repository, Result};
use crate::format::quote::Quoted;
use crate::format::FindingKind;
use crate::merged::Tombstones;
use crate::record::RefValue;
use crate::stack::{check, CheckEvent, Stack};

/// A problem that [`Repository::verify`] has found. Its text is one line.
#[derive(Debug)]
#[non_exhaustive]
pub enum Finding {
    /// A file of a stack.
    File {
        /// The stack's directory.
        dir: PathBuf,
        /// The name of the file.
        file: String,
        /// What it is about.
        kind: FindingKind,
        /// What is wrong.
        text: String,
    },
    /// A stack cannot be read.
    Unreadable {
        /// The stack's directory.
        dir: PathBuf,
        /// The reason.
        error: Error,
    },
    /// A ref has an invalid name or value.
    Ref {
        /// The ref, by the name that the current worktree has for it.
        name: BString,
        /// What is wrong.
        problem: RefProblem,
    },
}

/// What is wrong with a ref: what `git refs verify` reports, and bad names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefProblem {
    /// Git does not allow the name.
    BadName,
    /// The id is null.
    NullId,
    /// `HEAD` points at a ref that is no branch.
    HeadWithoutBranch {
        /// The target.
        target: BString,
    },
    /// Git does not allow the name of the target.
    BadTarget {
        /// The target.
        target: BString,
    },
    /// The target is neither in `refs/` nor a worktree's own ref.
    TargetOutsideRefs {
        /// The target.
        target: BString,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File {
                dir, file, text, ..
            } => {
                let path = dir.join(file);
                write!(f, "{}: {text}", Quoted::path(&path))
            }
            Self::Unreadable { dir, error } => write!(f, "{}: {error}", Quoted::path(dir)),
            Self::Ref { name, problem } => write!(f, "{}: {problem}", Quoted(name)),
        }
    }
}

impl fmt::Display for RefProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadName => f.write_str("invalid refname"),
            Self::NullId => f.write_str("points at the null id"),
            Self::HeadWithoutBranch { target } => {
                write!(f, "HEAD points at non-branch '{}'", Quoted(target))
            }
            Self::BadTarget { target } => {
                write!(f, "points at invalid refname '{}'", Quoted(target))
            }
            Self::TargetOutsideRefs { target } => {
                write!(f, "points at non-ref target '{}'", Quoted(target))
            }
        }
    }
}

/// Which tables [`Repository::compact`] merges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compact {
    /// All of each stack into one.
    All,
    /// Those that git's rule selects: each table is to be at least twice as large as the next
    /// newer one, or by the factor of `reftable.geometricFactor`.
    Auto,
}

/// The tables of one stack.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackStat {
    /// The linked worktree whose stack it is; `None` for the stack of the shared refs and of the main
    /// worktree.
    pub worktree: Option<BString>,
    /// The directory.
    pub dir: PathBuf,
    /// The tables, oldest first.
    pub tables: Vec<TableStat>,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableStat {
    /// The name of the file.
    pub name: String,
    /// The size of the file in bytes.
    pub size: u64,
    /// The least and the greatest number of the transactions in it.
    pub update_indexes: (u64, u64),
}

impl Repository {
    /// Checks the tables of all worktrees and the refs in them. Returns what is wrong: an empty list
    /// for a sound repository.
    ///
    /// Reads every byte of every table. Other processes may change the repository meanwhile.
    ///
    /// # Errors
    /// If the worktrees cannot be listed.
    pub fn verify(&self) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for (worktree, dir) in self.stack_dirs()? {
            check(&dir, self.hash(), &mut |event| {
                if let CheckEvent::Finding(finding) = event {
                    findings.push(Finding::File {
                        dir: dir.clone(),
                        file: finding.file.to_owned(),
                        kind: finding.kind,
                        text: finding.to_string(),
                    });
                }
            });
            let worktree = worktree.as_ref().map(|name| name.as_bstr());
            if let Err(error) = self.verify_refs(worktree, &mut findings) {
                findings.push(Finding::Unreadable { dir, error });
            }
        }
        Ok(findings)
    }

    fn verify_refs(&self, worktree: Option<&BStr>, findings: &mut Vec<Finding>) -> Result<()> {
        let stack = self.stack_by_key(worktree)?;
        stack.reload()?;
        let mut refs = stack.merged().refs(Tombstones::Hide);
        while refs.advance()? {
            let record = refs.record();
            let name = || self.layout().long_name(worktree, record.name);
            if !is_well_formed(record.name) {
                let problem = RefProblem::BadName;
                findings.push(Finding::Ref {
                    name: name(),
                    problem,
                });
            }
            if let Some(problem) = problem_of(record.name, &record.value) {
                findings.push(Finding::Ref {
                    name: name(),
                    problem,
                });
            }
        }
        Ok(())
    }

    /// Compacts the stack of the shared refs and that of the current worktree, and removes the files
    /// that dead processes have left in them. Returns whether any tables were merged.
    ///
    /// Commits compact by themselves, so that this is rarely needed.
    ///
    /// # Errors
    /// [`Error::Locked`] if another process holds a lock of a table, or that of the list, all the
    /// time; errors of reading and writing tables.
    pub fn compact(&self, how: Compact) -> Result<bool> {
        let options = self.settings()?.stack_options(self.hash());
        let mut stacks = vec![self.main_stack()?];
        if self.layout().worktree().is_some() {
            stacks.push(self.current_stack()?);
        }
        let mut is_compacted = false;
        for stack in stacks {
            let stack = stack.with_options(options.clone())?;
            is_compacted |= stack.optimize(how == Compact::Auto)?;
            clean(&stack);
        }
        Ok(is_compacted)
    }

    /// The tables of all worktrees. Reads their headers and footers, and no records.
    ///
    /// # Errors
    /// If the worktrees cannot be listed, or a stack cannot be read.
    pub fn stat(&self) -> Result<Vec<StackStat>> {
        let stat = |(worktree, dir): (Option<BString>, PathBuf)| {
            let stack = self.stack_by_key(worktree.as_ref().map(|name| name.as_bstr()))?;
            stack.reload()?;
            let merged = stack.merged();
            let tables = merged.tables().iter().map(|table| TableStat {
                name: table.name().to_owned(),
                size: table.size(),
                update_indexes: (table.min_update_index(), table.max_update_index()),
            });
            Ok(StackStat {
                worktree,
                dir,
                tables: tables.collect(),
            })
        };
        self.stack_dirs()?.into_iter().map(stat).collect()
    }

    /// The directories of all stacks: that of the shared refs and of the main worktree, then those
    /// of the linked worktrees, with their names. A directory may be missing: its stack is empty.
    ///
    /// # Errors
    /// If the worktrees cannot be listed.
    pub fn stack_dirs(&self) -> Result<Vec<(Option<BString>, PathBuf)>> {
        let mut dirs = vec![(None, self.layout().main_stack())];
        for name in self.worktrees()? {
            let dir = self.worktree_stack_dir(name.as_bstr())?;
            dirs.push((Some(name), dir));
        }
        Ok(dirs)
    }
}

/// Removes leftovers. They are harmless, so that errors do not matter: `verify` reports the files.
fn clean(stack: &Stack) {
    let _ = stack.clean();
}

/// What is wrong with the value of a ref.
fn problem_of(name: &[u8], value: &RefValue<'_>) -> Option<RefProblem> {
    if let Some(id) = value.id() {
        let is_null = id.iter().all(|&byte| byte == 0);
        return is_null.then_some(RefProblem::NullId);
    }
    let RefValue::Symref(target) = *value else {
        return None;
    };
    let is_in = |dir: &[u8]| target.starts_with(dir);
    let (_, bare) = owner_of(name);
    if bare == b"HEAD" && !is_in(b"refs/heads/") {
        let target = target.into();
        return Some(RefProblem::HeadWithoutBranch { target });
    }
    if is_root_ref(target) {
        return None;
    }
    let has_levels = target.contains(&b'/');
    if !has_levels || !is_well_formed(target) {
        let target = target.into();
        return Some(RefProblem::BadTarget { target });
    }
    if !is_in(b"refs/") && !is_in(b"worktrees/") {
        let target = target.into();
        return Some(RefProblem::TargetOutsideRefs { target });
    }
    None
}
