use super::*;
use crate::capi::shape::testing::*;
use crate::ffi::alloc::testing::{counted, failing_after};
use crate::format::{Error, HashId};
use crate::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use crate::table::{WriteOptions, Writer};
use std::ffi::{c_void, CString};

use libc::ssize_t;

/// What the functions below do with a table.
struct Sink {
    bytes: Vec<u8>,
    writes: Vec<usize>,
    flushes: usize,
    /// Returned instead of success, by the write of this number and by flushes.
    write_error: Option<(usize, ssize_t)>,
    flush_error: c_int,
    /// Called back during a write.
    writer: *mut reftable_writer,
}

// Rust 1.85 has no default for pointers.
impl Default for Sink {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            writes: Vec::new(),
            flushes: 0,
            write_error: None,
            flush_error: 0,
            writer: ptr::null_mut(),
        }
    }
}

unsafe extern "C" fn write(arg: *mut c_void, data: *const c_void, len: usize) -> ssize_t {
    // SAFETY: the tests pass a `Sink` and readable bytes.
    unsafe {
        let sink = arg.cast::<Sink>();
        if !(*sink).writer.is_null() {
            // The writer is in use, so the call must have no effect.
            assert_eq!(reftable_writer_set_limits((*sink).writer, 1, 1), -6);
            assert_eq!(reftable_writer_close((*sink).writer), -6);
            assert!(!reftable_writer_stats((*sink).writer).is_null());
        }
        let sink = &mut *sink;
        let number = sink.writes.len();
        sink.writes.push(len);
        if let Some((at, error)) = sink.write_error {
            if at == number {
                return error;
            }
        }
        let bytes = std::slice::from_raw_parts(data.cast::<u8>(), len);
        sink.bytes.extend_from_slice(bytes);
        ssize_t::try_from(len).unwrap()
    }
}

unsafe extern "C" fn flush(arg: *mut c_void) -> c_int {
    // SAFETY: the tests pass a `Sink`.
    let sink = unsafe { &mut *arg.cast::<Sink>() };
    sink.flushes += 1;
    sink.flush_error
}

fn writer(sink: *mut Sink, options: &Options) -> *mut reftable_writer {
    let mut w = ptr::null_mut();
    // SAFETY: the functions take a `Sink`, which outlives the writer.
    let made = unsafe { new_writer(&mut w, Some(write), Some(flush), sink.cast(), options) };
    assert_eq!(made, 0);
    w
}

fn options(block_size: u32) -> Options {
    let mut options = Options::EMPTY;
    options.write.block_size = block_size;
    options
}

/// Strings and records, as a C program would own them.
struct Records {
    names: Vec<CString>,
}

impl Records {
    fn new(count: usize) -> Self {
        let name = |n| CString::new(format!("refs/heads/branch-{n:03}")).unwrap();
        Self {
            names: (0..count).map(name).collect(),
        }
    }

    /// Refs in descending order of their names.
    fn refs(&self) -> Vec<reftable_ref_record> {
        let each = self.names.iter().enumerate().rev();
        each.map(|(n, name)| {
            let mut record = reftable_ref_record::EMPTY;
            record.refname = name.as_ptr().cast_mut();
            record.update_index = 3;
            record.value_type = 1;
            record.value.val1 = [n.to_le_bytes()[0]; 32];
            record
        })
        .collect()
    }

    /// Logs in descending order of their keys.
    fn logs(&self) -> Vec<reftable_log_record> {
        let each = self.names.iter().rev();
        each.map(|name| {
            let mut record = reftable_log_record::EMPTY;
            record.refname = name.as_ptr().cast_mut();
            record.update_index = 3;
            record.value_type = 1;
            record.value.update.message = c"done".as_ptr().cast_mut();
            record
        })
        .collect()
    }
}

/// The same table, written by the layer below.
fn expected(records: &Records, options: &Options) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &options.write.for_tables(HashId::Sha1)).unwrap();
    writer.set_limits(1, 5).unwrap();
    for (n, name) in records.names.iter().enumerate() {
        let id = [n.to_le_bytes()[0]; 20];
        let record = RefRecord {
            name: name.to_bytes(),
            update_index: 3,
            value: RefValue::Val1(&id),
        };
        writer.add_ref(&record).unwrap();
    }
    for name in &records.names {
        let record = LogRecord {
            name: name.to_bytes(),
            update_index: 3,
            value: LogValue::Update(LogUpdate {
                old_hash: &[0; 20],
                new_hash: &[0; 20],
                name: b"",
                email: b"",
                time: 0,
                tz_offset: Zone::from_stored(0),
                message: b"done",
            }),
        };
        writer.add_log(&record).unwrap();
    }
    writer.finish().unwrap();
    bytes
}

