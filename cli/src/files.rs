//! References in files, git's older format: loose refs, `packed-refs` and reflogs.
//!
//! ```text
//! flaw       what cannot be read
//! names      which names are root refs, and which belong to a worktree
//! walk       the files in `refs` and `logs`
//! loose      a ref in a file of its own
//! packed     the file `packed-refs`
//! log_line   an entry of a reflog
//! store      all of these, of one worktree
//! ```
#![forbid(unsafe_code)]

pub mod flaw;
pub mod log_line;
pub mod loose;
pub mod names;
pub mod packed;
pub mod store;
pub mod walk;
