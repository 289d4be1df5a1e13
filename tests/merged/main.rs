//! The merged view of several tables.
#![forbid(unsafe_code)]

mod refs_of;
mod upstream_cases;
mod view;