#[test]
fn arrays_are_sorted_and_written() {
    let records = Records::new(300);
    for unpadded in [0, 1] {
        let mut options = options(512);
        options.write.unpadded = unpadded;
        let mut sink = Sink::default();
        let ((), left) = counted(|| {
            let w = writer(&mut sink, &options);
            let (mut refs, mut logs) = (records.refs(), records.logs());
            // SAFETY: the pointers are good; the writer is freed at the end.
            unsafe {
                let stats = reftable_writer_stats(w);
                assert_eq!(reftable_writer_set_limits(w, 1, 5), 0);
                assert_eq!(
                    reftable_writer_add_refs(w, refs.as_mut_ptr(), refs.len()),
                    0
                );
                assert!((*stats).ref_stats.blocks > 3 && (*stats).log_stats.blocks == 0);
                assert_eq!(
                    reftable_writer_add_logs(w, logs.as_mut_ptr(), logs.len()),
                    0
                );
                assert_eq!(reftable_writer_close(w), 0);
                assert_eq!((*stats).ref_stats.entries, 300);
                assert_eq!((*stats).log_stats.entries, 300);
                assert!((*stats).ref_stats.index_offset > 0 && (*stats).object_id_len == 2);
                assert_eq!(reftable_writer_close(w), -6);
                assert_eq!(reftable_writer_add_ref(w, refs.as_mut_ptr()), -6);
                reftable_writer_free(w);
            }
            let names = |n: usize| refs[n].refname.cast_const();
            assert!((0..300).all(|n| names(n) == records.names[n].as_ptr()));
        });
        assert_eq!(left, 0);
        assert_eq!(sink.bytes, expected(&records, &options));
        assert_eq!(sink.flushes, 1);
    }
}

#[test]
fn an_empty_table_is_flushed_and_an_error() {
    let mut sink = Sink::default();
    let w = writer(&mut sink, &options(0));
    // SAFETY: the pointers are good; the writer is freed at the end.
    unsafe {
        assert_eq!(
            reftable_writer_set_limits(w, 9, 1),
            0,
            "limits in any order"
        );
        assert_eq!(reftable_writer_close(w), -8);
        reftable_writer_free(w);
    }
    assert_eq!((sink.bytes.len(), sink.flushes), (24 + 68, 1));
    sink.flush_error = -1;
    let w = writer(&mut sink, &options(0));
    // SAFETY: as above.
    unsafe {
        assert_eq!(reftable_writer_close(w), -2);
        reftable_writer_free(w);
    }
}

#[test]
fn errors_of_the_callers_functions_are_returned() {
    let records = Records::new(300);
    let mut all = Sink::default();
    let mut seen = Vec::new();
    for at in 0.. {
        let mut sink = Sink {
            write_error: Some((at, -77)),
            ..Sink::default()
        };
        let w = writer(&mut sink, &options(512));
        let mut refs = records.refs();
        // SAFETY: as above.
        unsafe {
            sink.writer = w;
            assert_eq!(reftable_writer_set_limits(w, 1, 5), 0);
            let added = reftable_writer_add_refs(w, refs.as_mut_ptr(), refs.len());
            let closed = if added == 0 {
                reftable_writer_close(w)
            } else {
                added
            };
            reftable_writer_free(w);
            if closed == 0 {
                all = sink;
                break;
            }
            assert_eq!(closed, -77);
            seen.push(added);
        }
    }
    assert!(seen.contains(&0) && seen.contains(&-77), "{seen:?}");
    assert_eq!(all.writes.len(), seen.len());
    let mut sink = Sink {
        flush_error: -5,
        ..Sink::default()
    };
    let w = writer(&mut sink, &options(0));
    let mut refs = Records::new(1).refs();
    let name = c"a";
    refs[0].refname = name.as_ptr().cast_mut();
    refs[0].update_index = 0;
    // SAFETY: as above.
    unsafe {
        assert_eq!(reftable_writer_add_ref(w, refs.as_mut_ptr()), 0);
        assert_eq!(reftable_writer_close(w), -2);
        reftable_writer_free(w);
    }
}

