//! What git 2.47.3 passes when it opens a store: flags only.

#![forbid(unsafe_code)]
