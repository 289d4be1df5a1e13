//! The merged floor.
