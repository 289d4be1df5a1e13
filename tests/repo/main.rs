//! The references of a repository, compared with git.
#![cfg(feature = "repo")]
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;

mod maintenance;
mod names;
mod processes;
mod random_transactions;
mod reflogs;
mod renames;
mod support;
mod transactions;
mod worktrees;
