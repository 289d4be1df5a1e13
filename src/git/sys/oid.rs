//! Object IDs in git's layout.

use crate::format::HashId;
use crate::git::abi::{
    HashAlgo, ObjectId, GIT_HASH_SHA1, GIT_HASH_SHA256, IDS_ARE_PADDED, MAX_RAW_SIZE,
};

impl ObjectId {
    /// All zero, without an algorithm, as `{0}` in C.
    pub const ZERO: Self = Self {
        hash: [0; MAX_RAW_SIZE],
        algo: 0,
    };

    /// The null ID of `hash` (`oidclr()`).
    pub fn null(hash: HashId) -> Self {
        Self {
            algo: algo(hash),
            ..Self::ZERO
        }
    }

    /// The ID in the leading bytes of `raw` (`oidread()`), of which at most 32 are used.
    #[inline]
    pub fn new(raw: &[u8], hash: HashId) -> Self {
        const SHA1: usize = HashId::Sha1.len();
        let mut oid = Self::null(hash);
        // A copy of constant length needs no call.
        match (
            raw.len(),
            oid.hash.first_chunk_mut(),
            raw.first_chunk::<SHA1>(),
        ) {
            (SHA1, Some(to), Some(from)) => *to = *from,
            _ => oid
                .hash
                .iter_mut()
                .zip(raw)
                .for_each(|(to, from)| *to = *from),
        }
        oid
    }

    /// Whether all bytes are zero (`is_null_oid()`).
    pub fn is_null(&self) -> bool {
        self.same(&Self::ZERO)
    }

    /// Whether both have the same bytes (`oideq()`). The algorithm may be unset.
    pub fn same(&self, other: &Self) -> bool {
        if IDS_ARE_PADDED || self.algo == GIT_HASH_SHA256 || other.algo == GIT_HASH_SHA256 {
            return self.hash == other.hash;
        }
        let len = HashId::Sha1.len();
        self.hash.get(..len) == other.hash.get(..len)
    }

    /// The bytes that an ID of `hash` has.
    pub fn raw(&self, hash: HashId) -> &[u8] {
        self.hash.get(..hash.len()).unwrap_or(&self.hash)
    }

    /// Hexadecimal digits, as `oid_to_hex()` prints them, NUL-terminated.
    pub fn to_hex(self) -> std::ffi::CString {
        let len = if self.algo == GIT_HASH_SHA256 { 32 } else { 20 };
        let mut hex = Vec::with_capacity(2 * len + 1);
        for byte in &self.hash[..len] {
            hex.push(b"0123456789abcdef"[usize::from(byte >> 4)]);
            hex.push(b"0123456789abcdef"[usize::from(byte & 15)]);
        }
        std::ffi::CString::new(hex).unwrap_or_default()
    }
}

/// Git's number for `hash` (`GIT_HASH_*`).
fn algo(hash: HashId) -> HashAlgo {
    match hash {
        HashId::Sha1 => GIT_HASH_SHA1,
        HashId::Sha256 => GIT_HASH_SHA256,
    }
}
