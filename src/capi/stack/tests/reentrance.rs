//! Callbacks that call the library, even with the objects that called them.

use super::*;
use crate::capi::fsck::{reftable_fsck_check, reftable_fsck_info};
use crate::capi::writer::reftable_writer_free;

/// What the functions below work on.
struct Scene<'a> {
    directory: &'a Directory,
    stack: Cell<*mut reftable_stack>,
    addition: Cell<*mut reftable_addition>,
    calls: Cell<u32>,
}

impl<'a> Scene<'a> {
    fn new(directory: &'a Directory) -> Self {
        Self {
            directory,
            stack: Cell::new(ptr::null_mut()),
            addition: Cell::new(ptr::null_mut()),
            calls: Cell::new(0),
        }
    }

    fn arg(&self) -> *mut c_void {
        ptr::from_ref(self).cast_mut().cast()
    }

    fn count(&self) -> u32 {
        self.calls.set(self.calls.get() + 1);
        self.calls.get()
    }
}

/// Reads the locked stack and another stack of the same directory, then writes.
unsafe extern "C" fn read_and_write(writer: *mut reftable_writer, arg: *mut c_void) -> c_int {
    // SAFETY: the tests pass a scene, whose stack is open.
    unsafe {
        let scene = &*arg.cast::<Scene<'_>>();
        let stack = scene.stack.get();
        scene.count();
        assert_eq!(read(stack, c"refs/old"), Some(1));
        assert_eq!(reftable_stack_reload(stack), 0);
        let mut it = NO_ITERATOR;
        assert_eq!(reftable_stack_init_ref_iterator(stack, &mut it), 0);
        assert_eq!(reftable_iterator_seek_ref(&mut it, c"".as_ptr()), 0);
        assert_eq!(all_refs(&mut it).unwrap().len(), 1);
        reftable_iterator_destroy(&mut it);
        assert_eq!(add(stack, c"refs/nested", Some(9)), -5, "locked");
        let other = scene.directory.open(&options());
        assert_eq!(read(other, c"refs/old"), Some(1));
        reftable_stack_destroy(other);
        let addition = scene.addition.get();
        if !addition.is_null() {
            assert_eq!(
                reftable_addition_add(addition, Some(read_and_write), arg),
                -6
            );
            assert_eq!(reftable_addition_commit(addition), -6);
        }
        reftable_writer_free(writer);
        let mut change = change(c"refs/new", 2, reftable_stack_next_update_index(stack));
        write(writer, change.arg())
    }
}

#[test]
fn a_callback_that_writes_may_read() {
    let directory = Directory::new();
    let ((), left) = counted(|| {
        let scene = Scene::new(&directory);
        let stack = directory.open(&options());
        scene.stack.set(stack);
        assert_eq!(add(stack, c"refs/old", Some(1)), 0);
        // SAFETY: the pointers are good.
        unsafe {
            assert_eq!(stack_add(stack, Some(read_and_write), scene.arg(), 0), 0);
            assert_eq!(read(stack, c"refs/new"), Some(2));
            assert_eq!(add(stack, c"refs/new", None), 0);
            let mut addition = ptr::null_mut();
            assert_eq!(new_addition(&mut addition, stack, 0), 0);
            scene.addition.set(addition);
            let added = reftable_addition_add(addition, Some(read_and_write), scene.arg());
            assert_eq!(added, 0);
            assert_eq!(reftable_addition_commit(addition), 0);
            reftable_addition_destroy(addition);
            assert_eq!((scene.calls.get(), read(stack, c"refs/new")), (2, Some(2)));
            reftable_stack_destroy(stack);
        }
    });
    assert_eq!(left, 0);
}

