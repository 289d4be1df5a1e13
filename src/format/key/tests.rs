//! Keys written and read, in order and damaged.
#![forbid(unsafe_code)]

use super::*;
use proptest::prelude::*;

fn encoded(keys: &[&[u8]], shared: &[usize]) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, shared) in keys.iter().zip(shared) {
        put(&mut out, key, *shared, 3);
    }
    out
}

fn read_all(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Damage> {
    let mut input = Input::new(bytes, bytes.len());
    let mut key = KeyBuf::default();
    let mut keys = Vec::new();
    while input.len() > 0 {
        key.read(&mut input, false)?;
        keys.push(key.bytes().to_vec());
    }
    Ok(keys)
}

#[test]
fn nul_bytes_are_found() {
    let name = b"refs/heads/a-name";
    for len in 1..=name.len() {
        for nul in 0..name.len() {
            let mut bytes = *name;
            bytes[nul] = 0;
            let next = NextKey {
                shared: 0,
                extra: 0,
                suffix: &bytes[..len],
                following: &bytes,
                last_len: 0,
            };
            assert_eq!(next.has_nul(), nul < len, "{len} {nul}");
        }
    }
}

#[test]
fn headers_round_trip() {
    for shared in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x407f, 0x4080, 0x5000] {
        let mut key = vec![0; shared];
        for suffix_len in 0..2100 {
            let extra = u8::try_from(suffix_len % 8).unwrap();
            let mut bytes = Vec::new();
            put(&mut bytes, &key, shared, extra);
            let len = bytes.len() - suffix_len;
            let mut input = Input::new(&bytes, bytes.len());
            let header = KeyHeader::read(&mut input).unwrap();
            assert_eq!(
                (header.shared, header.suffix_len, header.extra),
                (shared, suffix_len, extra)
            );
            assert_eq!(input.position(), len);
            key.push(1);
        }
    }
}

#[test]
fn keys_out_of_order_are_damage() {
    for (keys, shared, good) in [
        ([&b"abc"[..], b"abd"], [0, 2], true),
        ([b"abc", b"abd"], [0, 0], true),
        ([b"abc", b"abcd"], [0, 3], true),
        ([b"abc", b"abc"], [0, 3], false),
        ([b"abc", b"abc"], [0, 0], false),
        ([b"abd", b"abc"], [0, 2], false),
        ([b"abd", b"abc"], [0, 0], false),
        ([b"abcd", b"abc"], [0, 3], false),
        ([b"", b"a"], [0, 0], false),
    ] {
        let got = read_all(&encoded(&keys, &shared));
        assert_eq!(got.is_ok(), good, "{keys:?} {shared:?}");
    }
    let numbers = |keys: [&[u8]; 2], shared| {
        let damage = read_all(&encoded(&keys, &[0, shared])).unwrap_err();
        (damage.found, damage.expected)
    };
    let byte = (99, Expected::AtLeast(101));
    assert_eq!(numbers([b"abd", b"abc"], 1), byte);
    let len = (2, Expected::AtLeast(4));
    assert_eq!(numbers([b"abcd", b"abc"], 1), len);
}

/// Equal first bytes do not prove that a key is greater.
#[test]
fn the_fast_path_reads_keys_with_a_greater_first_byte() {
    for (first, is_fast) in [(b'a', false), (b'b', false), (b'c', true)] {
        let mut key = KeyBuf::default();
        let last = encoded(&[b"abd"], &[0]);
        let mut input = Input::new(&last, last.len());
        key.read(&mut input, false).unwrap();
        let mut window: Window = [0; 64];
        let next = [&b"a"[..], &[first, b'x']].concat();
        let bytes = encoded(&[&next], &[1]);
        window[..bytes.len()].copy_from_slice(&bytes);
        assert_eq!(key.read_fast(&window).is_some(), is_fast);
    }
}

#[test]
fn keys_repeat_only_where_they_may() {
    for shared in [[0, 3], [0, 0], [0, 2]] {
        let bytes = encoded(&[b"abc", b"abc"], &shared);
        for may_repeat in [false, true] {
            let mut input = Input::new(&bytes, bytes.len());
            let mut key = KeyBuf::default();
            key.read(&mut input, may_repeat).unwrap();
            assert_eq!(key.read(&mut input, may_repeat).is_ok(), may_repeat);
            assert_eq!(key.bytes(), b"abc");
        }
    }
}

#[test]
fn a_prefix_longer_than_the_last_key_is_damage() {
    assert!(read_all(&encoded(&[b"ab", b"xyzw"], &[0, 3])).is_err());
    let mut key = KeyBuf::default();
    let bytes = encoded(&[b"ab"], &[0]);
    key.read(&mut Input::new(&bytes, bytes.len()), false)
        .unwrap();
    key.start_block();
    assert!(!key.is_current());
    let next = encoded(&[b"ac"], &[1]);
    assert!(key.read(&mut Input::new(&next, next.len()), false).is_err());
}

proptest! {
    #[test]
    fn sorted_keys_round_trip(
        keys in prop::collection::btree_set(prop::collection::vec(97_u8..100, 1..12), 1..30),
    ) {
        let keys: Vec<_> = keys.into_iter().collect();
        let mut out = Vec::new();
        let mut last: &[u8] = b"";
        for key in &keys {
            put(&mut out, key, common_prefix(last, key), 0);
            last = key;
        }
        prop_assert_eq!(read_all(&out).unwrap(), keys);
    }
}