#[test]
fn refused_records_change_nothing() {
    let mut sink = Sink::default();
    let w = writer(&mut sink, &options(0));
    let named = |name: &'static std::ffi::CStr, update_index| {
        let mut record = reftable_ref_record::EMPTY;
        record.refname = name.as_ptr().cast_mut();
        record.update_index = update_index;
        record
    };
    let mut log = reftable_log_record::EMPTY;
    log.refname = c"a".as_ptr().cast_mut();
    log.value_type = 1;
    log.update_index = 3;
    // SAFETY: as above.
    unsafe {
        assert_eq!(reftable_writer_set_limits(w, 1, 2), 0);
        let mut symref = named(c"s", 1);
        symref.value_type = 3;
        let mut unknown = named(c"u", 1);
        unknown.value_type = 9;
        let no_name = reftable_ref_record::EMPTY;
        for mut bad in [
            named(c"", 1),
            named(c"a", 0),
            named(c"a", 3),
            symref,
            unknown,
            no_name,
        ] {
            assert_eq!(reftable_writer_add_ref(w, &mut bad), -6);
        }
        assert_eq!(
            reftable_writer_set_limits(w, 1, 2),
            0,
            "nothing was written yet"
        );
        assert_eq!(reftable_writer_add_ref(w, &mut named(c"b", 1)), 0);
        assert_eq!(reftable_writer_set_limits(w, 1, 2), -6);
        assert_eq!(reftable_writer_add_ref(w, &mut named(c"a", 1)), -6);
        assert_eq!(reftable_writer_add_log(w, &mut log), -6, "above the limit");
        log.update_index = 0;
        log.value.update.message = c"two\nlines".as_ptr().cast_mut();
        assert_eq!(reftable_writer_add_log(w, &mut log), -6);
        log.value.update.message = ptr::null_mut();
        assert_eq!(reftable_writer_add_log(w, &mut log), 0);
        assert_eq!(
            reftable_writer_add_ref(w, &mut named(c"c", 1)),
            -6,
            "a ref after logs"
        );
        log.refname = ptr::null_mut();
        assert_eq!(reftable_writer_add_log(w, &mut log), -6);
        assert_eq!(reftable_writer_add_logs(w, &mut log, 1), -6);
        assert_eq!(reftable_writer_add_refs(w, ptr::null_mut(), 1), -6);
        assert_eq!(reftable_writer_add_refs(w, ptr::null_mut(), 0), 0);
        assert_eq!(reftable_writer_close(w), 0);
        reftable_writer_free(w);
    }
}

#[test]
fn null_and_unknown_options_are_refused() {
    let mut sink = Sink::default();
    let arg: *mut c_void = ptr::from_mut(&mut sink).cast();
    let mut w = ptr::null_mut();
    let defaults = options(0);
    // SAFETY: the pointers are good or NULL.
    unsafe {
        let new = |w, write, flush, options| new_writer(w, write, flush, arg, options);
        let (write, flush) = (Some(write as _), Some(flush as _));
        assert_eq!(new(&mut w, None, flush, &defaults), -6);
        assert_eq!(new(&mut w, write, None, &defaults), -6);
        let ((), left) = counted(|| assert_eq!(new(ptr::null_mut(), write, flush, &defaults), -6));
        assert_eq!(left, 0);
        let too_large = options(1 << 24);
        assert_eq!(new(&mut w, write, flush, &too_large), -6);
        let mut unknown = options(0);
        unknown.hash_id = 5;
        assert_eq!(new(&mut w, write, flush, &unknown), -6);
        assert!(w.is_null());
        let (code, left) = failing_after(0, || new(&mut w, write, flush, &defaults));
        assert_eq!((code, left), (-13, 0));
        assert_eq!(new(&mut w, write, flush, &defaults), 0);
        reftable_writer_free(w);
        let none = ptr::null_mut();
        assert_eq!(reftable_writer_set_limits(none, 1, 1), -6);
        assert_eq!(reftable_writer_close(none), -6);
        assert!(reftable_writer_stats(none).is_null());
        reftable_writer_free(none);
    }
}

#[test]
fn a_lent_writer_cannot_be_closed_or_freed() {
    let mut bytes = Vec::new();
    let mut core = Writer::new(&mut bytes, &WriteOptions::default()).unwrap();
    let (result, left) = counted(|| {
        lend(&mut core, HashId::Sha1, |w| {
            let mut refs = Records::new(1).refs();
            refs[0].refname = c"a".as_ptr().cast_mut();
            // SAFETY: the writer is valid in here.
            unsafe {
                assert_eq!(reftable_writer_close(w), -6);
                reftable_writer_free(w);
                assert_eq!(reftable_writer_set_limits(w, 3, 3), 0);
                assert_eq!(reftable_writer_add_refs(w, refs.as_mut_ptr(), 1), 0);
                assert_eq!(reftable_writer_set_limits(w, 3, 3), -6);
            }
            Ok(7)
        })
    });
    assert_eq!((result, left), (Ok(7), 0));
    let (result, _) = failing_after(0, || lend(&mut core, HashId::Sha1, |_| Ok(())));
    assert_eq!(result, Err(Code::NO_MEMORY));
    assert!(!matches!(core.finish(), Err(Error::EmptyTable)));
}
