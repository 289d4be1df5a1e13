//! Sources that read a file.

use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void, OsStr};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use libc::ssize_t;

use super::{reftable_block_data, reftable_block_source, reftable_block_source_vtable};
use crate::ffi::code::{CResult, Code};
use crate::ffi::{object, string};
use crate::sys::{StdStorage, Storage, TableData};
use crate::table::Table;

/// The functions of all file sources. Never written to, although C points to it without
/// `const`.
static FILE: reftable_block_source_vtable = reftable_block_source_vtable {
    size: Some(size),
    read_data: Some(read_data),
    release_data: Some(release_data),
    close: Some(close),
};

/// The owner of the file's bytes.
#[derive(Debug)]
enum FileContent {
    /// The source itself.
    Own(TableData),
    /// The table that was opened with it.
    Table(Arc<Table>),
    /// None any more.
    Gone,
}

/// The argument of the functions.
type File = RefCell<FileContent>;

/// Opens a file; see `reftable_block_source_from_file()`.
///
/// # Safety
/// The pointers are NULL or valid as the C API requires.
pub(super) unsafe fn open(source: *mut reftable_block_source, name: *const c_char) -> CResult {
    // SAFETY: the caller's promise.
    let (name, old) = unsafe { (string::bytes(name), object::borrow(source)?) };
    let name = name.ok_or(Code::MISUSE)?;
    if !old.ops.is_null() {
        return Err(Code::MISUSE);
    }
    let path = Path::new(OsStr::from_bytes(name));
    let data = StdStorage
        .open_table(path)
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => Code::NOT_EXIST,
            ErrorKind::OutOfMemory => Code::NO_MEMORY,
            // It was opened, but is not a regular file, is too large, or was truncated.
            ErrorKind::InvalidInput | ErrorKind::FileTooLarge | ErrorKind::UnexpectedEof => {
                Code::IO
            }
            _ => Code(GENERAL),
        })?;
    let file = object::new(File::new(FileContent::Own(data)))?;
    // SAFETY: the caller's promise; it is not NULL.
    unsafe {
        object::put(
            source,
            reftable_block_source {
                ops: std::ptr::from_ref(&FILE).cast_mut(),
                arg: file.cast(),
            },
        )
    }
}

/// The result of git's library if a file cannot be opened.
const GENERAL: c_int = -1;

/// The argument of `source`, if it is a file source.
///
/// # Safety
/// The source is open for `'a`.
unsafe fn file_of<'a>(source: &reftable_block_source) -> Option<&'a File> {
    if !std::ptr::eq(source.ops, &FILE) {
        return None;
    }
    // SAFETY: sources with these functions are made by `open`, and this one is open.
    unsafe { source.arg.cast::<File>().as_ref() }
}

/// Moves the bytes out of a file source, for a table to keep.
///
/// # Safety
/// The source is valid as the C API requires, and open.
pub(in super::super) unsafe fn take_data(source: &reftable_block_source) -> Option<TableData> {
    // SAFETY: the caller's promise.
    let mut content = unsafe { file_of(source) }?.try_borrow_mut().ok()?;
    match std::mem::replace(&mut *content, FileContent::Gone) {
        FileContent::Own(data) => Some(data),
        other => {
            *content = other;
            None
        }
    }
}

/// Makes a file source read the bytes from the table that has taken them over.
///
/// # Safety
/// The source is valid as the C API requires, and open.
pub(in super::super) unsafe fn keep_table(source: &reftable_block_source, table: &Arc<Table>) {
    // SAFETY: the caller's promise.
    if let Some(Ok(mut content)) = unsafe { file_of(source) }.map(RefCell::try_borrow_mut) {
        *content = FileContent::Table(Arc::clone(table));
    }
}

/// Calls `f` with the bytes of the file.
///
/// # Safety
/// `source` was made by `open` and is not closed.
unsafe fn with_bytes<R>(source: *mut c_void, f: impl FnOnce(&[u8]) -> R) -> Option<R> {
    // SAFETY: the caller's promise.
    let content = unsafe { source.cast::<File>().as_ref() }?
        .try_borrow()
        .ok()?;
    Some(f(match &*content {
        FileContent::Own(data) => data,
        FileContent::Table(table) => table.bytes(),
        FileContent::Gone => &[],
    }))
}

