//! `struct strbuf`, borrowed from git or owned by the backend, and C strings that live as
//! long as one of git's objects.

use crate::format::quote::quote;
use crate::format::words::has_byte;
use crate::git::abi::{ffi, StrBuf};
use std::ffi::{c_char, CStr, CString};
use std::ptr;

/// A strbuf that git lends for the duration of one call.
pub struct Buffer<'a> {
    raw: &'a mut StrBuf,
}

impl<'a> Buffer<'a> {
    /// # Safety
    ///
    /// `raw` points to an initialised strbuf that nothing else uses for `'a`.
    pub unsafe fn from_raw(raw: *mut StrBuf) -> Option<Self> {
        // SAFETY: the caller's promise; NULL becomes None.
        unsafe { raw.as_mut() }.map(|raw| Self { raw })
    }

    /// The pointer to hand to git.
    pub fn as_ptr(&mut self) -> *mut StrBuf {
        self.raw
    }

    /// Number of bytes without the final NUL.
    pub fn len(&self) -> usize {
        self.raw.len
    }

    /// Empties the buffer; the allocation stays.
    pub fn clear(&mut self) {
        self.raw.len = 0;
        if self.raw.alloc > 0 {
            // SAFETY: a strbuf with an allocation has room for the final NUL.
            unsafe { *self.raw.buf = 0 };
        }
    }

    /// Appends `bytes`.
    pub fn push(&mut self, bytes: &[u8]) {
        // SAFETY: the strbuf is initialised; `bytes` is valid for its length.
        unsafe { ffi::strbuf_add(self.raw, bytes.as_ptr().cast(), bytes.len()) };
    }

    /// Replaces the content with `bytes`.
    pub fn set(&mut self, bytes: &[u8]) {
        self.clear();
        self.push(bytes);
    }

    /// Appends the translation of `format` with its `%s` filled by `args`.
    pub fn push_message(&mut self, format: &'static CStr, args: &[&CStr]) {
        push_message(self.raw, translate(format), format, args);
    }

    /// Appends `format`, untranslated, with its `%s` filled by `args`.
    pub fn push_plain(&mut self, format: &'static CStr, args: &[&CStr]) {
        push_message(self.raw, format.as_ptr(), format, args);
    }
}

/// A strbuf that the backend owns, released on drop.
pub struct OwnedBuffer {
    raw: StrBuf,
}

impl OwnedBuffer {
    /// An empty strbuf.
    pub fn new() -> Self {
        let raw = StrBuf {
            alloc: 0,
            len: 0,
            buf: ptr::addr_of_mut!(ffi::strbuf_slopbuf).cast(),
        };
        Self { raw }
    }

    /// The pointer to hand to git.
    pub fn as_ptr(&mut self) -> *mut StrBuf {
        &mut self.raw
    }

    /// Lends the buffer.
    pub fn lend(&mut self) -> Buffer<'_> {
        Buffer { raw: &mut self.raw }
    }

    /// The content.
    pub fn as_c_str(&self) -> &CStr {
        // SAFETY: a strbuf is NUL-terminated at all times.
        unsafe { CStr::from_ptr(self.raw.buf) }
    }
}

impl Drop for OwnedBuffer {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, released once.
        unsafe { ffi::strbuf_release(&mut self.raw) };
    }
}

/// Appends a printf-style message whose conversions are all `%s`.
fn push_message(raw: &mut StrBuf, format: *const c_char, msgid: &CStr, args: &[&CStr]) {
    let wanted = msgid.to_bytes().windows(2).filter(|w| w == b"%s").count();
    debug_assert_eq!(wanted, args.len());
    // SAFETY: `format` is `msgid` or its translation, which gettext checks to
    // have the same conversions: `%s` only, one for each of `args`, which are
    // NUL-terminated.
    unsafe {
        match *args {
            [] => ffi::strbuf_addf(raw, c"%s".as_ptr(), format),
            [a] => ffi::strbuf_addf(raw, format, a.as_ptr()),
            [a, b] => ffi::strbuf_addf(raw, format, a.as_ptr(), b.as_ptr()),
            [a, b, c, ..] => ffi::strbuf_addf(raw, format, a.as_ptr(), b.as_ptr(), c.as_ptr()),
        }
    }
}

/// The translation of `msgid` in the user's language (`_()` in git).
fn translate(msgid: &'static CStr) -> *const c_char {
    // SAFETY: gettext takes a NUL-terminated string and returns `msgid` or a string that lives
    // as long as the program.
    unsafe { ffi::reftable_rs_gettext(msgid.as_ptr()) }
}

/// A C string that is replaced again and again, in one allocation.
pub struct NameBuffer {
    /// Ends with a NUL, the only one.
    bytes: Vec<u8>,
}

impl NameBuffer {
    /// An empty string.
    pub fn new() -> Self {
        Self { bytes: vec![0] }
    }

    /// Replaces the string with `name`. Returns `false`, and leaves the string empty, if `name`
    /// contains a NUL.
    #[inline]
    pub fn set(&mut self, name: &[u8]) -> bool {
        let is_string = !has_byte(name, 0);
        self.bytes.clear();
        if is_string {
            self.bytes.extend_from_slice(name);
        }
        self.bytes.push(0);
        is_string
    }

    /// The string.
    #[inline]
    pub fn as_c_str(&self) -> &CStr {
        // SAFETY: `new` and `set` leave one NUL, at the end.
        unsafe { CStr::from_bytes_with_nul_unchecked(&self.bytes) }
    }
}

/// `bytes` from a file or directory, quoted for use in a message.
pub fn quoted(bytes: &[u8]) -> CString {
    // No NUL byte is left after quoting.
    CString::new(quote(bytes).into_owned()).unwrap_or_default()
}

/// A C string that git owns, or None for NULL.
///
/// # Safety
///
/// `raw` is NULL or points to a NUL-terminated string that lives, unchanged,
/// for `'a`.
pub unsafe fn borrow<'a>(raw: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the caller's promise.
    (!raw.is_null()).then(|| unsafe { CStr::from_ptr(raw) })
}

#[cfg(test)]
mod tests {
    use super::NameBuffer;

    #[test]
    fn a_name_replaces_the_one_before() {
        let mut buffer = NameBuffer::new();
        assert_eq!(buffer.as_c_str(), c"");
        assert!(buffer.set(b"refs/heads/main"));
        assert_eq!(buffer.as_c_str(), c"refs/heads/main");
        assert!(buffer.set(b""));
        assert_eq!(buffer.as_c_str(), c"");
    }

    #[test]
    fn a_name_with_a_nul_leaves_the_buffer_empty() {
        let mut buffer = NameBuffer::new();
        for name in [
            &b"\0"[..],
            b"refs/heads/main\0",
            b"refs/\0heads/a-long-name",
        ] {
            assert!(buffer.set(b"HEAD"));
            assert!(!buffer.set(name));
            assert_eq!(buffer.as_c_str(), c"");
        }
    }
}
