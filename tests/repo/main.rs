//! The references of a repository, compared with git.
#![cfg(feature = "repo")]
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;

mod child;
mod config;
mod config_syntax;
mod discover;
mod support;
mod transactions;
