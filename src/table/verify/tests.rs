//! Each flaw on its own is reported with the right kind, text and number.
#![forbid(unsafe_code)]

mod damaged;
mod healthy;
mod raw;

use super::Flaw;
use crate::table::Table;

/// All flaws of a table.
fn flaws(bytes: Vec<u8>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    match Table::inspect("table", bytes.into()) {
        Ok(table) => {
            table.verify(&mut |flaw| flaws.push(flaw));
            let mut in_parallel = Vec::new();
            table.verify_with(true, &mut |flaw| in_parallel.push(flaw));
            assert_eq!(in_parallel, flaws);
        }
        Err(flaw) => flaws.push(flaw),
    }
    flaws
}
