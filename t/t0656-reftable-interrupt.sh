#!/bin/sh
# shellcheck disable=SC1091,SC2016,SC2034,SC2086,SC2154

test_description='interrupted commands on reftables, and what is flushed to disk'

. ./lib-reftable.sh

test_expect_success 'setup' '
	git init template &&
	test_commit -C template one &&
	GIT_TEST_REFTABLE_AUTOCOMPACTION=0 &&
	export GIT_TEST_REFTABLE_AUTOCOMPACTION &&
	test_commit -C template two &&
	test_seq -f "create refs/heads/many/%03d HEAD" 200 >input &&
	git -C template update-ref --stdin <input &&
	sane_unset GIT_TEST_REFTABLE_AUTOCOMPACTION
'

# hook_kills SIGNAL: makes a hook that sends the signal to git when a transaction is
# prepared, if git holds the lock.
hook_kills () {
	test_hook --setup -C repo reference-transaction <<-EOF
	test "\$1" = prepared || exit 0
	dir=\$(git rev-parse --git-common-dir)
	test -f "\$dir/reftable/tables.list.lock" || exit 0
	>"\$dir/was-locked"
	kill -s $1 \$PPID
	EOF
}

# nothing_but_tables: no stack has a lock or a temporary file.
nothing_but_tables () {
	find repo/.git -path "*reftable/*" -type f ! -name tables.list ! -name "*.ref" >left &&
	test_must_be_empty left
}

signal_number () {
	case $1 in
	HUP) echo 1 ;;
	INT) echo 2 ;;
	KILL) echo 9 ;;
	PIPE) echo 13 ;;
	TERM) echo 15 ;;
	esac
}

# ended_by SIGNAL COMMAND...: the command ends by the signal.
ended_by () {
	number=$(signal_number $1) &&
	shift &&
	test_expect_code $((128 + number)) "$@"
}

for signal in INT TERM HUP
do
	test_expect_success "SIG$signal while the lock is held: nothing is left behind or changed" '
		fresh_repo &&
		reftable_bytes repo >before &&
		hook_kills $signal &&
		ended_by $signal git -C repo update-ref refs/heads/new HEAD &&
		test_path_is_file repo/.git/was-locked &&
		nothing_but_tables &&
		reftable_bytes repo >after &&
		test_cmp before after &&
		rm repo/.git/hooks/reference-transaction &&
		git -C repo update-ref refs/heads/new HEAD
	'

	test_expect_success "SIG$signal in a transaction across two stacks" '
		test_when_finished "rm -rf worktree" &&
		fresh_repo &&
		git -C repo worktree add ../worktree &&
		reftable_bytes repo >before &&
		hook_kills $signal &&
		test_write_lines "create refs/heads/shared HEAD" "create refs/worktree/own HEAD" >input &&
		ended_by $signal git -C worktree update-ref --stdin <input &&
		test_path_is_file repo/.git/was-locked &&
		nothing_but_tables &&
		reftable_bytes repo >after &&
		test_cmp before after
	'
done

for command in "branch new" "tag new" "commit --allow-empty -m new" "branch -D many/001" \
	"checkout -b new" "reset --soft HEAD^" "symbolic-ref HEAD refs/heads/many/001"
do
	# Older releases create symbolic refs without a transaction, and so without the hook.
	case $command in
	symbolic-ref*) needs=MIGRATE ;;
	*) needs= ;;
	esac
	test_expect_success $needs "SIGTERM during: git $command" '
		fresh_repo &&
		reftable_bytes repo >before &&
		hook_kills TERM &&
		ended_by TERM git -C repo $command &&
		test_path_is_file repo/.git/was-locked &&
		nothing_but_tables &&
		reftable_bytes repo >after &&
		test_cmp before after
	'
done

