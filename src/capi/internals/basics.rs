//! `basics.h`, `block.h`: memory, buffers, lists of names, sizes.

use std::ffi::{c_char, c_int, c_void, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::{fs, io, ptr};

use crate::capi::basics::{hash_number, reftable_buf};
use crate::capi::writer::hash_of;
use crate::ffi::code::{number, CResult, Code};
use crate::ffi::{alloc, string};
use crate::format::layout;

#[no_mangle]
pub(super) unsafe extern "C" fn reftable_realloc(memory: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe {
        if size == 0 {
            alloc::free(memory);
            return ptr::null_mut();
        }
        alloc::realloc(memory, size)
    }
}

#[no_mangle]
pub(super) unsafe extern "C" fn reftable_free(memory: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { alloc::free(memory) };
}

#[no_mangle]
pub(super) extern "C" fn reftable_calloc(count: usize, size: usize) -> *mut c_void {
    let Some(bytes) = count.checked_mul(size) else {
        return ptr::null_mut();
    };
    let memory = alloc::malloc(bytes);
    if !memory.is_null() {
        // SAFETY: the memory has that many bytes.
        unsafe { memory.cast::<u8>().write_bytes(0, bytes) };
    }
    memory
}

#[no_mangle]
pub(super) unsafe extern "C" fn reftable_buf_release(buf: *mut reftable_buf) {
    // SAFETY: the caller's promise.
    unsafe {
        string::free(&mut (*buf).buf);
        ((*buf).alloc, (*buf).len) = (0, 0);
    }
}

#[no_mangle]
pub(super) unsafe extern "C" fn reftable_buf_reset(buf: *mut reftable_buf) {
    // SAFETY: the caller's promise.
    unsafe {
        if (*buf).alloc > 0 {
            (*buf).len = 0;
            *(*buf).buf = 0;
        }
    }
}

#[no_mangle]
pub(super) unsafe extern "C" fn reftable_buf_add(
    buf: *mut reftable_buf,
    data: *const c_void,
    len: usize,
) -> c_int {
    // SAFETY: the caller's promise. The added bytes may be part of the buffer: both are copied.
    unsafe {
        let buf = &mut *buf;
        let mut all = Vec::with_capacity(buf.len + len);
        for (start, len) in [
            (buf.buf.cast_const().cast::<u8>(), buf.len),
            (data.cast(), len),
        ] {
            if len > 0 {
                all.extend_from_slice(std::slice::from_raw_parts(start, len));
            }
        }
        match string::store(&mut buf.buf, &mut buf.alloc, &all) {
            Ok(()) => buf.len = all.len(),
            Err(error) => return number(Err(error.into())),
        }
    }
    0
}

#[no_mangle]
pub(super) unsafe extern "C" fn reftable_buf_addstr(
    buf: *mut reftable_buf,
    text: *const c_char,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let text = string::bytes(text).unwrap_or_default();
        reftable_buf_add(buf, text.as_ptr().cast(), text.len())
    }
}

#[no_mangle]
unsafe extern "C" fn free_names(names: *mut *mut c_char) {
    if names.is_null() {
        return;
    }
    // SAFETY: the caller's promise: the array ends in NULL, and all memory is the allocator's.
    unsafe {
        let mut at = names;
        while !(*at).is_null() {
            alloc::free((*at).cast());
            at = at.add(1);
        }
        alloc::free(names.cast());
    }
}

#[no_mangle]
unsafe extern "C" fn read_lines(filename: *const c_char, names: *mut *mut *mut c_char) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        let filename = string::bytes(filename).unwrap_or_default();
        lines_of(Path::new(OsStr::from_bytes(filename)))
            .and_then(|lines| new_names(&lines))
            .map(|array| *names = array)
    })
}

/// The non-empty lines of a file, each of which must end in a newline.
fn lines_of(path: &Path) -> CResult<Vec<Vec<u8>>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(_) => return Err(Code::IO),
    };
    bytes
        .split_inclusive(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\n").ok_or(Code::FORMAT))
        .filter(|line| !matches!(line, Ok([])))
        .map(|line| line.map(<[u8]>::to_vec))
        .collect()
}

/// An array of strings that ends in NULL.
fn new_names(lines: &[Vec<u8>]) -> CResult<*mut *mut c_char> {
    let array = reftable_calloc(lines.len() + 1, size_of::<*mut c_char>()).cast::<*mut c_char>();
    if array.is_null() {
        return Err(Code::NO_MEMORY);
    }
    for (n, line) in lines.iter().enumerate() {
        // SAFETY: the array has room for all lines, and its other elements are NULL.
        unsafe {
            match string::new(line) {
                Ok(name) => *array.add(n) = name,
                Err(error) => {
                    free_names(array);
                    return Err(error.into());
                }
            }
        }
    }
    Ok(array)
}

#[no_mangle]
extern "C" fn hash_size(id: hash_number) -> u32 {
    let len = hash_of(id).map_or(0, crate::format::HashId::len);
    u32::try_from(len).unwrap_or(0)
}

#[no_mangle]
extern "C" fn header_size(version: c_int) -> usize {
    u8::try_from(version)
        .ok()
        .and_then(layout::header_len)
        .unwrap_or(0)
}

#[no_mangle]
extern "C" fn footer_size(version: c_int) -> usize {
    match header_size(version) {
        0 => 0,
        header => layout::footer_len(header),
    }
}
