//! `blocksource.h`: a source that reads a buffer, and calls to sources.

use std::ffi::c_void;
use std::ptr;

use libc::ssize_t;

use super::basics::{reftable_calloc, reftable_free};
use crate::capi::basics::reftable_buf;
use crate::capi::blocksource::{
    reftable_block_data, reftable_block_source, reftable_block_source_vtable,
};

static BUFFER: reftable_block_source_vtable = reftable_block_source_vtable {
    size: Some(size),
    read_data: Some(read_data),
    release_data: Some(release_data),
    close: Some(close),
};

unsafe extern "C" fn size(buf: *mut c_void) -> u64 {
    // SAFETY: sources of this kind have a buffer as their argument, here and below.
    unsafe { (*buf.cast::<reftable_buf>()).len as u64 }
}

unsafe extern "C" fn read_data(
    buf: *mut c_void,
    dest: *mut reftable_block_data,
    off: u64,
    size: u32,
) -> ssize_t {
    // SAFETY: as above; the copied part is inside the buffer.
    unsafe {
        let buf = &*buf.cast::<reftable_buf>();
        let (off, size) = (off as usize, size as usize);
        if off.checked_add(size).is_none_or(|end| end > buf.len) {
            return -1;
        }
        let copy = reftable_calloc(size, 1).cast::<u8>();
        if copy.is_null() {
            return -1;
        }
        ptr::copy_nonoverlapping(buf.buf.cast::<u8>().add(off), copy, size);
        ((*dest).data, (*dest).len) = (copy, size);
        size as ssize_t
    }
}

unsafe extern "C" fn release_data(_buf: *mut c_void, data: *mut reftable_block_data) {
    // SAFETY: the data comes from `read_data`. It is overwritten first, to expose
    // code that still uses it.
    unsafe {
        if !(*data).data.is_null() {
            (*data).data.write_bytes(0xff, (*data).len);
        }
        reftable_free((*data).data.cast());
    }
}

/// Does nothing: the caller owns the buffer.
unsafe extern "C" fn close(_buf: *mut c_void) {}

#[no_mangle]
unsafe extern "C" fn block_source_from_buf(
    source: *mut reftable_block_source,
    buf: *mut reftable_buf,
) {
    // SAFETY: the caller's promise.
    unsafe {
        *source = reftable_block_source {
            ops: ptr::from_ref(&BUFFER).cast_mut(),
            arg: buf.cast(),
        };
    }
}

#[no_mangle]
unsafe extern "C" fn block_source_size(source: *mut reftable_block_source) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { (*source).size() }.unwrap_or(0)
}

#[no_mangle]
unsafe extern "C" fn block_source_read_data(
    source: *mut reftable_block_source,
    dest: *mut reftable_block_data,
    off: u64,
    size: u32,
) -> ssize_t {
    // SAFETY: the caller's promise.
    match unsafe { (*source).read(off, size) } {
        Ok(data) => {
            let len = data.len as ssize_t;
            // SAFETY: the caller's promise.
            unsafe { *dest = data };
            len
        }
        Err(code) => code.0 as ssize_t,
    }
}

#[no_mangle]
unsafe extern "C" fn block_source_release_data(data: *mut reftable_block_data) {
    // SAFETY: the caller's promise.
    unsafe { (*data).release() };
}

#[no_mangle]
unsafe extern "C" fn block_source_close(source: *mut reftable_block_source) {
    // SAFETY: the caller's promise.
    unsafe { (*source).close() };
}
