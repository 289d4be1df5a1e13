//! Runs the program on repositories that git has made, and compares its output with git's.
//!
//! `REFTABLE_UPSTREAM_GIT` names `bin-wrappers/git` of a build of git; without it, nothing is
//! tested.
#![forbid(unsafe_code)]

mod damage;
#[path = "../../../tests/hostile/mod.rs"]
mod hostile;
mod maintaining;
mod migrate;
mod places;
mod reading;
mod sandbox;
mod saving;
mod terminal;
