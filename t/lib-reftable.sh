# shellcheck shell=sh disable=SC2034,SC2059
# Helpers of t003x: included after test-lib.sh.
#
# The scripts run with the patched git (GIT_TEST_REFTABLE=1), built with the Rust or
# with the C backend, and with upstream's (GIT_TEST_DEFAULT_REF_FORMAT=reftable).
# What only the Rust backend promises has the prerequisite RUST_REFTABLE, what the
# patches to git's front end promise with either backend PATCHED_GIT.

if ! test_have_prereq REFTABLE
then
	skip_all='not run with reftables as the default'
	test_done
fi

test_lazy_prereq PATCHED_GIT '
	git version --build-options >options &&
	grep "^reftable: " options
'

test_lazy_prereq RUST_REFTABLE '
	git version --build-options >options &&
	grep "^reftable: rust [0-9]" options
'

# reftable_bytes DIRECTORY: names and contents of every file below DIRECTORY's
# reftable folders, so that two states can be compared byte by byte.
reftable_bytes () {
	(
		cd "$1" &&
		find . -path '*reftable/*' -type f -exec cksum {} + |
		LC_ALL=C sort -k 3
	)
}

# tables_of DIRECTORY: the tables that its list names, as paths, oldest first.
tables_of () {
	sed -e "s,^,$1/," "$1/tables.list"
}

# overwrite FILE OFFSET STRING: puts STRING (a printf format) at OFFSET.
overwrite () {
	chmod u+w "$1" &&
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

file_size () {
	wc -c <"$1" | tr -d ' '
}

# must_die_politely COMMAND...: fails with git's own error line, not by a signal,
# a panic or a bug report. Stderr is left in the file err.
must_die_politely () {
	test_must_fail "$@" 2>err &&
	test_grep -E "^(error|fatal): " err &&
	! grep -E "panicked|BUG:|RUST_BACKTRACE|Assertion" err
}

# same_rev DIRECTORY A B: both name one object.
same_rev () {
	git -C "$1" rev-parse --verify "$2" >rev.a &&
	git -C "$1" rev-parse --verify "$3" >rev.b &&
	test_cmp rev.a rev.b
}
