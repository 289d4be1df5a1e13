//! Reading one block from a source.

use std::ptr;

use super::{reftable_block, Code};
use crate::block::{self, Block, Inflater};
use crate::capi::blocksource::{reftable_block_data, reftable_block_source};
use crate::ffi::alloc::{self, NoMemory};
use crate::ffi::code::CResult;
use crate::format::{BlockType, DEFAULT_BLOCK_SIZE};

/// The block to read, and the properties of its table.
#[derive(Clone, Copy, Debug)]
pub(in crate::capi) struct BlockRequest {
    /// Offset of the block.
    pub(in crate::capi) offset: u64,
    /// Size of the file header for the first block, otherwise 0.
    pub(in crate::capi) header_size: u32,
    /// Block size of the table; 0 if blocks are not aligned.
    pub(in crate::capi) table_block_size: u32,
    /// Size of an object id in bytes.
    pub(in crate::capi) hash_size: u32,
    /// Required block type; 0 for any.
    pub(in crate::capi) want_type: u8,
}

/// Memory for an inflated block, from the configured allocator.
struct InflateBuffer {
    data: *mut u8,
    cap: usize,
}

impl InflateBuffer {
    /// Copies `bytes` into the memory, which grows like that of git's library.
    fn copy(&mut self, bytes: &[u8]) -> Result<(), NoMemory> {
        if bytes.len() > self.cap {
            let cap = self
                .cap
                .saturating_mul(2)
                .saturating_add(1)
                .max(bytes.len());
            // SAFETY: the memory is NULL or from the configured allocator.
            let data = unsafe { alloc::realloc(self.data.cast(), cap) }.cast::<u8>();
            if data.is_null() {
                return Err(NoMemory);
            }
            (self.data, self.cap) = (data, cap);
        }
        // SAFETY: there is room for `cap` bytes, and no reference to them.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.data, bytes.len()) };
        Ok(())
    }
}

impl Drop for InflateBuffer {
    fn drop(&mut self) {
        // SAFETY: the memory is NULL or from the configured allocator, and owned by `self`.
        unsafe { alloc::free(self.data.cast()) };
    }
}

/// Bytes of a source, released on drop.
struct Read(reftable_block_data);

impl Drop for Read {
    fn drop(&mut self) {
        // SAFETY: the bytes come from the source and are owned by `self`.
        unsafe { self.0.release() };
    }
}

/// Reads a block into `b`, after releasing the block that `b` holds. Returns false if the block
/// does not have the required type; `b` then holds it nevertheless.
///
/// # Errors
/// Those of the source and of the format; `b` is empty then.
///
/// # Safety
/// `b` is NULL or a block; the source is valid and open.
pub(in crate::capi) unsafe fn load(
    b: *mut reftable_block,
    source: &reftable_block_source,
    request: &BlockRequest,
    inflater: &mut Inflater,
) -> CResult<bool> {
    if b.is_null() {
        return Err(Code::MISUSE);
    }
    // SAFETY: the caller's promise. The source may read `b`, so it is written only at the end.
    unsafe {
        let mut old = ptr::replace(b, reftable_block::EMPTY);
        let room = InflateBuffer {
            data: ptr::replace(&mut old.uncompressed_data, ptr::null_mut()),
            cap: old.uncompressed_cap,
        };
        release(old);
        let block = read(source, request, room, inflater)?;
        let is_wanted = request.want_type == 0 || block.block_type == request.want_type;
        ptr::write(b, block);
        Ok(is_wanted)
    }
}

/// Releases the resources of a block.
///
/// # Safety
/// The block was initialised by the library and is no longer used.
pub(super) unsafe fn release(mut block: reftable_block) {
    // SAFETY: the caller's promise. The bytes of an inflated block have no source.
    unsafe {
        block.block_data.release();
        alloc::free(block.uncompressed_data.cast());
    }
}

