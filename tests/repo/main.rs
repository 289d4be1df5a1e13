//! The references of a repository, compared with git.
#![cfg(feature = "repo")]
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;

mod child;
#[cfg(feature = "config")]
mod config;
mod config_syntax;
mod discover;
mod histories;
mod listing;
mod logs;
mod lookups;
mod made;
mod shown;
mod support;
mod transactions;
mod watching;
