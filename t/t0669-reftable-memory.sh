#!/bin/sh
# shellcheck disable=SC1091,SC2016,SC2034,SC2086,SC2154,SC3045

test_description='commands on reftables that run out of memory

Each command runs with a memory limit that grows until it succeeds several times in a
row. REFTABLE_MEMORY_STEP sets the step in KiB, REFTABLE_MEMORY_REFS the number of
refs.'

. ./lib-reftable.sh

step=${REFTABLE_MEMORY_STEP:-1024}
count=${REFTABLE_MEMORY_REFS:-10000}

test_lazy_prereq ULIMIT_MEMORY '
	(ulimit -v 4194304 && git version) &&
	! (ulimit -v 1024 && git version)
'

if ! test_have_prereq ULIMIT_MEMORY
then
	skip_all='memory cannot be limited'
	test_done
fi

# The stack has several tables, with refs and logs in each.
test_expect_success 'setup' '
	git init template &&
	git -C template config pack.threads 1 &&
	git -C template config index.threads 1 &&
	git -C template config core.logAllRefUpdates always &&
	git -C template config gc.auto 0 &&
	git -C template config maintenance.auto false &&
	test_commit -C template one &&
	test_commit -C template two &&
	id=$(git -C template rev-parse HEAD) &&
	awk "BEGIN { for (i = 1; i <= $count; i++)
		printf \"create refs/heads/many/%06d $id\n\", i }" >input &&
	git -C template update-ref --stdin <input &&
	sed -e "s,heads/many,heads/more," input >more &&
	GIT_TEST_REFTABLE_AUTOCOMPACTION=0 &&
	export GIT_TEST_REFTABLE_AUTOCOMPACTION &&
	head -n 200 more >first &&
	git -C template update-ref --stdin <first &&
	git -C template update-ref refs/heads/last HEAD &&
	sane_unset GIT_TEST_REFTABLE_AUTOCOMPACTION &&
	sed -e "s,heads/many,heads/new," input >creates &&
	git -C template for-each-ref >refs.expect &&
	test $(wc -l <template/.git/reftable/tables.list) -gt 2
'

# With less memory git does not start.
test_expect_success 'the least memory with which git starts' '
	least=1024 &&
	until (ulimit -v $least && git -C template config core.bare) >out 2>err
	do
		least=$((least + 64)) || return 1
	done
'

restore_repo () {
	rm -rf repo &&
	cp -R -p template repo &&
	reftable_bytes repo | LC_ALL=C sort >before
}

# ended_cleanly STATUS: the command succeeded or failed with git's own error, not by a
# signal, and left no lock or temporary file.
ended_cleanly () {
	find repo/.git \( -name "*.lock" -o -path "*reftable/*.temp.*" \) -print >left &&
	test_must_be_empty left &&
	! grep -E "panicked|BUG:|died of signal|Assertion|memory allocation of" err &&
	case $1 in
	0) ;;
	1|128) grep -E "^(remote: )*(error|fatal): " err ;;
	*)
		echo >&2 "exit status $1"
		return 1
		;;
	esac
}

# Set if a command that has done its work then looks into leftovers, such as the unlisted table
# of an earlier failure, and may fail there.
cleans=

# until_it_succeeds STEP COMMAND [LIMIT]: runs a shell command that uses \$limit with
# limits from LIMIT on, with a fresh repository after each success.
until_it_succeeds () {
	limit=${3:-$least} successes=0 failures=0 &&
	restore_repo &&
	while test $successes -lt 3
	do
		status=0
		(eval "$2") >out 2>err || status=$?
		ended_cleanly $status || {
			echo >&2 "limit $limit:"
			cat >&2 err
			return 1
		}
		if test $status = 0
		then
			successes=$((successes + 1)) &&
			git -C repo for-each-ref >refs.actual &&
			restore_repo
		else
			successes=0 failures=$((failures + 1)) &&
			# An unlisted table may remain, as after a killed process.
			reftable_bytes repo | LC_ALL=C sort >after &&
			LC_ALL=C comm -23 before after >changed &&
			if test -s changed && test -n "$cleans"
			then
				git -C repo for-each-ref >refs.actual &&
				test_cmp refs.expect refs.actual &&
				test_line_count = 1 repo/.git/reftable/tables.list &&
				restore_repo
			else
				test_must_be_empty changed
			fi
		fi || return 1
		limit=$((limit + $1)) &&
		test $limit -lt 1048576 || return 1
	done &&
	echo "$failures failures, up to $limit KiB" &&
	test $failures -gt 0
}

