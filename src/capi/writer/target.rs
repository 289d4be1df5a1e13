//! The target of a C writer: a table written by the caller's functions, or a table of an
//! addition.

use std::cell::{Cell, UnsafeCell};
use std::ffi::{c_int, c_void};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::rc::Rc;

use super::caller_sink::{CallerSink, FlushFn, WriteFn};
use super::{
    hash_of, number, reftable_stats, reftable_write_options, reftable_writer, CResult, Code,
};
use crate::capi::basics::hash_number;
use crate::ffi::alloc::NoMemory;
use crate::ffi::object::{self, Exclusive, Guarded};
use crate::format::{Error, HashId, Result};
use crate::table::{Sink, Stats, WriteOptions, Writer};

impl Guarded for reftable_writer {
    type Content = Target;

    fn exclusive(&self) -> &Exclusive<Target> {
        &self.target
    }
}

impl reftable_writer {
    /// The statistics, which C may read until the writer is freed.
    pub(super) fn stats(&self) -> *const reftable_stats {
        self.stats.get()
    }

    pub(super) fn is_lent(&self) -> bool {
        self.is_lent
    }
}

/// A table that is being written.
#[derive(Debug)]
pub struct Target {
    kind: WriterKind,
    hash: HashId,
}

#[derive(Debug)]
enum WriterKind {
    Own(Box<OwnWriter>),
    /// Valid while the addition's `write_table` runs.
    Lent(NonNull<Writer<'static>>),
}

/// A writer and the sink that it borrows.
#[derive(Debug)]
struct OwnWriter {
    writer: ManuallyDrop<Writer<'static>>,
    /// Borrowed by the writer until that is dropped.
    sink: NonNull<CallerSink>,
    failure: Rc<Cell<Option<Code>>>,
    /// A copy of the sink, for the flush that the writer omits for empty tables.
    after: CallerSink,
}

impl OwnWriter {
    fn new(sink: CallerSink, options: &WriteOptions) -> CResult<Self> {
        let (failure, after) = (Rc::clone(&sink.failure), sink.clone());
        let sink = NonNull::from(Box::leak(Box::new(sink)));
        // SAFETY: the sink lives until `drop` below, and only the writer uses it.
        let writer = Writer::new(unsafe { &mut *sink.as_ptr() }, options);
        match writer.map(Writer::lenient) {
            Ok(writer) => Ok(Self {
                writer: ManuallyDrop::new(writer),
                sink,
                failure,
                after,
            }),
            Err(error) => {
                // SAFETY: it comes from a box, and there is no writer that borrows it.
                drop(unsafe { Box::from_raw(sink.as_ptr()) });
                Err(error.into())
            }
        }
    }
}

impl Drop for OwnWriter {
    fn drop(&mut self) {
        // SAFETY: the writer is dropped only here, and first. Then nothing borrows the sink,
        // which comes from a box.
        unsafe {
            ManuallyDrop::drop(&mut self.writer);
            drop(Box::from_raw(self.sink.as_ptr()));
        }
    }
}

impl Target {
    /// Bytes of an object id.
    pub(super) fn hash_len(&self) -> usize {
        self.hash.len()
    }

    fn writer(&mut self) -> &mut Writer<'static> {
        match &mut self.kind {
            WriterKind::Own(own) => &mut own.writer,
            // SAFETY: C has the pointer to this only while the writer is lent, see `lend`.
            WriterKind::Lent(writer) => unsafe { writer.as_mut() },
        }
    }

