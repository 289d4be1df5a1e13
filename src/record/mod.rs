//! The record floor.
