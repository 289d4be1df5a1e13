//! The stack floor.
