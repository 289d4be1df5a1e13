//! Shared by the unit tests of the C API: tables in memory, and sources that count calls.

use std::cell::Cell;
use std::ffi::{c_void, CStr, CString};
use std::ptr;

use libc::ssize_t;

use super::blocksource::{
    reftable_block_data, reftable_block_source, reftable_block_source_vtable,
};
use super::iterator::{reftable_iterator, reftable_iterator_next_log, reftable_iterator_next_ref};
use super::record::{
    reftable_log_record, reftable_log_record_release, reftable_ref_record,
    reftable_ref_record_release,
};
use super::table::{reftable_table, reftable_table_new};
use crate::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use crate::table::{WriteOptions, Writer};

/// Limits of update indexes of the tables made here.
pub(super) const LIMITS: (u64, u64) = (5, 9);

/// A table with these refs, and one log entry for each, all at update index 7. The number is
/// each byte of the id; without one the ref is a tombstone.
pub(super) fn table_of(names: &[(String, Option<u8>)], options: &WriteOptions) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, options).unwrap();
    writer.set_limits(LIMITS.0, LIMITS.1).unwrap();
    let hash_len = options.hash_id.len();
    for (name, id) in names {
        let id = id.map(|id| [id; 32]);
        writer
            .add_ref(&RefRecord {
                name: name.as_bytes(),
                update_index: 7,
                value: match &id {
                    Some(id) => RefValue::Val1(&id[..hash_len]),
                    None => RefValue::Deletion,
                },
            })
            .unwrap();
    }
    for (name, id) in names {
        let id = [id.unwrap_or(0); 32];
        writer
            .add_log(&LogRecord {
                name: name.as_bytes(),
                update_index: 7,
                value: LogValue::Update(LogUpdate {
                    old_hash: &id[..hash_len],
                    new_hash: &id[..hash_len],
                    name: b"A",
                    email: b"a@b",
                    time: 1,
                    tz_offset: Zone::from_stored(0),
                    message: name.as_bytes(),
                }),
            })
            .unwrap();
    }
    writer.finish().unwrap();
    bytes
}

/// `count` names in order, with their numbers modulo 256 as ids.
pub(super) fn names(count: usize) -> Vec<(String, Option<u8>)> {
    let name = |n: usize| (format!("refs/heads/{n:04}"), Some(n.to_le_bytes()[0]));
    (0..count).map(name).collect()
}

/// A source that returns copies of its bytes and counts the calls.
#[derive(Debug, Default)]
pub(super) struct CountedSource {
    bytes: Vec<u8>,
    /// The most bytes that one read returns.
    pub(super) most: Option<usize>,
    /// The read that fails, and its error number.
    pub(super) failure: Option<(usize, ssize_t)>,
    pub(super) reads: Cell<usize>,
    /// The number of reads not yet released.
    pub(super) lent: Cell<usize>,
    pub(super) closed: Cell<usize>,
}

static COUNTED: reftable_block_source_vtable = reftable_block_source_vtable {
    size: Some(size),
    read_data: Some(read_data),
    release_data: Some(release_data),
    close: Some(close),
};

unsafe extern "C" fn size(arg: *mut c_void) -> u64 {
    // SAFETY: the argument is a source of the tests, here and below.
    unsafe { &*arg.cast::<CountedSource>() }.bytes.len() as u64
}

unsafe extern "C" fn read_data(
    arg: *mut c_void,
    dest: *mut reftable_block_data,
    off: u64,
    size: u32,
) -> ssize_t {
    // SAFETY: as above; `dest` may be written.
    let (source, dest) = unsafe { (&*arg.cast::<CountedSource>(), &mut *dest) };
    assert_eq!(source.closed.get(), 0, "read after close");
    let number = source.reads.replace(source.reads.get() + 1);
    if let Some((_, error)) = source.failure.filter(|&(at, _)| at == number) {
        return error;
    }
    let off = usize::try_from(off).unwrap();
    let size = usize::try_from(size).unwrap();
    assert!(off + size <= source.bytes.len(), "read beyond the end");
    let size = size.min(source.most.unwrap_or(size));
    let copy: Box<[u8]> = source.bytes[off..off + size].into();
    source.lent.set(source.lent.get() + 1);
    dest.len = size;
    dest.data = Box::into_raw(copy).cast();
    ssize_t::try_from(size).unwrap()
}

