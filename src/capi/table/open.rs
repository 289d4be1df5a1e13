//! Opening tables, and counting references to them.

use std::ffi::{c_char, c_int};
use std::sync::Arc;

use super::{number_of, reftable_table, reftable_table_offsets, Code};
use crate::capi::blocksource::{keep_table, read_all, reftable_block_source, take_data};
use crate::ffi::code::CResult;
use crate::ffi::{object, string};
use crate::format::BlockType;
use crate::table::Table;

/// A table object. Its first member is public to C.
#[repr(C)]
#[derive(Debug)]
struct TableObject {
    shown: reftable_table,
    table: Option<Arc<Table>>,
}

impl Drop for TableObject {
    /// Releases the bytes before closing the source.
    fn drop(&mut self) {
        self.table = None;
        // SAFETY: the table owns the source, which is no longer used; the name was made by
        // `new`.
        unsafe {
            self.shown.source.close();
            string::free(&mut self.shown.name);
        }
    }
}

/// Opens a table; see `reftable_table_new()`.
///
/// # Safety
/// The pointers are NULL or valid as the C API requires.
pub(super) unsafe fn new(
    out: *mut *mut reftable_table,
    src: *mut reftable_block_source,
    name: *const c_char,
) -> CResult {
    // SAFETY: the caller's promise.
    unsafe {
        let source = *object::borrow(src)?;
        let opened = open(source, name).and_then(|(table, name)| show(table, source, name));
        let stored = match opened {
            Ok(object) if out.is_null() => {
                // Closes the source, too.
                object::destroy(object);
                *src = reftable_block_source::NONE;
                return Err(Code::MISUSE);
            }
            Ok(object) => object::put(out, object.cast()),
            Err(code) => Err(code),
        };
        stored.inspect_err(|_| (*src).close())
    }
}

/// Opens a table and copies its name.
///
/// # Safety
/// The source is valid as the C API requires, and open; the name is NULL or a string.
unsafe fn open(
    source: reftable_block_source,
    name: *const c_char,
) -> CResult<(Arc<Table>, *mut c_char)> {
    // SAFETY: the caller's promise.
    unsafe {
        let bytes = string::bytes(name).ok_or(Code::MISUSE)?;
        let data = match take_data(&source) {
            Some(data) => data,
            None => read_all(&source)?,
        };
        let table = Table::new(&String::from_utf8_lossy(bytes), data).map(Arc::new)?;
        let name = string::new(bytes)?;
        keep_table(&source, &table);
        Ok((table, name))
    }
}

/// Creates the object for C. On failure the name is freed.
fn show(
    table: Arc<Table>,
    source: reftable_block_source,
    mut name: *mut c_char,
) -> CResult<*mut TableObject> {
    let shown = reftable_table {
        name,
        source,
        size: table.size_without_footer(),
        hash_id: number_of(table.hash_id()),
        block_size: table.block_size(),
        min_update_index: table.min_update_index(),
        max_update_index: table.max_update_index(),
        object_id_len: c_int::try_from(table.object_id_len()).unwrap_or(c_int::MAX),
        version: c_int::from(table.version()),
        ref_offsets: offsets(&table, BlockType::Ref),
        obj_offsets: offsets(&table, BlockType::Obj),
        log_offsets: offsets(&table, BlockType::Log),
        refcount: 1,
    };
    let memory = object::reserve::<TableObject>();
    match memory {
        Ok(memory) => Ok(memory.fill(TableObject {
            shown,
            table: Some(table),
        })),
        Err(error) => {
            // SAFETY: the name was made above and is not shared.
            unsafe { string::free(&mut name) };
            Err(error.into())
        }
    }
}

/// Creates the object for a table without a source.
///
/// # Errors
/// Out of memory.
#[cfg(feature = "capi-internals")]
pub(in crate::capi) fn show_core(table: &Arc<Table>) -> CResult<*mut reftable_table> {
    let name = string::new(table.name().as_bytes())?;
    show(Arc::clone(table), reftable_block_source::NONE, name).map(<*mut TableObject>::cast)
}

fn offsets(table: &Table, block_type: BlockType) -> reftable_table_offsets {
    match table.section(block_type) {
        Some((offset, index_offset)) => reftable_table_offsets {
            is_present: 1,
            offset,
            index_offset,
        },
        None => reftable_table_offsets::default(),
    }
}

/// Adds a reference.
///
/// # Safety
/// `table` is NULL, or a table that is open.
pub(super) unsafe fn count(table: *mut reftable_table) {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(table) = table.as_mut() {
            table.refcount = table.refcount.saturating_add(1);
        }
    }
}

/// Drops a reference, and closes the table with the last one.
///
/// # Safety
/// `table` is NULL, or an open table that the caller no longer uses.
pub(super) unsafe fn give_back(table: *mut reftable_table) {
    // SAFETY: the caller's promise. Every `reftable_table` is the first member of an `TableObject`.
    unsafe {
        let Some(shown) = table.as_mut() else {
            return;
        };
        shown.refcount = shown.refcount.saturating_sub(1);
        if shown.refcount == 0 {
            object::destroy(table.cast::<TableObject>());
        }
    }
}

/// A reference to an open table.
#[derive(Debug)]
pub(in crate::capi) struct TableHold(*mut reftable_table);

impl TableHold {
    /// Adds a reference to a table.
    ///
    /// # Errors
    /// Misuse for NULL.
    ///
    /// # Safety
    /// `table` is NULL, or a table that is open.
    pub(in crate::capi) unsafe fn new(table: *mut reftable_table) -> CResult<Self> {
        // SAFETY: the caller's promise.
        unsafe {
            object::borrow(table)?;
            count(table);
        }
        Ok(Self(table))
    }

    /// The members that C may read.
    pub(in crate::capi) fn shown(&self) -> &reftable_table {
        // SAFETY: the reference keeps the table open.
        unsafe { &*self.0 }
    }

    /// The table.
    ///
    /// # Errors
    /// Misuse if the table was not created by `reftable_table_new()`.
    pub(in crate::capi) fn table(&self) -> CResult<&Arc<Table>> {
        // SAFETY: as above, and every `reftable_table` is the beginning of an `TableObject`.
        let object = unsafe { &*self.0.cast::<TableObject>() };
        object.table.as_ref().ok_or(Code::MISUSE)
    }
}

impl Drop for TableHold {
    fn drop(&mut self) {
        // SAFETY: the table is open, and this reference is no longer used.
        unsafe { give_back(self.0) };
    }
}
