//! Random numbers for names and pauses. They are not for secrets.
#![forbid(unsafe_code)]

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// The next number. The seed of the operating system is mixed with the clock and a counter, so
/// that a forked process does not repeat the numbers of its parent.
pub(super) fn next() -> u32 {
    static SEED: OnceLock<u64> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let seed = *SEED.get_or_init(|| RandomState::new().build_hasher().finish());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| {
        u64::from(d.subsec_nanos()) ^ d.as_secs().rotate_left(30)
    });
    let mixed = mix(seed ^ mix(nanos.wrapping_add(count.wrapping_mul(GOLDEN))));
    let [a, b, c, d, ..] = mixed.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finalizer of the SplitMix64 generator: every input bit affects every output bit.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_differ() {
        let seen: HashSet<u32> = (0..1000).map(|_| next()).collect();
        assert!(seen.len() > 990, "{} distinct numbers of 1000", seen.len());
    }
}