unsafe extern "C" fn release_data(arg: *mut c_void, data: *mut reftable_block_data) {
    // SAFETY: as above; the data comes from `read_data`.
    unsafe {
        let source = &*arg.cast::<CountedSource>();
        assert_eq!(source.closed.get(), 0, "release after close");
        source.lent.set(source.lent.get() - 1);
        let mut bytes = Box::from_raw(ptr::slice_from_raw_parts_mut((*data).data, (*data).len));
        bytes.fill(0xff);
    }
}

unsafe extern "C" fn close(arg: *mut c_void) {
    // SAFETY: as above.
    let source = unsafe { &*arg.cast::<CountedSource>() };
    source.closed.set(source.closed.get() + 1);
}

impl CountedSource {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            ..Self::default()
        }
    }

    /// This source as C passes it.
    pub(super) fn source(&self) -> reftable_block_source {
        reftable_block_source {
            ops: ptr::from_ref(&COUNTED).cast_mut(),
            arg: ptr::from_ref(self).cast_mut().cast(),
        }
    }

    /// Opens it as a table.
    pub(super) fn open(&self) -> *mut reftable_table {
        let (mut source, mut table) = (self.source(), ptr::null_mut());
        // SAFETY: the pointers are good, and the source outlives the table.
        let code = unsafe { reftable_table_new(&mut table, &mut source, c"name".as_ptr()) };
        assert_eq!(code, 0);
        table
    }

    /// Asserts that all reads were released and the source was closed once.
    pub(super) fn assert_closed(&self) {
        assert_eq!((self.lent.get(), self.closed.get()), (0, 1));
    }
}

/// An uninitialised iterator.
pub(super) const NO_ITERATOR: reftable_iterator = reftable_iterator {
    ops: ptr::null_mut(),
    iter_arg: ptr::null_mut(),
};

/// The refs that an iterator returns: name, update index, first byte of the id.
pub(super) fn all_refs(it: *mut reftable_iterator) -> Result<Vec<(String, u64, u8)>, i32> {
    let mut record = reftable_ref_record::EMPTY;
    let mut all = Vec::new();
    // SAFETY: the tests pass an iterator, and the record is only used here.
    unsafe {
        let end = loop {
            match reftable_iterator_next_ref(it, &mut record) {
                0 => all.push((
                    text(record.refname),
                    record.update_index,
                    record.value.val1[0],
                )),
                end => break end,
            }
        };
        reftable_ref_record_release(&mut record);
        if end == 1 {
            Ok(all)
        } else {
            Err(end)
        }
    }
}

/// The logs that an iterator returns: name, update index, message.
pub(super) fn all_logs(it: *mut reftable_iterator) -> Result<Vec<(String, u64, String)>, i32> {
    let mut record = reftable_log_record::EMPTY;
    let mut all = Vec::new();
    // SAFETY: as above.
    unsafe {
        let end = loop {
            match reftable_iterator_next_log(it, &mut record) {
                0 => all.push((
                    text(record.refname),
                    record.update_index,
                    match record.value_type {
                        0 => String::from("deleted"),
                        _ => text(record.value.update.message),
                    },
                )),
                end => break end,
            }
        };
        reftable_log_record_release(&mut record);
        if end == 1 {
            Ok(all)
        } else {
            Err(end)
        }
    }
}

pub(super) fn text(string: *const std::ffi::c_char) -> String {
    // SAFETY: the tests pass strings.
    let string = unsafe { CStr::from_ptr(string) };
    string.to_string_lossy().into_owned()
}

pub(super) fn c_string(text: &str) -> CString {
    CString::new(text).unwrap()
}
