//! A stack of tables in one process: what it holds after each operation, fault and loss of power.
#![forbid(unsafe_code)]

mod basics;
mod check;
mod concurrency;
mod faults;
mod foreign;
mod leftovers;
mod lists;
mod model;
mod power;
mod power_loss;
mod support;
mod upstream_cases;
