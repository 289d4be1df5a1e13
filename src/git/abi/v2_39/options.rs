//! What git 2.39.5 passes when it opens a store: the access flags alone.

#![forbid(unsafe_code)]
