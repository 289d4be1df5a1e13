//! Maintenance of the repository: packing, garbage collection, verification.
#![forbid(unsafe_code)]

use crate::arena::Arena;
use crate::common::{Output, Random};

/// `REFTABLE_LOCK_ERROR` and `REFTABLE_OUTDATED_ERROR`, as exit statuses.
const LOCKED: i32 = 251;
const OUTDATED: i32 = 244;

/// How often a task ran, and how often it gave up because of other processes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chores {
    pub packed: u64,
    pub collected: u64,
    pub verified: u64,
    pub given_up: u64,
    /// Verifications that warned about a table that was just being removed.
    pub saw_replaced: u64,
}

impl Chores {
    pub fn add(&mut self, other: Self) {
        self.packed += other.packed;
        self.collected += other.collected;
        self.verified += other.verified;
        self.given_up += other.given_up;
        self.saw_replaced += other.saw_replaced;
    }
}

/// Maintains the repository until the time is over.
pub fn work(arena: &Arena, keeper: usize) -> Chores {
    let mut random = Random::new(2000 + u64::try_from(keeper).unwrap());
    let mut chores = Chores::default();
    let mut turn = keeper;
    while !arena.is_over() {
        turn += 1;
        let git = arena.plan.git(turn).clone();
        let args: &[&str] = match random.below(8) {
            // A killed command leaves its locks.
            0 if !arena.plan.kills => &["gc", "--quiet"],
            1 => &["refs", "verify"],
            2..=4 => &["pack-refs", "--auto"],
            _ => &["pack-refs", "--all"],
        };
        let Some(output) = arena.run_or_kill(&git, args, "", &mut random, || ()) else {
            continue;
        };
        if gave_way(&output) {
            chores.given_up += 1;
        } else if saw_replaced(&output) {
            chores.verified += 1;
            chores.saw_replaced += 1;
        } else if output.status != 0 || !output.stderr.is_empty() {
            arena.fault(format!("{args:?}: {output:?}"));
        } else {
            match args[0] {
                "gc" => chores.collected += 1,
                "refs" => chores.verified += 1,
                _ => chores.packed += 1,
            }
        }
    }
    chores
}

/// Whether `refs verify` reported only tables that a writer has replaced and not yet removed. When
/// all processes have ended, it must report nothing.
fn saw_replaced(output: &Output) -> bool {
    let is_replaced = |line: &str| line.contains("unlistedReftableFile: table that");
    output.status == 0 && !output.stderr.is_empty() && output.stderr.lines().all(is_replaced)
}

/// Whether a command gave up because others hold a lock or have changed the stack, which is
/// allowed. `gc` reports that packing refs gave up, and continues.
pub fn gave_way(output: &Output) -> bool {
    // The last is a lock that a killed process left, or that was held for the whole timeout.
    let reasons = [
        "data is locked",
        "data concurrently modified",
        "unable to clean stack: Unable to create",
    ];
    // Upstream's git does not report this if its cleaning after the packing meets it.
    let silent = match output.status {
        0 => output.stderr == "error: failed to run pack-refs\n",
        status => [LOCKED, OUTDATED].contains(&status) && output.stderr.is_empty(),
    };
    silent || output.status >= 0 && reasons.iter().any(|reason| output.stderr.contains(reason))
}
