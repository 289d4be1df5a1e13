//! git 2.39.5.

pub mod behavior;
pub mod calls;
pub mod layout;
pub mod options;
pub mod settings;
mod table;
pub mod updates;
