//! The format floor.
