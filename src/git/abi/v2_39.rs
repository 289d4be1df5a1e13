//! git 2.39.5.

pub mod behavior;
pub mod calls;
pub mod layout;
pub mod options;
pub mod settings;
#[path = "v2_47/stubs.rs"]
mod stubs;
mod table;
pub mod updates;
