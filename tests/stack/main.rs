//! A stack of tables in one process: its contents after each operation, fault and power failure.
#![forbid(unsafe_code)]

mod basics;
mod check;
mod concurrency;
mod faults;
mod foreign;
mod leftovers;
mod lists;
mod model;
mod operations;
mod power;
mod power_loss;
mod support;
mod upstream_cases;