test_expect_success PIPE 'SIGTERM between prepare and commit of update-ref --stdin' '
	fresh_repo &&
	reftable_bytes repo >before &&
	mkfifo in out &&
	test_when_finished "rm -f in out" &&
	{ git -C repo update-ref --stdin <in >out & } &&
	pid=$! &&
	exec 8>in 9<out &&
	test_when_finished "exec 8>&- 9<&-" &&
	test_write_lines start "create refs/heads/new HEAD" prepare >&8 &&
	read line <&9 &&
	test "$line" = "start: ok" &&
	read line <&9 &&
	test "$line" = "prepare: ok" &&
	test_path_is_file $stack/tables.list.lock &&
	kill $pid &&
	test_expect_code 143 wait $pid &&
	nothing_but_tables &&
	reftable_bytes repo >after &&
	test_cmp before after
'

test_expect_success 'SIGKILL leaves the lock, and the next command reports it' '
	fresh_repo &&
	reftable_bytes repo >before &&
	hook_kills KILL &&
	ended_by KILL git -C repo update-ref refs/heads/new HEAD &&
	test_path_is_file repo/.git/was-locked &&
	test_path_is_file $stack/tables.list.lock &&
	rm repo/.git/hooks/reference-transaction &&
	must_die_politely git -C repo update-ref refs/heads/new HEAD &&
	test_grep "cannot lock references" err &&
	test_must_fail git -C repo rev-parse --verify refs/heads/new &&
	git -C repo for-each-ref &&
	rm $stack/tables.list.lock &&
	nothing_but_tables &&
	reftable_bytes repo >after &&
	test_cmp before after &&
	git -C repo update-ref refs/heads/new HEAD &&
	git -C repo refs verify
'

test_expect_success RUST_REFTABLE 'a lock in the way is named, with the likely cause' '
	fresh_repo &&
	lock=$(pwd)/$stack/tables.list.lock &&
	for command in "update-ref refs/heads/new HEAD" "branch -m main renamed" \
		"reflog expire --expire=all refs/heads/renamed" "reflog delete HEAD@{0}" "tag new"
	do
		>$stack/tables.list.lock &&
		must_die_politely git -C repo $command &&
		test_grep "Unable to create .$lock.: File exists" err &&
		test_grep "the lock file may be stale\|may have crashed" err &&
		rm $stack/tables.list.lock &&
		git -C repo $command || return 1
	done
'

test_expect_success RUST_REFTABLE 'pack-refs names the lock of a table' '
	fresh_repo &&
	table=$(tables_of $stack | tail -n 1) &&
	>$table.lock &&
	must_die_politely git -C repo pack-refs &&
	test_grep "unable to compact stack: data is locked" err &&
	test_grep "Unable to create .*$(basename $table).lock.: File exists" err &&
	test_path_is_file $table.lock &&
	git -C repo update-ref refs/heads/new HEAD &&
	rm $table.lock &&
	git -C repo pack-refs
'

test_expect_success RUST_REFTABLE 'pack-refs removes old files of killed processes' '
	fresh_repo &&
	table=$(tables_of $stack | tail -n 1) &&
	temporary=$stack/0x000000000001-0x000000000001-00000000.temp.abcdef &&
	>$table.lock &&
	>$temporary &&
	test-tool chmtime -100000 $table.lock $temporary &&
	git -C repo pack-refs &&
	nothing_but_tables
'

test_lazy_prereq STRACE '
	strace -o trace -f -y -e trace=%file,write,fsync,fdatasync true &&
	strace -o trace -e trace=write -e inject=write:signal=SIGTERM:when=999 true
'

# sound STATE...: repo has the refs and reflogs of one of these states, no locks and no
# temporary files, and can be written to.
sound () {
	state_of repo >actual &&
	nothing_but_tables &&
	found= &&
	for state
	do
		if cmp -s $state actual
		then
			found=$state
		fi
	done &&
	test -n "$found" &&
	git -C repo refs verify &&
	git -C repo update-ref refs/heads/written-after HEAD &&
	git -C repo pack-refs
}

state_of () {
	git -C $1 for-each-ref &&
	git -C $1 log -g --all --format="%gD %H %gs"
}

