//! The sys floor.
