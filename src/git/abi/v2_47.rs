//! git 2.47.3.

pub mod behavior;
pub mod calls;
pub mod layout;
pub mod options;
#[path = "v2_55/settings.rs"]
pub mod settings;
mod stubs;
mod table;
pub mod updates;
