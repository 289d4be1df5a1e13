//! Reading one block of a source.

use std::ptr;

use super::{reftable_block, Code};
use crate::block::{self, Block, Inflater};
use crate::capi::blocksource::{reftable_block_data, reftable_block_source};
use crate::ffi::alloc::{self, NoMemory};
use crate::ffi::code::CResult;
use crate::format::{BlockType, DEFAULT_BLOCK_SIZE};

/// What must be known of the table to read a block.
#[derive(Clone, Copy, Debug)]
pub(in crate::capi) struct BlockRequest {
    /// Position of the block.
    pub(in crate::capi) offset: u64,
    /// Bytes of the file's header, for the first block; else 0.
    pub(in crate::capi) header_size: u32,
    /// Block size of the table; 0 when blocks are not aligned.
    pub(in crate::capi) table_block_size: u32,
    /// Bytes of an object id.
    pub(in crate::capi) hash_size: u32,
    /// Type that is wanted; 0 for any.
    pub(in crate::capi) want_type: u8,
}

/// Memory for an inflated block, of C's allocator.
struct Inflated {
    data: *mut u8,
    cap: usize,
}

impl Inflated {
    /// Copies `bytes` into the memory, which grows as in git's library.
    fn copy(&mut self, bytes: &[u8]) -> Result<(), NoMemory> {
        if bytes.len() > self.cap {
            let cap = self
                .cap
                .saturating_mul(2)
                .saturating_add(1)
                .max(bytes.len());
            // SAFETY: the memory is NULL or of C's allocator.
            let data = unsafe { alloc::realloc(self.data.cast(), cap) }.cast::<u8>();
            if data.is_null() {
                return Err(NoMemory);
            }
            (self.data, self.cap) = (data, cap);
        }
        // SAFETY: there is room for `cap` bytes, which nobody borrows.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.data, bytes.len()) };
        Ok(())
    }
}

impl Drop for Inflated {
    fn drop(&mut self) {
        // SAFETY: the memory is NULL or of C's allocator, and nobody else's.
        unsafe { alloc::free(self.data.cast()) };
    }
}

/// Bytes of a source, which go back to it when they are dropped.
struct Read(reftable_block_data);

impl Drop for Read {
    fn drop(&mut self) {
        // SAFETY: the source has given the bytes, and nobody else has them.
        unsafe { self.0.release() };
    }
}

/// Reads a block into `b`; what `b` holds before is released. False when the block is not
/// of the type wanted: then `b` holds its bytes all the same.
///
/// # Errors
/// Those of the source and of the format; `b` is empty then.
///
/// # Safety
/// `b` is NULL or a block; the source is as C must make it, and open.
pub(in crate::capi) unsafe fn load(
    b: *mut reftable_block,
    source: &reftable_block_source,
    request: &BlockRequest,
    inflater: &mut Inflater,
) -> CResult<bool> {
    if b.is_null() {
        return Err(Code::MISUSE);
    }
    // SAFETY: the caller's promise. The source may look at `b`, so that it is only written
    // when all is done.
    unsafe {
        let mut old = ptr::replace(b, reftable_block::EMPTY);
        let room = Inflated {
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

/// Gives back what a block holds.
///
/// # Safety
/// The block is as the library has made it, and used no more.
pub(super) unsafe fn release(mut block: reftable_block) {
    // SAFETY: the caller's promise. The bytes of an inflated block have no source.
    unsafe {
        block.block_data.release();
        alloc::free(block.uncompressed_data.cast());
    }
}

/// # Safety
/// The source is as C must make it, and open.
unsafe fn read(
    source: &reftable_block_source,
    request: &BlockRequest,
    room: Inflated,
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
        // Perhaps there was not enough of it: what cannot be compressed grows a little.
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
/// The source is as C must make it, and open.
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
        // SAFETY: the source keeps the bytes as they are until they are released, which
        // happens when `self` is dropped.
        unsafe { self.0.bytes() }
    }
}

/// Type and length of the block, as its own header tells them.
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

/// Checks the block, and inflates it if it is one of logs.
fn open(bytes: &Read, request: &BlockRequest, inflater: &mut Inflater) -> CResult<Block> {
    let header_len = usize::try_from(request.header_size).map_err(|_| Code::FORMAT)?;
    let of_block = block::Frame {
        data: bytes.bytes(),
        header_len,
        block_size: usize::try_from(request.table_block_size).unwrap_or(0),
    };
    // Only the first block of a table has the file's header, and the bytes begin with it.
    Block::open(&of_block, 0, None, inflater).map_err(|damage| damage.in_file("").into())
}

/// The C block of bytes that the source keeps.
fn finish(
    bytes: Read,
    request: &BlockRequest,
    block_type: BlockType,
    block: &Block,
) -> reftable_block {
    let block_data = bytes.0;
    // The block has them now.
    std::mem::forget(bytes);
    reftable_block {
        block_data,
        ..geometry(request, block_type, block)
    }
}

/// The C block of inflated bytes.
fn finish_log(
    mut room: Inflated,
    request: &BlockRequest,
    inflater: &Inflater,
    block: &Block,
) -> CResult<reftable_block> {
    let content = inflater.block();
    room.copy(content)?;
    let (data, cap) = (room.data, room.cap);
    // The block has it now.
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

/// Where the parts of a block stand; blocks are shorter than 16 MiB.
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
