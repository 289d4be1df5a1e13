//! Objects that C holds by pointer.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::{mem, ptr};

use super::alloc::{self, NoMemory};
use super::code::{CResult, Code};

/// Borrows what `pointer` points to; NULL is the caller's mistake.
///
/// # Safety
/// `pointer` is NULL, or points to a `T` that is alive for `'a` and meanwhile changed only
/// inside of cells.
pub(crate) unsafe fn borrow<'a, T>(pointer: *const T) -> CResult<&'a T> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_ref() }.ok_or(Code::MISUSE)
}

/// Memory of the allocator that is set, for one `T`.
#[derive(Debug)]
pub(crate) struct Reserved<T>(*mut T);

impl<T> Reserved<T> {
    /// Puts `value` there.
    pub(crate) fn fill(self, value: T) -> *mut T {
        let memory = self.0;
        mem::forget(self);
        // SAFETY: the memory is large enough for a `T`, and aligned for anything, as C asks
        // of `malloc`.
        unsafe { memory.write(value) };
        memory
    }
}

impl<T> Drop for Reserved<T> {
    fn drop(&mut self) {
        // SAFETY: the memory comes from the allocator, and nothing was put there.
        unsafe { alloc::free(self.0.cast::<c_void>()) };
    }
}

/// Memory for an object that is to be made later.
pub(crate) fn reserve<T>() -> Result<Reserved<T>, NoMemory> {
    const { assert!(align_of::<T>() <= align_of::<libc::max_align_t>()) };
    let memory = alloc::malloc(size_of::<T>().max(1)).cast::<T>();
    if memory.is_null() {
        return Err(NoMemory);
    }
    Ok(Reserved(memory))
}

/// Puts `value` into memory of the allocator that is set.
pub(crate) fn new<T>(value: T) -> Result<*mut T, NoMemory> {
    reserve().map(|memory| memory.fill(value))
}

/// Drops an object that this module has made; NULL is fine.
///
/// # Safety
/// `object` is NULL, or an object of this module that is used no more.
pub(crate) unsafe fn destroy<T>(object: *mut T) {
    if object.is_null() {
        return;
    }
    // SAFETY: the caller's promise. The value is moved out first, so that the memory is no
    // object any more while it is dropped.
    unsafe {
        let value = object.read();
        alloc::free(object.cast::<c_void>());
        drop(value);
    }
}

/// Whether an operation is at work on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Busy,
    /// Busy, and to be destroyed afterwards.
    Doomed,
}

/// The part of an object that one operation at a time may use.
///
/// An operation may call functions of the caller's, and these the library again with the
/// same object: that is refused, and a wish to destroy it put off.
#[derive(Debug)]
pub(crate) struct Exclusive<T> {
    state: Cell<State>,
    content: UnsafeCell<T>,
}

impl<T> Exclusive<T> {
    pub(crate) fn new(content: T) -> Self {
        Self {
            state: Cell::new(State::Idle),
            content: UnsafeCell::new(content),
        }
    }
}

/// An object with such a part.
pub(crate) trait Guarded: Sized {
    /// What one operation at a time may use.
    type Content;

    /// The part that holds it.
    fn exclusive(&self) -> &Exclusive<Self::Content>;
}

impl<T> Guarded for Exclusive<T> {
    type Content = T;

    fn exclusive(&self) -> &Exclusive<T> {
        self
    }
}

/// Runs an operation on an object.
///
/// # Errors
/// Those of the operation; misuse when `object` is NULL or another operation is at work.
///
/// # Safety
/// `object` is NULL, or comes from `new` and is alive, and only this thread uses it.
pub(crate) unsafe fn with<O: Guarded, R>(
    object: *mut O,
    operation: impl FnOnce(&mut O::Content) -> CResult<R>,
) -> CResult<R> {
    // SAFETY: the caller's promise; the object is destroyed below, if at all, or by
    // `dismiss`, which leaves a busy one alone.
    let exclusive = unsafe { borrow(object) }?.exclusive();
    if exclusive.state.get() != State::Idle {
        return Err(Code::MISUSE);
    }
    exclusive.state.set(State::Busy);
    // SAFETY: nobody else has a reference to the content: only this function makes them,
    // and only when the state says that there is none.
    let result = operation(unsafe { &mut *exclusive.content.get() });
    if exclusive.state.replace(State::Idle) == State::Doomed {
        // SAFETY: the caller has wished it, so nobody uses the object any more.
        unsafe { destroy_afterwards(object) };
    }
    result
}

/// Apart, for operations that are called by the million.
///
/// # Safety
/// As for [`destroy`].
#[cold]
#[inline(never)]
unsafe fn destroy_afterwards<T>(object: *mut T) {
    // SAFETY: the caller's promise.
    unsafe { destroy(object) }
}

/// Destroys an object, after the operation that is at work on it; NULL is fine.
///
/// # Safety
/// `object` is NULL, or comes from `new` and the caller uses it no more.
pub(crate) unsafe fn dismiss<O: Guarded>(object: *mut O) {
    // SAFETY: the caller's promise.
    let Ok(exclusive) = unsafe { borrow(object) }.map(Guarded::exclusive) else {
        return;
    };
    if exclusive.state.get() == State::Idle {
        // SAFETY: the caller's promise, and no operation is at work.
        unsafe { destroy(object) };
    } else {
        exclusive.state.set(State::Doomed);
    }
}

/// Writes to where a function puts a result; NULL is the caller's mistake.
///
/// # Safety
/// `place` is NULL or may be written.
pub(crate) unsafe fn put<T>(place: *mut T, value: T) -> CResult {
    if place.is_null() {
        return Err(Code::MISUSE);
    }
    // SAFETY: the caller's promise. What was there may not be initialised: it is not dropped.
    unsafe { ptr::write(place, value) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::alloc::testing::{counted, failing_after};
    use super::*;
    use std::rc::Rc;

    #[test]
    fn null_is_refused_or_nothing() {
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
    fn an_object_dismissed_at_work_goes_afterwards() {
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
    fn without_memory_the_value_is_dropped() {
        let witness = Rc::new(());
        let (made, left) = failing_after(0, || new(Rc::clone(&witness)).is_err());
        assert!(made);
        assert_eq!((Rc::strong_count(&witness), left), (1, 0));
    }
}
