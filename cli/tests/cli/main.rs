//! Runs the program on repositories that git has made, and compares its output with git's.
//!
//! `REFTABLE_UPSTREAM_GIT` names `bin-wrappers/git` of a build of git; without it, nothing is
//! tested.
#![forbid(unsafe_code)]

mod bad_input;
mod bench;
mod bytes;
mod damage;
mod faults;
#[path = "../../../tests/hostile/mod.rs"]
mod hostile;
mod kills;
mod leftovers;
mod maintaining;
mod migrate;
mod page;
mod places;
mod pty;
mod reading;
mod recovery;
mod sandbox;
mod saving;
mod sessions;
mod signals;
mod terminal;