unsafe extern "C" fn size(source: *mut c_void) -> u64 {
    // SAFETY: the functions are called with the argument that `open` made.
    unsafe { with_bytes(source, |bytes| bytes.len() as u64) }.unwrap_or(0)
}

unsafe extern "C" fn read_data(
    source: *mut c_void,
    dest: *mut reftable_block_data,
    off: u64,
    size: u32,
) -> ssize_t {
    let find = |bytes: &[u8]| {
        let off = usize::try_from(off).ok()?;
        let end = off.checked_add(usize::try_from(size).ok()?)?;
        let part = bytes.get(off..end)?;
        Some((part.as_ptr().cast_mut(), part.len()))
    };
    // SAFETY: as above.
    let found = unsafe { with_bytes(source, find) }.flatten();
    // SAFETY: the caller passes NULL or memory that may be written. The bytes stay where they
    // are until the source is closed: a table that takes them over does not move them.
    match (found, unsafe { dest.as_mut() }) {
        (Some((data, len)), Some(dest)) => {
            (dest.data, dest.len) = (data, len);
            ssize_t::try_from(len).unwrap_or(ssize_t::MAX)
        }
        _ => ssize_t::try_from(Code::MISUSE.0).unwrap_or(-1),
    }
}

/// The bytes stay until the source is closed.
unsafe extern "C" fn release_data(_source: *mut c_void, _data: *mut reftable_block_data) {}

unsafe extern "C" fn close(source: *mut c_void) {
    // SAFETY: made by `open`, and no longer used.
    unsafe { object::destroy(source.cast::<File>()) };
}

#[cfg(test)]
mod tests {
    use super::super::reftable_block_source_from_file as from_file;
    use super::*;
    use crate::ffi::alloc::testing::{counted, failing_after};
    use std::ffi::CString;

    fn file(len: usize) -> (tempfile::NamedTempFile, CString) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes: Vec<u8> = (0..len).map(|n| n.to_le_bytes()[0]).collect();
        std::fs::write(file.path(), bytes).unwrap();
        let name = CString::new(file.path().as_os_str().as_bytes()).unwrap();
        (file, name)
    }

    #[test]
    fn parts_of_a_file_can_be_read() {
        for len in [0, 5, 100_000] {
            let (_file, name) = file(len);
            let ((), left) = counted(|| {
                let mut source = reftable_block_source::NONE;
                // SAFETY: the pointers are good; the source is closed at the end.
                unsafe {
                    assert_eq!(from_file(&mut source, name.as_ptr()), 0);
                    assert_eq!(source.size(), Ok(len as u64));
                    let whole = u32::try_from(len).unwrap();
                    assert_eq!(source.read(0, whole).unwrap().bytes().len(), len);
                    assert!(source.read(0, whole + 1).is_err());
                    assert!(source.read(u64::MAX, 2).is_err());
                    if len > 4 {
                        let mut part = source.read(2, 3).unwrap();
                        assert_eq!(part.bytes(), [2, 3, 4]);
                        part.release();
                    }
                    assert_eq!(from_file(&mut source, name.as_ptr()), Code::MISUSE.0);
                    source.close();
                    assert!(source.ops.is_null());
                }
            });
            assert_eq!(left, 0);
        }
    }

    #[test]
    fn each_failure_to_open_has_its_own_error() {
        let directory = tempfile::tempdir().unwrap();
        let (file, name) = file(5);
        let path = |path: &Path| CString::new(path.as_os_str().as_bytes()).unwrap();
        let mut source = reftable_block_source::NONE;
        // SAFETY: the pointers are good or NULL.
        unsafe {
            let missing = path(&directory.path().join("missing"));
            assert_eq!(from_file(&mut source, missing.as_ptr()), -4);
            assert_eq!(from_file(&mut source, path(directory.path()).as_ptr()), -2);
            let below = path(&file.path().join("below"));
            assert_eq!(from_file(&mut source, below.as_ptr()), -1);
            assert_eq!(from_file(&mut source, std::ptr::null()), -6);
            assert_eq!(from_file(std::ptr::null_mut(), name.as_ptr()), -6);
            let (code, left) = failing_after(0, || from_file(&mut source, name.as_ptr()));
            assert_eq!((code, left), (-13, 0));
        }
        assert!(source.ops.is_null());
    }
}
