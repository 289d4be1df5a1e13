//! Objects that C programs refer to by pointer.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::{mem, ptr};

use super::alloc::{self, NoMemory};
use super::code::{CResult, Code};

/// Borrows the target of `pointer`. NULL is misuse.
///
/// # Safety
/// `pointer` is NULL, or points to a `T` that is valid for `'a` and changed only through cells.
pub(crate) unsafe fn borrow<'a, T>(pointer: *const T) -> CResult<&'a T> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_ref() }.ok_or(Code::MISUSE)
}

/// Memory for one `T` from the configured allocator.
#[derive(Debug)]
pub(crate) struct Reserved<T>(*mut T);

impl<T> Reserved<T> {
    /// Stores `value` in the memory.
    pub(crate) fn fill(self, value: T) -> *mut T {
        let memory = self.0;
        mem::forget(self);
        // SAFETY: the memory is large enough for a `T`, and aligned as C requires of `malloc`.
        unsafe { memory.write(value) };
        memory
    }
}

impl<T> Drop for Reserved<T> {
    fn drop(&mut self) {
        // SAFETY: the memory comes from the allocator and contains no value.
        unsafe { alloc::free(self.0.cast::<c_void>()) };
    }
}

/// Allocates memory for an object that is created later.
pub(crate) fn reserve<T>() -> Result<Reserved<T>, NoMemory> {
    const { assert!(align_of::<T>() <= align_of::<libc::max_align_t>()) };
    let memory = alloc::malloc(size_of::<T>().max(1)).cast::<T>();
    if memory.is_null() {
        return Err(NoMemory);
    }
    Ok(Reserved(memory))
}

/// Stores `value` in memory from the configured allocator.
pub(crate) fn new<T>(value: T) -> Result<*mut T, NoMemory> {
    reserve().map(|memory| memory.fill(value))
}

/// Drops an object created by this module. Does nothing for NULL.
///
/// # Safety
/// `object` is NULL, or an object created by this module that is no longer used.
pub(crate) unsafe fn destroy<T>(object: *mut T) {
    if object.is_null() {
        return;
    }
    // SAFETY: the caller's promise. The value is moved out first: dropping it may call back.
    unsafe {
        let value = object.read();
        alloc::free(object.cast::<c_void>());
        drop(value);
    }
}

/// Whether an operation is using an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UseState {
    Idle,
    Busy,
    /// Busy, and destroyed when the operation ends.
    Doomed,
}

/// The part of an object that only one operation at a time may use.
///
/// An operation may call functions of the C program, which may call the library again with the
/// same object. Such a nested operation is refused, and destruction is deferred until the outer
/// operation returns.
#[derive(Debug)]
pub(crate) struct Exclusive<T> {
    state: Cell<UseState>,
    content: UnsafeCell<T>,
}

impl<T> Exclusive<T> {
    pub(crate) fn new(content: T) -> Self {
        Self {
            state: Cell::new(UseState::Idle),
            content: UnsafeCell::new(content),
        }
    }
}

/// An object with an exclusive part.
pub(crate) trait Guarded: Sized {
    /// The content of the exclusive part.
    type Content;

    /// The exclusive part.
    fn exclusive(&self) -> &Exclusive<Self::Content>;
}

impl<T> Guarded for Exclusive<T> {
    type Content = T;

    fn exclusive(&self) -> &Exclusive<T> {
        self
    }
}

/// Runs an operation on the content of an object.
///
/// # Errors
/// Those of the operation; misuse if `object` is NULL or in use by another operation.
///
/// # Safety
/// `object` is NULL, or comes from `new`, is valid, and is used only by this thread.
pub(crate) unsafe fn with<O: Guarded, R>(
    object: *mut O,
    operation: impl FnOnce(&mut O::Content) -> CResult<R>,
) -> CResult<R> {
    // SAFETY: the caller's promise. Only this function destroys a busy object, after its last use.
    let exclusive = unsafe { borrow(object) }?.exclusive();
    if exclusive.state.get() != UseState::Idle {
        return Err(Code::MISUSE);
    }
    exclusive.state.set(UseState::Busy);
    // SAFETY: there is no other reference to the content: only this function creates one, and
    // only in the state `Idle`.
    let result = operation(unsafe { &mut *exclusive.content.get() });
    if exclusive.state.replace(UseState::Idle) == UseState::Doomed {
        // SAFETY: the caller has dismissed the object and no longer uses it.
        unsafe { destroy_afterwards(object) };
    }
    result
}