/// # Safety
/// The source is valid and open.
unsafe fn read(
    source: &reftable_block_source,
    request: &BlockRequest,
    room: InflateBuffer,
    inflater: &mut Inflater,
) -> CResult<reftable_block> {
    let guess = match request.table_block_size {
        0 => DEFAULT_BLOCK_SIZE,
        size => size,
    };
    // SAFETY: the caller's promise.
    let mut bytes = unsafe { read_part(source, request.offset, guess) }?;
    let (block_type, len) = header_of(&bytes, request)?;
    if request.want_type != 0 && block_type.byte() != request.want_type {
        return Ok(finish(bytes, request, block_type, &Block::nowhere()));
    }
    if len > guess {
        drop(bytes);
        // SAFETY: the caller's promise.
        bytes = unsafe { read_part(source, request.offset, len) }?;
    }
    if block_type != BlockType::Log {
        let block = open(&bytes, request, inflater)?;
        return Ok(finish(bytes, request, block_type, &block));
    }
    let block = match open(&bytes, request, inflater) {
        Ok(block) => block,
        // Too few bytes may have been read: deflate expands incompressible content slightly.
        Err(code) if bytes.0.len < usize::try_from(len.max(guess)).unwrap_or(0) => {
            return Err(code);
        }
        Err(code) => {
            drop(bytes);
            let more = len.saturating_add(len / 64).saturating_add(256).max(guess);
            // SAFETY: the caller's promise.
            bytes = unsafe { read_part(source, request.offset, more) }?;
            open(&bytes, request, inflater).map_err(|_| code)?
        }
    };
    drop(bytes);
    finish_log(room, request, inflater, &block)
}

/// # Safety
/// The source is valid and open.
unsafe fn read_part(source: &reftable_block_source, offset: u64, want: u32) -> CResult<Read> {
    // SAFETY: the caller's promise.
    unsafe {
        let rest = source.size()?.checked_sub(offset).filter(|&rest| rest > 0);
        let rest = u32::try_from(rest.ok_or(Code::FORMAT)?).unwrap_or(u32::MAX);
        source.read(offset, want.min(rest)).map(Read)
    }
}

impl Read {
    fn bytes(&self) -> &[u8] {
        // SAFETY: the bytes do not change until they are released, on drop of `self`.
        unsafe { self.0.bytes() }
    }
}

/// Type and length of the block according to its header.
fn header_of(bytes: &Read, request: &BlockRequest) -> CResult<(BlockType, u32)> {
    let start = usize::try_from(request.header_size).map_err(|_| Code::FORMAT)?;
    let header = bytes
        .bytes()
        .get(start..)
        .and_then(|rest| rest.first_chunk::<4>());
    let Some(&[byte, a, b, c]) = header else {
        return Err(Code::FORMAT);
    };
    let block_type = BlockType::try_from(byte).map_err(|_| Code::FORMAT)?;
    Ok((block_type, u32::from_be_bytes([0, a, b, c])))
}

/// Checks the block, and inflates a log block.
fn open(bytes: &Read, request: &BlockRequest, inflater: &mut Inflater) -> CResult<Block> {
    let header_len = usize::try_from(request.header_size).map_err(|_| Code::FORMAT)?;
    let of_block = block::Frame {
        data: bytes.bytes(),
        header_len,
        block_size: usize::try_from(request.table_block_size).unwrap_or(0),
    };
    // The bytes of the first block of a table begin with the file header.
    Block::open(&of_block, 0, None, inflater).map_err(|damage| damage.in_file("").into())
}

/// The C block for bytes of the source.
fn finish(
    bytes: Read,
    request: &BlockRequest,
    block_type: BlockType,
    block: &Block,
) -> reftable_block {
    let block_data = bytes.0;
    // The block owns them now.
    std::mem::forget(bytes);
    reftable_block {
        block_data,
        ..geometry(request, block_type, block)
    }
}

/// The C block for inflated bytes.
fn finish_log(
    mut room: InflateBuffer,
    request: &BlockRequest,
    inflater: &Inflater,
    block: &Block,
) -> CResult<reftable_block> {
    let content = inflater.block();
    room.copy(content)?;
    let (data, cap) = (room.data, room.cap);
    // The block owns the memory now.
    std::mem::forget(room);
    Ok(reftable_block {
        block_data: reftable_block_data {
            data,
            len: content.len(),
            ..reftable_block_data::NONE
        },
        uncompressed_data: data,
        uncompressed_cap: cap,
        ..geometry(request, BlockType::Log, block)
    })
}

/// The offsets and sizes of a block, which is smaller than 16 MiB.
fn geometry(request: &BlockRequest, block_type: BlockType, block: &Block) -> reftable_block {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    reftable_block {
        header_off: request.header_size,
        hash_size: request.hash_size,
        restart_count: block.restart_count,
        restart_off: small(block.records_end),
        full_block_size: small(block.full_size),
        block_type: block_type.byte(),
        ..reftable_block::EMPTY
    }
}
