//! Ending the process through git's `die()` when memory runs out or the backend panics.
//!
//! Rust would abort. An aborted process leaves `tables.list.lock`, which blocks every
//! later write to the repository. `die()` exits, and git's exit handlers remove lock files and
//! temporary files. These handlers are C code that never calls the backend, so mutexes that are
//! held and cells that are borrowed at this moment do not matter.

use crate::git::abi::ffi;
use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{c_char, c_ulong};
use std::fmt::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

/// The system's allocator, except that a failed allocation ends the process, as in git's
/// `xmalloc()`.
///
/// The backend cannot recover from a failed allocation anywhere: `Vec::try_reserve` ends the
/// process, too.
struct DyingAllocator;

#[global_allocator]
static ALLOCATOR: DyingAllocator = DyingAllocator;

// SAFETY: every call passes the caller's arguments to the system's allocator and returns its
// result, unless that is NULL: then the call does not return. `die()` exits and does not unwind.
unsafe impl GlobalAlloc for DyingAllocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        allocated(unsafe { System.alloc(layout) }, layout.size())
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        allocated(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        allocated(unsafe { System.realloc(memory, layout, size) }, size)
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) };
    }
}

#[inline(always)]
fn allocated(memory: *mut u8, size: usize) -> *mut u8 {
    if memory.is_null() {
        out_of_memory(size);
    }
    memory
}

/// Prints the message of `xmalloc()`. Neither this nor `die()` allocates.
#[cold]
#[inline(never)]
fn out_of_memory(size: usize) -> ! {
    let format = c"Out of memory, malloc failed (tried to allocate %lu bytes)";
    let size = c_ulong::try_from(size).unwrap_or(c_ulong::MAX);
    // SAFETY: one `%lu` for one unsigned long.
    unsafe { ffi::die(format.as_ptr(), size) }
}

/// Makes later panics end the process through `die()`. No input can cause a panic; this keeps a
/// bug from blocking the repository.
pub fn die_on_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| panic::set_hook(Box::new(die_of)));
}

fn die_of(info: &PanicHookInfo<'_>) {
    let text = PanicText::new(info);
    // SAFETY: one `%s` for one NUL-terminated string.
    unsafe { ffi::die(c"%s".as_ptr(), text.as_ptr()) }
}

/// A message of limited length. Formatting it does not allocate.
struct PanicText {
    /// The last byte stays NUL.
    bytes: [u8; 512],
    len: usize,
}

impl PanicText {
    fn new(info: &PanicHookInfo<'_>) -> Self {
        let mut text = Self {
            bytes: [0; 512],
            len: 0,
        };
        // An error means that the message was truncated.
        let _ = text.describe(info);
        text
    }

    fn describe(&mut self, info: &PanicHookInfo<'_>) -> fmt::Result {
        self.write_str("BUG: the reftable backend panicked")?;
        if let Some(place) = info.location() {
            write!(self, " at {place}")?;
        }
        let payload = info.payload();
        let message = match payload.downcast_ref::<String>() {
            Some(message) => Some(message.as_str()),
            None => payload.downcast_ref::<&str>().copied(),
        };
        match message {
            Some(message) => write!(self, ": {message}"),
            None => Ok(()),
        }
    }

    fn as_ptr(&self) -> *const c_char {
        self.bytes.as_ptr().cast()
    }
}

impl Write for PanicText {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = self.bytes.len() - 1;
        let room = self.bytes.get_mut(self.len..end).unwrap_or_default();
        let fits = room.len().min(part.len());
        for (to, from) in room.iter_mut().zip(part.bytes()) {
            *to = from;
        }
        self.len += fits;
        if fits < part.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;
    use std::io;
    use std::process::{self, Command, Output};

    /// Replaces git's `die()`, which the test program does not contain.
    ///
    /// # Safety
    /// As for git's: `format` has one conversion, of `argument`.
    #[no_mangle]
    unsafe extern "C" fn die(format: *const c_char, argument: *const c_char) -> ! {
        // SAFETY: the caller's promise.
        let format = unsafe { CStr::from_ptr(format) }.to_string_lossy();
        let text = match format.as_ref() {
            // SAFETY: the caller's promise.
            "%s" => unsafe { CStr::from_ptr(argument) }.to_string_lossy(),
            format => format.replace("%lu", &argument.addr().to_string()).into(),
        };
        let _ = writeln!(io::stderr(), "fatal: {text}");
        process::exit(128);
    }

    use io::Write as _;

    /// Runs the ignored test `name` of this module in a separate process.
    fn run(name: &str) -> Output {
        let test = format!("git::sys::ending::tests::{name}");
        Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", &test])
            .output()
            .unwrap()
    }

    fn assert_dies(name: &str, messages: &[&str]) {
        let output = run(name);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(128), "{stderr}");
        for message in messages {
            assert!(stderr.contains(message), "{stderr}");
        }
    }

    #[test]
    #[ignore = "ends the process"]
    fn without_memory() {
        let _ = std::hint::black_box(Vec::<u8>::with_capacity(isize::MAX as usize));
    }

    #[test]
    #[ignore = "ends the process"]
    fn without_memory_to_grow() {
        let mut bytes = vec![0_u8; 1];
        let _ = std::hint::black_box(bytes.try_reserve(isize::MAX as usize - 1));
    }

    #[test]
    #[ignore = "ends the process"]
    fn without_zeroed_memory() {
        let _ = std::hint::black_box(vec![0_u8; isize::MAX as usize]);
    }

    #[test]
    #[ignore = "ends the process"]
    fn by_panic() {
        die_on_panics();
        panic!("this was {}", "expected");
    }

    #[test]
    #[ignore = "ends the process"]
    fn by_long_panic() {
        die_on_panics();
        panic!("{}", "long".repeat(1000));
    }

    #[test]
    fn failed_allocations_die() {
        for name in [
            "without_memory",
            "without_memory_to_grow",
            "without_zeroed_memory",
        ] {
            let size = format!("(tried to allocate {} bytes)", isize::MAX);
            assert_dies(name, &["fatal: Out of memory, malloc failed ", &size]);
        }
    }

    #[test]
    fn panics_die() {
        assert_dies(
            "by_panic",
            &[
                "fatal: BUG: the reftable backend panicked at src/git/sys/ending.rs:",
                ": this was expected\n",
            ],
        );
        assert_dies("by_long_panic", &["fatal: BUG: ", "longlong"]);
    }
}