# struck SYSCALL COMMAND...: sends SIGTERM to git at each of its calls of SYSCALL in turn,
# until a run is not interrupted.
struck () {
	syscall=$1 &&
	shift &&
	fresh_repo &&
	state_of repo >before &&
	git -C repo "$@" &&
	state_of repo >after &&
	number=0 &&
	status=143 &&
	while test $status = 143 && test $number -lt 100
	do
		number=$((number + 1)) &&
		rm -rf repo &&
		cp -R -p template repo &&
		{
			GIT_TEST_FSYNC=true strace -f -o trace -e trace=$syscall \
				-e inject=$syscall:signal=SIGTERM:when=$number \
				git -C repo -c core.fsync=reference -c core.fsyncMethod=fsync "$@" >out 2>err
			status=$?
		} &&
		sound before after || return 1
	done &&
	test $status = 0 &&
	test $number -gt 2
}

for syscall in fsync /^rename fchmod,/^chmod
do
	test_expect_success STRACE "SIGTERM at every call of $syscall in a transaction" '
		struck $syscall update-ref refs/heads/new HEAD
	'
done

for syscall in fsync /^rename
do
	test_expect_success STRACE "SIGTERM at every call of $syscall in a compaction" '
		struck $syscall pack-refs
	'

	test_expect_success STRACE "SIGTERM at every call of $syscall in an expiry" '
		struck $syscall reflog expire --expire=all refs/heads/main
	'
done

# traced: prints the writes, flushes and renames below reftable/ in their order.
traced () {
	GIT_TEST_FSYNC=true strace -f -y -o trace -e trace=write,writev,pwrite64,fsync,fdatasync,/^rename \
		git -C repo -c core.fsyncMethod=fsync "$@" &&
	sed -n -e "s,^[0-9]* *write[v]*([0-9]*<[^>]*/reftable/\([^>]*\)>.*,write \1,p" \
		-e "s,^[0-9]* *f[a-z]*sync([0-9]*<[^>]*/reftable/\([^>]*\)>.*,sync \1,p" \
		-e "s,^[0-9]* *rename.*\"[^\"]*/reftable/\([^\"]*\)\".*\"[^\"]*/reftable/\([^\"]*\)\".*,rename \1 \2,p" trace |
	sed -e "s/tables.list.lock/LOCK/" -e "s/0x[^ ]*\.temp\.[^ ]*/TEMP/" \
		-e "s/0x[^ ]*\.ref\.[^ ]*/TEMP/; s/0x[^ ]*\.ref/TABLE/" | uniq >calls
}

test_expect_success STRACE 'core.fsync=reference: tables and list are flushed before they are renamed' '
	fresh_repo &&
	traced -c core.fsync=reference update-ref refs/heads/new HEAD &&
	grep -n -e sync -e rename calls | sed "s/^[0-9]*://" >actual &&
	head -n 4 actual >first &&
	cat >expect <<-\EOF &&
	sync TEMP
	rename TEMP TABLE
	sync LOCK
	rename LOCK tables.list
	EOF
	test_cmp expect first
'

test_expect_success STRACE,RUST_REFTABLE 'core.fsync=reference: the footer is flushed' '
	fresh_repo &&
	traced -c core.fsync=reference update-ref refs/heads/new HEAD &&
	head -n 6 calls >first &&
	cat >expect <<-\EOF &&
	write TEMP
	sync TEMP
	rename TEMP TABLE
	write LOCK
	sync LOCK
	rename LOCK tables.list
	EOF
	test_cmp expect first
'

test_expect_success STRACE 'core.fsync=reference: a compaction flushes table and list' '
	fresh_repo &&
	traced -c core.fsync=reference pack-refs &&
	test $(grep -c "sync TEMP" calls) = 1 &&
	test $(grep -c "sync LOCK" calls) = 1 &&
	grep -e "rename LOCK" -e "sync LOCK" calls >actual &&
	test_write_lines "sync LOCK" "rename LOCK tables.list" >expect &&
	test_cmp expect actual
'

test_expect_success STRACE 'core.fsync=none: nothing is flushed' '
	fresh_repo &&
	traced -c core.fsync=none update-ref refs/heads/new HEAD &&
	test_grep "rename LOCK tables.list" calls &&
	test_grep ! sync calls
'

test_done
