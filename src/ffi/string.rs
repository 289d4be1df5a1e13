//! NUL-terminated strings.

use std::ffi::{c_char, c_void, CStr};
use std::ptr;

use super::alloc::{self, NoMemory};

/// The bytes of a string, without its NUL; `None` for NULL.
///
/// # Safety
/// `string` is NULL, or a NUL-terminated string that does not change for `'a`.
pub(crate) unsafe fn bytes<'a>(string: *const c_char) -> Option<&'a [u8]> {
    if string.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { CStr::from_ptr(string) }.to_bytes())
}

/// Allocates a string with these bytes, which must contain no NUL.
pub(crate) fn new(bytes: &[u8]) -> Result<*mut c_char, NoMemory> {
    let mut string = ptr::null_mut();
    // SAFETY: the string to replace may be NULL.
    unsafe { replace(&mut string, bytes) }.map(|()| string)
}

/// Replaces the string at `place` by `bytes`, reallocating it to the exact size.
///
/// # Safety
/// The string is NULL or comes from the configured allocator, and `bytes` is not part of it.
pub(crate) unsafe fn replace(place: &mut *mut c_char, bytes: &[u8]) -> Result<(), NoMemory> {
    let size = bytes.len().checked_add(1).ok_or(NoMemory)?;
    // SAFETY: the caller's promise.
    let string = unsafe { alloc::realloc(place.cast(), size) }.cast::<c_char>();
    if string.is_null() {
        return Err(NoMemory);
    }
    *place = string;
    // SAFETY: `size` bytes were just allocated for the string.
    unsafe { write(string, bytes) };
    Ok(())
}

/// Replaces the string at `place`, for which `cap` bytes are allocated, by `bytes`. If they do not
/// fit, the allocation grows to twice its size or to the required size. If that fails, the string
/// is freed.
///
/// # Safety
/// The string is NULL or comes from the configured allocator, with room for `cap` bytes, and
/// `bytes` is not part of it.
#[inline(always)]
pub(crate) unsafe fn store(
    place: &mut *mut c_char,
    cap: &mut usize,
    bytes: &[u8],
) -> Result<(), NoMemory> {
    let size = bytes.len().checked_add(1).ok_or(NoMemory)?;
    if place.is_null() || size > *cap {
        // SAFETY: the caller's promise.
        unsafe { make_room(place, cap, size) }?;
    }
    // SAFETY: the string has room for `cap` bytes, which are at least `size`.
    unsafe { write(*place, bytes) };
    Ok(())
}

/// Grows the allocation of the string to at least `size` bytes.
///
/// # Safety
/// As for [`store`].
#[inline(never)]
unsafe fn make_room(place: &mut *mut c_char, cap: &mut usize, size: usize) -> Result<(), NoMemory> {
    if place.is_null() {
        *cap = 0;
    }
    if size > *cap {
        let grown = cap.saturating_mul(2).saturating_add(1).max(size);
        // SAFETY: the caller's promise.
        let string = unsafe { alloc::realloc(place.cast(), grown) }.cast::<c_char>();
        if string.is_null() {
            // SAFETY: a failed `realloc` leaves the string unchanged.
            unsafe { free(place) };
            *cap = 0;
            return Err(NoMemory);
        }
        (*place, *cap) = (string, grown);
    }
    Ok(())
}

/// Frees the string at `place` and sets it to NULL.
///
/// # Safety
/// The string is NULL, or comes from the configured allocator and is no longer used.
pub(crate) unsafe fn free(place: &mut *mut c_char) {
    let string = std::mem::replace(place, ptr::null_mut());
    // SAFETY: the caller's promise.
    unsafe { alloc::free(string.cast::<c_void>()) };
}

/// # Safety
/// `string` has room for `bytes` and a NUL, and does not overlap `bytes`.
#[inline(always)]
unsafe fn write(string: *mut c_char, bytes: &[u8]) {
    let to = string.cast::<u8>();
    // SAFETY: the caller's promise.
    unsafe {
        match (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
            // Names are short: copying two overlapping pieces is cheaper than a call.
            (Some(first), Some(last)) if bytes.len() <= 32 => {
                to.cast::<[u8; 16]>().write_unaligned(*first);
                to.add(bytes.len() - 16)
                    .cast::<[u8; 16]>()
                    .write_unaligned(*last);
            }
            _ => ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()),
        }
        *to.add(bytes.len()) = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::alloc::testing::{counted, failing_after};
    use super::*;

    fn text(string: *const c_char) -> Vec<u8> {
        // SAFETY: the tests pass strings that they have just made.
        unsafe { bytes(string) }.unwrap().to_vec()
    }

    #[test]
    fn null_has_no_bytes() {
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { bytes(ptr::null()) }, None);
        // SAFETY: a literal.
        assert_eq!(unsafe { bytes(c"".as_ptr()) }, Some(&b""[..]));
    }

    #[test]
    fn stored_strings_reuse_their_allocation() {
        let ((), left) = counted(|| {
            let (mut string, mut cap) = (ptr::null_mut(), 0);
            // SAFETY: the string is made and freed here alone.
            unsafe {
                store(&mut string, &mut cap, b"four").unwrap();
                assert_eq!((text(string), cap), (b"four".to_vec(), 5));
                store(&mut string, &mut cap, b"seven!").unwrap();
                assert_eq!((text(string), cap), (b"seven!".to_vec(), 11));
                let before = string;
                store(&mut string, &mut cap, b"").unwrap();
                store(&mut string, &mut cap, b"ten bytes!").unwrap();
                assert_eq!((text(string), cap), (b"ten bytes!".to_vec(), 11));
                assert_eq!(before, string);
                store(&mut string, &mut cap, &[b'x'; 100]).unwrap();
                assert_eq!((text(string), cap), ([b'x'; 100].to_vec(), 101));
                free(&mut string);
                assert!(string.is_null());
                free(&mut string);
            }
        });
        assert_eq!(left, 0);
    }

    #[test]
    fn string_taken_over_is_allocated_again() {
        let ((), left) = counted(|| {
            let (mut string, mut cap) = (ptr::null_mut(), 40);
            // SAFETY: as above.
            unsafe {
                store(&mut string, &mut cap, b"a").unwrap();
                assert_eq!((text(string), cap), (b"a".to_vec(), 2));
                free(&mut string);
            }
        });
        assert_eq!(left, 0);
    }

    #[test]
    fn failed_allocations_do_not_leak() {
        let ((), left) = failing_after(2, || {
            let (mut string, mut cap) = (ptr::null_mut(), 0);
            // SAFETY: as above.
            unsafe {
                store(&mut string, &mut cap, b"four").unwrap();
                let mut other = new(b"other").unwrap();
                assert_eq!(replace(&mut other, b"third"), Err(NoMemory));
                assert_eq!(text(other), b"other");
                free(&mut other);
                assert_eq!(store(&mut string, &mut cap, b"too long"), Err(NoMemory));
            }
            assert!(string.is_null() && cap == 0);
            assert_eq!(new(b""), Err(NoMemory));
        });
        assert_eq!(left, 0);
    }
}