# Smaller steps for commands that need little memory.
small=$((step / 8))

test_expect_success RUST_REFTABLE 'update-ref --stdin' '
	until_it_succeeds $step "ulimit -v \$limit && exec git -C repo update-ref --stdin <creates"
'

test_expect_success RUST_REFTABLE 'update-ref --stdin deletes' '
	sed -e "s,create,delete," input >deletes &&
	until_it_succeeds $step "ulimit -v \$limit && exec git -C repo update-ref --stdin <deletes"
'

test_expect_success RUST_REFTABLE 'pack-refs' '
	cleans=yes &&
	until_it_succeeds $small "ulimit -v \$limit && exec git -C repo pack-refs --all" &&
	cleans= &&
	test_cmp refs.expect refs.actual
'

test_expect_success RUST_REFTABLE 'reflog expire' '
	until_it_succeeds $small "ulimit -v \$limit &&
		exec git -C repo reflog expire --expire=all refs/heads/many/000001 HEAD" &&
	test_cmp refs.expect refs.actual
'

test_expect_success RUST_REFTABLE 'for-each-ref' '
	until_it_succeeds $small "ulimit -v \$limit && exec git -C repo for-each-ref" &&
	test_cmp refs.expect refs.actual
'

test_expect_success RUST_REFTABLE 'reflog' '
	until_it_succeeds $small "ulimit -v \$limit && exec git -C repo reflog -1 HEAD"
'

# Older releases update the refs one by one.
test_expect_success BATCH_UPDATES,RUST_REFTABLE 'receive-pack of many branches' '
	write_script limited-receive-pack <<-\EOF &&
	ulimit -v $limit && exec git receive-pack "$@"
	EOF
	git clone --mirror template pushed.git &&
	git -C pushed.git update-ref --stdin <creates &&
	export limit &&
	# The client may end by SIGPIPE, which does not matter here. With less memory the
	# connectivity check fails as well, which starts a process for each ref.
	until_it_succeeds $step "git -C pushed.git push \
		--receive-pack=../limited-receive-pack ../repo refs/heads/new/*:refs/heads/new/* ||
		{ status=\$? && test \$status != 141 || exit 128; exit \$status; }" \
		$((least * 9 / 4)) &&
	sane_unset limit
'

# A log of 90 MiB, which is less than a megabyte in its table.
test_expect_success MIGRATE_REFLOGS,RUST_REFTABLE 'logs larger than memory' '
	git init --ref-format=files huge &&
	test_commit -C huge one &&
	id=$(git -C huge rev-parse HEAD) &&
	awk "BEGIN {
		message = sprintf(\"%1500s\", \"\")
		for (i = 0; i < 60000; i++)
			printf \"$id $id A U Thor <author@example.com> %d +0000\\t.%s.\\n\",
				1112911993 + i, message
	}" >huge/.git/logs/refs/heads/main &&
	git -C huge refs migrate --ref-format=reftable &&
	limit=$((least + 40960)) &&
	limited () {
		(ulimit -v $limit && git -C huge "$@")
	} &&
	limited rev-parse "main@{59999}" &&
	limited reflog expire --dry-run --expire=now main &&
	limited branch -m main other &&
	limited branch -c other third &&
	test $(git -C huge rev-parse "other@{50000}") = $(git -C huge rev-parse "third@{50000}") &&
	limited update-ref -d refs/heads/third &&
	limited reflog expire --expire=now other &&
	! limited rev-parse --verify "main@{0}"
'

test_expect_success RUST_REFTABLE 'the message is git'\''s own' '
	restore_repo &&
	limit=$least &&
	while :
	do
		limit=$((limit + 512)) &&
		! (ulimit -v $limit && exec git -C repo update-ref --stdin <creates) 2>err ||
			return 1
		! grep "^fatal: Out of memory, malloc failed (tried to allocate" err || break
	done
'

test_done
