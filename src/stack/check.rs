//! Checks of a stack, as `git refs verify` asks for.
#![forbid(unsafe_code)]

use super::{names, Stack};

/// What a check has to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding<'t> {
    /// Nothing is wrong so far; this table comes next.
    Checking {
        /// The table's name.
        table: &'t str,
    },
    /// A table's name is not made of two update indexes and a random number.
    BadTableName {
        /// The table's name.
        table: &'t str,
    },
}

/// Checks the tables of the stack's current view and tells `report` what it does and finds.
pub fn check(stack: &Stack, report: &mut dyn FnMut(Finding<'_>)) {
    for table in stack.merged().tables() {
        let table = table.name();
        report(Finding::Checking { table });
        if !names::is_valid(table) {
            report(Finding::BadTableName { table });
        }
    }
}
