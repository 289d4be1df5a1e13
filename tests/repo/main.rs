//! The references of a repository, compared with git.
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../hostile/mod.rs"]
mod hostile;

mod child;
mod config;
mod config_syntax;
mod damaged;
mod discover;
mod examples;
mod histories;
mod listing;
mod logs;
mod lookups;
mod made;
mod maintenance;
mod names;
mod outside;
mod permissions;
mod processes;
mod random_transactions;
mod reflogs;
mod renames;
mod shown;
mod states;
mod support;
mod threads;
mod transactions;
mod trust;
mod watching;
mod worktrees;
mod written_logs;
