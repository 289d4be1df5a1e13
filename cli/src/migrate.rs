//! Moving the references of a repository from files to reftables and back.
//!
//! ```text
//! config      the format in the repository's configuration, and changing it
//! disk        durable files and renames
//! lock        locks that a later run recognises after a kill
//! logs        reflogs in the form of files
//! meter       how far a migration is
//! site        the repository and its worktrees
//! tables      writing tables
//! compare     what differs between files and tables
//! survey      what cannot be moved
//! staging     the directory of a migration
//! to_tables   files to reftables
//! to_files    reftables to files
//! recover     undoing or finishing a migration that was killed
//! ```
//!
//! Both directions write the new store beside the old one, verify it, and then replace the file
//! `config`, which names the format. This rename is the one step that switches: before it, the old
//! store is complete and git ignores the new one; after it, the other way around. The old store is
//! removed after the switch.
#![forbid(unsafe_code)]

pub mod compare;
pub mod config;
pub mod disk;
pub mod lock;
pub mod logs;
pub mod meter;
pub mod recover;
pub mod site;
pub mod staging;
pub mod survey;
pub mod tables;
pub mod to_files;
pub mod to_tables;
