//! The merged view of several tables.
#![forbid(unsafe_code)]

mod upstream_cases;
mod view;