/// Kept out of line, since `with` is called for each record.
///
/// # Safety
/// As for [`destroy`].
#[cold]
#[inline(never)]
unsafe fn destroy_afterwards<T>(object: *mut T) {
    // SAFETY: the caller's promise.
    unsafe { destroy(object) }
}

/// Destroys an object, or defers that until the operation that uses it returns. Does nothing for
/// NULL.
///
/// # Safety
/// `object` is NULL, or comes from `new` and is no longer used by the caller.
pub(crate) unsafe fn dismiss<O: Guarded>(object: *mut O) {
    // SAFETY: the caller's promise.
    let Ok(exclusive) = unsafe { borrow(object) }.map(Guarded::exclusive) else {
        return;
    };
    if exclusive.state.get() == UseState::Idle {
        // SAFETY: the caller's promise, and no operation is running.
        unsafe { destroy(object) };
    } else {
        exclusive.state.set(UseState::Doomed);
    }
}

/// Writes a result to an out-parameter. NULL is misuse.
///
/// # Safety
/// `out` is NULL or valid for writes.
pub(crate) unsafe fn put<T>(out: *mut T, value: T) -> CResult {
    if out.is_null() {
        return Err(Code::MISUSE);
    }
    // SAFETY: the caller's promise. The old content may be uninitialised and is not dropped.
    unsafe { ptr::write(out, value) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::alloc::testing::{counted, failing_after};
    use super::*;
    use std::rc::Rc;

    #[test]
    fn null_is_misuse_or_ignored() {
        let none = ptr::null_mut::<Exclusive<u8>>();
        // SAFETY: NULL is allowed everywhere.
        unsafe {
            assert_eq!(with(none, |_| Ok(())), Err(Code::MISUSE));
            assert_eq!(put(ptr::null_mut(), 1), Err(Code::MISUSE));
            assert!(borrow(ptr::null::<u8>()).is_err());
            dismiss(none);
            destroy(none);
        }
    }

    #[test]
    fn one_operation_at_a_time() {
        let ((), left) = counted(|| {
            let object = new(Exclusive::new(1)).unwrap();
            // SAFETY: the object is alive until it is dismissed.
            unsafe {
                let done = with(object, |content| {
                    *content += 1;
                    assert_eq!(with(object, |_| Ok(())), Err(Code::MISUSE));
                    Ok(*content)
                });
                assert_eq!(done, Ok(2));
                assert_eq!(with(object, |content| Ok(*content)), Ok(2));
                dismiss(object);
            }
        });
        assert_eq!(left, 0);
    }

    #[test]
    fn busy_objects_are_destroyed_afterwards() {
        let witness = Rc::new(());
        let ((), left) = counted(|| {
            let object = new(Exclusive::new(Rc::clone(&witness))).unwrap();
            // SAFETY: as above.
            let done = unsafe {
                with(object, |content| {
                    dismiss(object);
                    assert_eq!(with(object, |_| Ok(())), Err(Code::MISUSE));
                    Ok(Rc::strong_count(content))
                })
            };
            assert_eq!(done, Ok(2));
        });
        assert_eq!(Rc::strong_count(&witness), 1);
        assert_eq!(left, 0);
    }

    #[test]
    fn value_is_dropped_without_memory() {
        let witness = Rc::new(());
        let (made, left) = failing_after(0, || new(Rc::clone(&witness)).is_err());
        assert!(made);
        assert_eq!((Rc::strong_count(&witness), left), (1, 0));
    }
}
