//! The git floor.
