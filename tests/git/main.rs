//! Git's commands with this backend, compared with upstream's git where both do the same.
//!
//! The tests run if `REFTABLE_GIT` and the other variables of `name_gits` in `scripts/lib.sh` name
//! built gits.
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../hostile/mod.rs"]
mod hostile;
mod process;

mod faults;
mod foreign_logs;
mod interchange;
mod making;
mod malformed;
mod migrated_tags;
mod migrations;
mod random_commands;
mod repeated_log_keys;
mod two_errors;
mod upstream_defects;
