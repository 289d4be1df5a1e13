//! How many blocks this thread has deflated and inflated.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::thread::LocalKey;

pub(crate) use super::recent::forget;

thread_local! {
    pub(crate) static DEFLATED: Cell<usize> = const { Cell::new(0) };
    pub(crate) static INFLATED: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn add_one(count: &'static LocalKey<Cell<usize>>) {
    count.set(count.get() + 1);
}
