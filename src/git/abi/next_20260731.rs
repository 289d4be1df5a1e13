//! git's `next` of 2026-07-31.

#[path = "v2_55/behavior.rs"]
pub mod behavior;
#[path = "v2_55/calls.rs"]
pub mod calls;
#[path = "v2_55/layout.rs"]
pub mod layout;
pub mod options;
pub mod settings;
#[path = "v2_55/table.rs"]
mod table;
#[path = "v2_55/updates.rs"]
pub mod updates;
