use super::*;
use crate::ffi::alloc::testing::{counted, failing_after};
use crate::ffi::code::Code;
use crate::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};

fn a_ref<'a>(name: &'a [u8], value: RefValue<'a>) -> RefRecord<'a> {
    RefRecord {
        name,
        update_index: 7,
        value,
    }
}

fn a_log<'a>(name: &'a [u8], message: &'a [u8]) -> LogRecord<'a> {
    LogRecord {
        name,
        update_index: 9,
        value: LogValue::Update(LogUpdate {
            old_hash: &[1; 20],
            new_hash: &[2; 20],
            name: b"A U Thor",
            email: b"author@example.com",
            time: 1_700_000_000,
            tz_offset: Zone::from_stored(-130),
            message,
        }),
    }
}

const VALUES: [RefValue<'static>; 4] = [
    RefValue::Deletion,
    RefValue::Val1(&[3; 20]),
    RefValue::Val2 {
        value: &[4; 20],
        target: &[5; 20],
    },
    RefValue::Symref(b"refs/heads/main"),
];

#[test]
fn refs_are_copied_and_memory_is_reused() {
    let ((), left) = counted(|| {
        let mut record = reftable_ref_record::EMPTY;
        for (n, value) in VALUES.iter().chain(&VALUES).enumerate() {
            let name = [b'r'; 20].get(..10 + n).unwrap().to_vec();
            let from = a_ref(&name, *value);
            // SAFETY: the record owns its strings.
            unsafe {
                fill_ref(&mut record, &from).unwrap();
                assert_eq!(ref_view(&record, 20).unwrap(), from);
                assert_eq!(record.refname_cap, if n == 0 { 11 } else { 23 });
                let is_deletion = reftable_ref_record_is_deletion(&record);
                assert_eq!(is_deletion, c_int::from(*value == RefValue::Deletion));
                assert_eq!(
                    reftable_ref_record_val1(&record).is_null(),
                    value.id().is_none()
                );
                assert_eq!(
                    reftable_ref_record_val2(&record).is_null(),
                    value.peeled().is_none()
                );
            }
        }
        // SAFETY: the same; a released record is empty.
        unsafe {
            reftable_ref_record_release(&mut record);
            assert_eq!(
                reftable_ref_record_equal(&record, &reftable_ref_record::EMPTY, 32),
                1
            );
            reftable_ref_record_release(&mut record);
        }
    });
    assert_eq!(left, 0);
}

#[test]
fn logs_are_copied_and_memory_is_reused() {
    let ((), left) = counted(|| {
        let mut record = reftable_log_record::EMPTY;
        let deletion = LogRecord {
            name: b"HEAD",
            update_index: 1,
            value: LogValue::Deletion,
        };
        for from in [
            a_log(b"HEAD", b"one\n"),
            deletion,
            a_log(b"refs/x", b""),
            deletion,
        ] {
            // SAFETY: the record owns its strings.
            unsafe {
                fill_log(&mut record, &from).unwrap();
                assert_eq!(log_view(&record, 20).unwrap().record, from);
                let is_deletion = reftable_log_record_is_deletion(&record);
                assert_eq!(is_deletion, c_int::from(from.is_deletion()));
            }
        }
        // SAFETY: as above; the author's name keeps its address.
        unsafe {
            fill_log(&mut record, &a_log(b"HEAD", b"a")).unwrap();
            let name = record.value.update.name;
            fill_log(&mut record, &a_log(b"HEAD", b"b")).unwrap();
            assert_eq!(record.value.update.name, name);
            assert_eq!(record.value.update.message_cap, 2);
            reftable_log_record_release(&mut record);
            assert_eq!(
                reftable_log_record_equal(&record, &reftable_log_record::EMPTY, 32),
                1
            );
            reftable_log_record_release(&mut record);
        }
    });
    assert_eq!(left, 0);
}

#[test]
fn every_allocation_may_fail() {
    for allocations in 0..=6 {
        let ((), left) = failing_after(allocations, || {
            let mut log = reftable_log_record::EMPTY;
            let mut symref = reftable_ref_record::EMPTY;
            // SAFETY: the records' strings are their own.
            unsafe {
                let done = fill_log(&mut log, &a_log(b"HEAD", b"message"));
                assert_eq!(done.is_ok(), allocations >= 4);
                reftable_log_record_release(&mut log);
                let done = fill_ref(&mut symref, &a_ref(b"HEAD", RefValue::Symref(b"x")));
                assert_eq!(done.is_ok(), allocations >= 6);
                reftable_ref_record_release(&mut symref);
            }
        });
        assert_eq!(left, 0, "{allocations}");
    }
}

#[test]
fn records_differ_in_each_member() {
    let ((), left) = counted(|| {
        let fill = |from: &RefRecord<'_>| {
            let mut record = reftable_ref_record::EMPTY;
            // SAFETY: the record owns its strings.
            unsafe { fill_ref(&mut record, from) }.unwrap();
            record
        };
        let mut all: Vec<_> = VALUES
            .iter()
            .map(|value| fill(&a_ref(b"a", *value)))
            .collect();
        all.push(fill(&a_ref(b"b", RefValue::Deletion)));
        all.push(fill(&a_ref(b"a", RefValue::Val1(&[6; 20]))));
        all.push(fill(&a_ref(b"a", RefValue::Symref(b"other"))));
        for (i, a) in all.iter().enumerate() {
            for (k, b) in all.iter().enumerate() {
                // SAFETY: both are records.
                let equal = unsafe { reftable_ref_record_equal(a, b, 20) };
                assert_eq!(equal, c_int::from(i == k), "{i} {k}");
            }
        }
        for record in &mut all {
            // SAFETY: as above.
            unsafe { reftable_ref_record_release(record) };
        }
    });
    assert_eq!(left, 0);
}

#[test]
fn null_is_refused_or_ignored() {
    // SAFETY: NULL is allowed everywhere.
    unsafe {
        reftable_ref_record_release(ptr::null_mut());
        reftable_log_record_release(ptr::null_mut());
        assert!(reftable_ref_record_val1(ptr::null()).is_null());
        assert!(reftable_ref_record_val2(ptr::null()).is_null());
        assert_eq!(reftable_ref_record_is_deletion(ptr::null()), 0);
        assert_eq!(reftable_log_record_is_deletion(ptr::null()), 0);
        let (a_ref, a_log) = (reftable_ref_record::EMPTY, reftable_log_record::EMPTY);
        assert_eq!(reftable_ref_record_equal(ptr::null(), &a_ref, 20), 0);
        assert_eq!(reftable_log_record_equal(&a_log, ptr::null(), 20), 0);
        assert_eq!(reftable_log_record_equal(ptr::null(), ptr::null(), 20), 1);
        assert_eq!(ref_view(&a_ref, 20), Err(Code::MISUSE));
        assert!(log_view(&a_log, 20).is_err());
        assert!(ref_view(ptr::null(), 20).is_err());
        let nothing = self::a_ref(b"", RefValue::Deletion);
        assert_eq!(fill_ref(ptr::null_mut(), &nothing), Err(Code::MISUSE));
    }
}
