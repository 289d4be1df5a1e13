//! The table floor.