unsafe extern "C" fn destroy_addition(_: *mut reftable_writer, arg: *mut c_void) -> c_int {
    // SAFETY: the tests pass a scene with an addition.
    unsafe { reftable_addition_destroy((*arg.cast::<Scene<'_>>()).addition.get()) };
    0
}

#[test]
fn destroying_an_addition_in_use_is_deferred() {
    let directory = Directory::new();
    let ((), left) = counted(|| {
        let scene = Scene::new(&directory);
        let stack = directory.open(&options());
        let mut addition = ptr::null_mut();
        // SAFETY: the pointers are good.
        unsafe {
            assert_eq!(new_addition(&mut addition, stack, 0), 0);
            scene.addition.set(addition);
            let added = reftable_addition_add(addition, Some(destroy_addition), scene.arg());
            assert_eq!(added, 0);
            assert_eq!(add(stack, c"a", Some(1)), 0, "unlocked");
            reftable_stack_destroy(stack);
        }
    });
    assert_eq!(left, 0);
}

unsafe extern "C" fn on_reload(arg: *mut c_void) {
    // SAFETY: the tests pass a scene, whose stack is NULL or open.
    unsafe {
        let scene = &*arg.cast::<Scene<'_>>();
        scene.count();
        let stack = scene.stack.get();
        if !stack.is_null() {
            assert_eq!(reftable_stack_reload(stack), 0);
            let _ = read(stack, c"a");
        }
    }
}

#[test]
fn on_reload_is_called_as_often_as_by_gits_library() {
    let directory = Directory::new();
    let scene = Scene::new(&directory);
    let mut options = options();
    options.on_reload = Some(on_reload);
    options.on_reload_payload = scene.arg();
    let stack = directory.open(&options);
    let other = directory.open(&uncompacted());
    let reloads = || scene.calls.replace(0);
    assert_eq!(reloads(), 1, "opened");
    scene.stack.set(stack);
    // SAFETY: the pointers are good.
    unsafe {
        assert_eq!(reftable_stack_reload(stack), 0);
        assert_eq!(reloads(), 0, "nothing new");
        assert_eq!(add(stack, c"a", Some(1)), 0);
        assert_eq!(reloads(), 1, "a table was added");
        assert_eq!(add(stack, c"a", Some(2)), 0);
        assert_eq!(reloads(), 2, "and the stack compacted");
        assert_eq!(reftable_stack_reload(other), 0);
        assert_eq!(add(other, c"a", Some(3)), 0);
        assert_eq!(add(stack, c"a", Some(4)), -12);
        assert_eq!(reloads(), 1, "outdated");
        assert_eq!(add(other, c"a", Some(5)), 0);
        let mut addition = ptr::null_mut();
        assert_eq!(new_addition(&mut addition, stack, RELOAD), 0);
        assert_eq!(reloads(), 1, "reloaded under the lock");
        reftable_addition_destroy(addition);
        assert_eq!(compact_all(stack, ptr::null_mut()), 0);
        assert_eq!(reloads(), 1, "compacted");
        assert_eq!(reftable_stack_clean(stack), 0);
        assert_eq!(reloads(), 0);
        fs::write(directory.path().join("new"), "missing.ref\n").unwrap();
        fs::rename(
            directory.path().join("new"),
            directory.path().join("tables.list"),
        )
        .unwrap();
        scene.stack.set(ptr::null_mut());
        assert_eq!(reftable_stack_reload(stack), -4);
        assert_eq!(reloads(), 1, "the reload failed");
        reftable_stack_destroy(stack);
        reftable_stack_destroy(other);
    }
    assert_eq!(reloads(), 0);
}

unsafe extern "C" fn report(info: *mut reftable_fsck_info, arg: *mut c_void) -> c_int {
    // SAFETY: the tests pass a scene, whose stack is open; the texts are strings.
    unsafe {
        let scene = &*arg.cast::<Scene<'_>>();
        assert_eq!(text((*info).msg), "invalid reftable table name");
        assert_eq!((text((*info).path), (*info).error), ("odd.ref".into(), 0));
        assert_eq!(compact_all(scene.stack.get(), ptr::null_mut()), 0);
        scene.count();
    }
    4
}

unsafe extern "C" fn verbose(msg: *const c_char, arg: *mut c_void) {
    assert!(text(msg).starts_with("Checking table: "));
    // SAFETY: the tests pass a scene.
    unsafe { &*arg.cast::<Scene<'_>>() }.count();
}

#[test]
fn a_check_reports_names_and_may_change_the_stack() {
    let directory = Directory::new();
    let scene = Scene::new(&directory);
    let stack = directory.open(&uncompacted());
    for id in 0..3 {
        assert_eq!(add(stack, c"a", Some(id)), 0);
    }
    // SAFETY: the pointers are good or NULL.
    unsafe {
        let check =
            |stack, report, verbose| reftable_fsck_check(stack, report, verbose, scene.arg());
        assert_eq!(check(stack, Some(report), Some(verbose)), 0);
        assert_eq!(scene.calls.replace(0), 3);
        let list = fs::read_to_string(directory.path().join("tables.list")).unwrap();
        let second = list.lines().nth(1).unwrap();
        fs::rename(
            directory.path().join(second),
            directory.path().join("odd.ref"),
        )
        .unwrap();
        let list = list.replace(second, "odd.ref");
        fs::write(directory.path().join("new"), list).unwrap();
        fs::rename(
            directory.path().join("new"),
            directory.path().join("tables.list"),
        )
        .unwrap();
        assert_eq!(reftable_stack_reload(stack), 0);
        scene.stack.set(stack);
        assert_eq!(check(stack, Some(report), Some(verbose)), 4);
        assert_eq!((scene.calls.get(), tables(stack)), (4, 1));
        assert_eq!(check(stack, Some(report), None), 0);
        assert_eq!(check(stack, None, None), -6);
        assert_eq!(check(ptr::null_mut(), Some(report), None), -6);
        reftable_stack_destroy(stack);
    }
}

/// One stack per thread, all of one directory.
#[test]
fn threads_with_separate_stacks_lose_nothing() {
    const THREADS: u8 = 4;
    const ADDITIONS: u8 = 20;
    static NAMES: [&CStr; THREADS as usize] = [c"a", c"b", c"c", c"d"];
    let directory = Directory::new();
    let patient = || {
        let mut options = options();
        options.write.lock_timeout_ms = -1;
        options
    };
    std::thread::scope(|scope| {
        for name in NAMES {
            let directory = &directory;
            scope.spawn(move || {
                let stack = directory.open(&patient());
                for id in 1..=ADDITIONS {
                    let mut addition = ptr::null_mut();
                    // SAFETY: the stack is this thread's alone.
                    unsafe {
                        let new = new_addition(&mut addition, stack, RELOAD);
                        assert_eq!(new, 0);
                        let next = reftable_stack_next_update_index(stack);
                        assert_eq!(add_to(addition, &mut change(name, id, next)), 0);
                        assert_eq!(reftable_addition_commit(addition), 0);
                        reftable_addition_destroy(addition);
                        assert_eq!(read(stack, name), Some(id));
                    }
                }
                // SAFETY: as above.
                unsafe { reftable_stack_destroy(stack) };
            });
        }
    });
    let stack = directory.open(&options());
    for name in NAMES {
        assert_eq!(read(stack, name), Some(ADDITIONS));
    }
    // SAFETY: the stack is open.
    unsafe {
        let next = reftable_stack_next_update_index(stack);
        assert_eq!(next, 1 + u64::from(THREADS) * u64::from(ADDITIONS));
        reftable_stack_destroy(stack);
    }
}