    /// Runs one operation of the writer.
    pub(super) fn run<R>(
        &mut self,
        operation: impl FnOnce(&mut Writer<'static>) -> Result<R>,
    ) -> CResult<R> {
        operation(self.writer()).map_err(|error| self.code(error))
    }

    /// Completes the table.
    pub(super) fn close(&mut self) -> CResult {
        let WriterKind::Own(own) = &mut self.kind else {
            // The addition closes it.
            return Err(Code::MISUSE);
        };
        match own.writer.finish() {
            Ok(_) => Ok(()),
            // The writer does not flush an empty table, but git's library does.
            Err(Error::EmptyTable) => Err(match own.after.sync() {
                Ok(()) => Error::EmptyTable.into(),
                Err(error) => error.into(),
            }),
            Err(error) => Err(self.code(error)),
        }
    }

    /// The number of an error: the result of the caller's function if that has failed.
    fn code(&self, error: Error) -> Code {
        let failure = match &self.kind {
            WriterKind::Own(own) => own.failure.take(),
            WriterKind::Lent(_) => None,
        };
        failure.unwrap_or_else(|| error.into())
    }
}

/// Creates a writer that calls the caller's functions; see `reftable_writer_new()`.
///
/// # Safety
/// The pointers are NULL or valid as the C API requires.
pub(in crate::capi) unsafe fn new_with(
    out: *mut *mut reftable_writer,
    write: Option<WriteFn>,
    flush: Option<FlushFn>,
    arg: *mut c_void,
    hash_id: hash_number,
    options: &reftable_write_options,
) -> c_int {
    // SAFETY: the caller's promise.
    number(
        own(write, flush, arg, hash_id, options).and_then(|writer| unsafe {
            object::put(out, writer).inspect_err(|_| object::dismiss(writer))
        }),
    )
}

fn own(
    write: Option<WriteFn>,
    flush: Option<FlushFn>,
    arg: *mut c_void,
    hash_id: hash_number,
    options: &reftable_write_options,
) -> CResult<*mut reftable_writer> {
    let sink = CallerSink {
        write: write.ok_or(Code::MISUSE)?,
        flush: flush.ok_or(Code::MISUSE)?,
        arg,
        failure: Rc::default(),
    };
    let hash = hash_of(hash_id)?;
    let kind = WriterKind::Own(Box::new(OwnWriter::new(sink, &options.for_tables(hash))?));
    Ok(new(kind, hash)?)
}

fn new(kind: WriterKind, hash: HashId) -> Result<*mut reftable_writer, NoMemory> {
    object::new(reftable_writer {
        is_lent: matches!(kind, WriterKind::Lent(_)),
        target: Exclusive::new(Target { kind, hash }),
        stats: UnsafeCell::new(reftable_stats::default()),
    })
}

/// Runs `f` with a C writer that wraps `writer` and is valid until `f` returns.
///
/// # Errors
/// Those of `f`; out of memory.
pub(in crate::capi) fn lend<R>(
    writer: &mut Writer<'_>,
    hash: HashId,
    f: impl FnOnce(*mut reftable_writer) -> CResult<R>,
) -> CResult<R> {
    // The pointer is used only during the call of `f`, within the borrow.
    let writer = NonNull::from(writer).cast::<Writer<'static>>();
    let lent = new(WriterKind::Lent(writer), hash)?;
    let result = f(lent);
    // SAFETY: the writer is documented as valid until `f` returns, and C cannot free it.
    unsafe { object::dismiss(lent) };
    result
}

/// Runs an operation on a writer, and updates the statistics for C.
///
/// # Errors
/// Those of the operation; misuse for NULL or a writer that is in use.
///
/// # Safety
/// `w` is NULL or a writer that is alive.
pub(super) unsafe fn with<R>(
    w: *mut reftable_writer,
    operation: impl FnOnce(&mut Target) -> CResult<R>,
) -> CResult<R> {
    // SAFETY: the caller's promise.
    unsafe {
        object::with(w, |target| {
            let before = target.writer().stats().blocks;
            let result = operation(target);
            let stats: &Stats = target.writer().stats();
            if stats.blocks != before {
                // C can read them only between two calls or in a callback of this thread.
                *(*w).stats.get() = stats.into();
            }
            result
        })
    }
}
