//! The block floor.
