#!/bin/sh
# shellcheck disable=SC1091,SC2016,SC2034,SC2086,SC2154

test_description='expiring many reflogs at once, beside other writers and interrupted'

. ./lib-reftable.sh

test_lazy_prereq STRACE '
	strace -o trace -e trace=write -e inject=write:signal=SIGTERM:when=999 true
'

# Whether the front end tells backends that it expires several logs.
test_lazy_prereq EXPIRY_RUNS '
	git init repo &&
	GIT_TRACE_REFS=1 git -C repo reflog expire --all 2>trace &&
	grep reflog_expire_begin trace
'

# The setup of one repository in the format $1. Times of entries are a day apart.
make_repo () {
	git init --ref-format=$1 $1 &&
	git -C $1 config core.logAllRefUpdates always &&
	git -C $1 config gc.reflogExpireUnreachable never &&
	(
		cd $1 &&
		test_commit --no-tag one &&
		test_commit --no-tag two &&
		test_commit --no-tag three &&
		git rev-list HEAD >../ids &&
		for i in $(test_seq 20)
		do
			id=$(sed -n "$((i % 3 + 1))p" ../ids) &&
			test_seq -f "update refs/heads/b%02d $id" 40 >input &&
			GIT_COMMITTER_DATE="$((1200000000 + i * 86400)) +0000" \
				git update-ref -m "change $i" --stdin <input || return 1
		done &&
		git worktree add -b side ../$1-side HEAD~ &&
		git worktree add --detach ../$1-detached HEAD &&
		git -C ../$1-side reset --hard HEAD~ &&
		git -C ../$1-side update-ref refs/bisect/bad HEAD &&
		git -C ../$1-detached update-ref refs/worktree/own HEAD &&
		git -C ../$1-detached update-ref refs/worktree/own HEAD~
	)
}

# state_of DIRECTORY: prints refs and reflogs of all worktrees.
state_of () {
	for tree in $1 $1-side $1-detached
	do
		test -d $tree || continue
		git -C $tree for-each-ref &&
		git -C $tree symbolic-ref -q HEAD || git -C $tree rev-parse HEAD &&
		git -C $tree log -g --all --date=raw --format="%gD %H %gd %gn %ge %gs" || return 1
	done &&
	git -C $1 log -g --date=raw --format="%H %gd %gs" worktrees/$1-side/HEAD
}

logs_of () {
	reflog_names $1 >names &&
	LC_ALL=C sort names
}

# fresh_pair: "reftable" and "files" and their worktrees are as after the setup.
fresh_pair () {
	rm -rf reftable* files* &&
	cp -R -p saved/. .
}

# both COMMAND...: runs git in both formats, with the same output, messages and exit status. In
# older releases logs in files come in another order.
both () {
	for format in files reftable
	do
		git -C $format "$@" >out 2>&1
		echo $? >>out
		sed "s/$format/FORMAT/g" out | LC_ALL=C sort >out.$format
		state_of $format >state || return 1
		sed "s/$format/FORMAT/g" state >state.$format || return 1
		logs_of $format >list || return 1
		sed "s/$format/FORMAT/g" list >>state.$format
	done &&
	test_cmp out.files out.reftable &&
	test_cmp state.files state.reftable &&
	git -C reftable refs verify
}

test_expect_success 'setup' '
	make_repo reftable &&
	make_repo files &&
	mkdir saved &&
	cp -R -p reftable* files* saved
'

half="--expire=@$((1200000000 + 10 * 86400))"

for options in "$half" "$half --rewrite" "$half --updateref" "$half --rewrite --updateref" \
	"$half --stale-fix" "$half --dry-run" "$half --verbose" "$half --single-worktree" \
	"--expire=all" "--expire=never" "--expire=all --dry-run --verbose" \
	"--expire=all --updateref" "--expire=never --expire-unreachable=now" ""
do
	test_expect_success "the same as in files: reflog expire --all $options" '
		fresh_pair &&
		both reflog expire --all $options &&
		both reflog expire --all $options
	'
done

test_expect_success 'the same as in files: several reflogs' '
	fresh_pair &&
	both reflog expire $half b01 b03 main &&
	both reflog expire $half --rewrite --updateref --verbose b05 b04 missing b06 &&
	both reflog expire --expire=all b07 b07 b08 &&
	both symbolic-ref -m sym refs/heads/symbolic refs/heads/b01 &&
	both reflog expire --expire=all symbolic b09
'

test_expect_success 'the same as in files: deleting several entries' '
	fresh_pair &&
	both reflog delete b01@{3} b02@{4} b03@{5} &&
	both reflog delete b01@{3} b01@{3} b02@{1} b01@{0} &&
	both reflog delete --rewrite --verbose b04@{1} b04@{5} b05@{2} &&
	both reflog delete --updateref b06@{0} b07@{0} b06@{0} &&
	both reflog delete --dry-run b08@{0} b08@{0} &&
	both reflog delete b09@{0} missing@{0} b10 b11@{1} &&
	both reflog delete HEAD@{0} main@{1} HEAD@{0}
'

test_expect_success 'the same as in files: gc' '
	fresh_pair &&
	both -c gc.reflogExpire=2008-01-20 -c gc.packRefs=false gc --quiet
'

# A stack is locked and written once for all of its logs.
test_expect_success RUST_REFTABLE,EXPIRY_RUNS,STRACE 'each stack gets one table' '
	fresh_pair &&
	git -C reftable reflog exists refs/heads/b40 &&
	strace -f -o trace -e trace=/^rename git -C reftable reflog expire --all $half &&
	grep "tables.list\"" trace >lists &&
	test_line_count -lt 5 lists
'

test_expect_success RUST_REFTABLE,EXPIRY_RUNS 'nothing is written if nothing expires' '
	fresh_pair &&
	reftable_bytes reftable >before &&
	git -C reftable reflog expire --all --expire=never &&
	git -C reftable reflog expire --all --rewrite --expire=never &&
	>reftable/.git/reftable/tables.list.lock &&
	git -C reftable reflog expire --all --expire=never &&
	rm reftable/.git/reftable/tables.list.lock &&
	reftable_bytes reftable >after &&
	test_cmp before after
'

test_expect_success RUST_REFTABLE,EXPIRY_RUNS 'a lock in the way: each log is reported' '
	fresh_pair &&
	git -C reftable config reftable.lockTimeout 0 &&
	reftable_bytes reftable >before &&
	>reftable/.git/reftable/tables.list.lock &&
	must_die_politely git -C reftable reflog expire --expire=all b01 b02 b03 &&
	grep "tables.list.lock.: File exists" err >locks &&
	test_line_count = 1 locks &&
	for name in b01 b02 b03
	do
		test_grep "unable to expire the reflog of .refs/heads/$name.: data is locked" err ||
		return 1
	done &&
	must_die_politely git -C reftable reflog delete b01@{0} b02@{0} &&
	test_grep "unable to expire the reflog of .refs/heads/b02." err &&
	# The other stacks are not locked.
	must_die_politely git -C reftable reflog expire --expire=all --all &&
	test_grep "unable to expire the reflog of .refs/heads/b40." err &&
	rm reftable/.git/reftable/tables.list.lock &&
	git -C reftable-detached log -g --format=%gs HEAD >actual &&
	test_must_be_empty actual &&
	git -C reftable log -g --format=%gs b01 >actual &&
	test_line_count = 20 actual &&
	reftable_bytes reftable >after &&
	grep -v worktrees before >before.main &&
	grep -v worktrees after >after.main &&
	test_cmp before.main after.main
'

test_expect_success RUST_REFTABLE 'a damaged log: the others expire' '
	test_when_finished "rm -rf repo" &&
	git init repo &&
	git -C repo config reftable.blockSize 512 &&
	test_commit -C repo one &&
	test_commit -C repo two &&
	for i in $(test_seq 30)
	do
		case $((i % 2)) in
		0) test_seq -f "update refs/heads/%d one" 3 ;;
		1) test_seq -f "update refs/heads/%d two" 3 ;;
		esac >input &&
		git -C repo update-ref -m "change $i" --stdin <input || return 1
	done &&
	git -C repo pack-refs &&
	table=$(tables_of repo/.git/reftable) &&
	# Where deflated blocks start; one in the middle has entries of refs/heads/2.
	set -- $(perl -e "
		undef \$/;
		\$_ = <STDIN>;
		print pos() - 6, \" \" while /g\\x00..x\\xda/gs;
	" <$table) &&
	test $# -gt 8 &&
	shift $(($# / 2)) &&
	overwrite $table $(($1 + 10)) "\377\377\377\377\377\377" &&
	must_die_politely git -C repo reflog expire --expire=all HEAD main 1 2 3 &&
	test_grep "reflog of .refs/heads/2." err &&
	for name in HEAD main 1 3
	do
		git -C repo log -g --format=%gs $name >actual &&
		test_must_be_empty actual || return 1
	done
'

# blocked OPTIONS...: begins an expiry that waits for its output to be read, after the logs of
# all branches before refs/heads/big have been judged. Its first line is read.
blocked () {
	mkfifo out &&
	{ git -C repo "$@" >out 2>err & } &&
	pid=$! &&
	exec 9<out &&
	read -r line <&9
}

# unblock: reads the output of the command, and waits for it.
unblock () {
	cat <&9 >rest &&
	exec 9<&- &&
	rm out &&
	wait $pid
}

# A branch with more text in its log than a pipe holds.
big_repo () {
	rm -rf repo out &&
	git init repo &&
	test_commit -C repo one &&
	test_commit -C repo two &&
	long=$(printf "%01000d" 0) &&
	for name
	do
		git -C repo branch $name one &&
		git -C repo update-ref -m second refs/heads/$name two || return 1
	done &&
	git -C repo branch big &&
	for i in $(test_seq 100)
	do
		echo "start" &&
		echo "update refs/heads/big HEAD~" &&
		echo "commit" &&
		echo "start" &&
		echo "update refs/heads/big HEAD" &&
		echo "commit" || return 1
	done >input &&
	git -C repo update-ref -m "$long" --stdin <input >/dev/null &&
	git -C repo branch zlast
}

log_is () {
	name=$1 &&
	shift &&
	git -C repo reflog exists refs/heads/$name &&
	git -C repo log -g --format="%s %gs" $name >actual &&
	if test $# = 0
	then
		test_must_be_empty actual
	else
		test_write_lines "$@" >expect &&
		test_cmp expect actual
	fi
}

test_expect_success RUST_REFTABLE,EXPIRY_RUNS,PIPE 'other processes change logs that have been judged' '
	big_repo appended deleted emptied moved recreated same &&
	blocked reflog expire --all --expire=all --verbose &&
	git -C repo update-ref -m third refs/heads/appended one &&
	git -C repo branch -D deleted &&
	git -C repo reflog expire --expire=all emptied &&
	git -C repo branch -m moved new-name &&
	git -C repo branch -D recreated &&
	git -C repo update-ref -m again refs/heads/recreated one &&
	git -C repo branch new &&
	unblock &&
	log_is appended "one third" &&
	test_must_fail git -C repo reflog exists refs/heads/deleted &&
	log_is emptied &&
	test_must_fail git -C repo reflog exists refs/heads/moved &&
	log_is new-name "two Branch: renamed refs/heads/moved to refs/heads/new-name" \
		"two second" "one branch: Created from one" &&
	log_is recreated "one again" &&
	log_is same &&
	log_is big &&
	log_is zlast &&
	git -C repo log -g --format=%gs new >actual &&
	test_line_count = 1 actual &&
	git -C repo refs verify &&
	git -C repo pack-refs &&
	test_must_fail git -C repo reflog exists refs/heads/deleted &&
	log_is appended "one third"
'

test_expect_success RUST_REFTABLE,EXPIRY_RUNS,PIPE 'another process compacts the stack' '
	big_repo a b c &&
	blocked reflog expire --all --expire=all --verbose &&
	git -C repo pack-refs --all &&
	unblock &&
	for name in a b c big zlast
	do
		log_is $name || return 1
	done &&
	git -C repo refs verify
'

test_expect_success RUST_REFTABLE,EXPIRY_RUNS,PIPE 'another process changes a ref that is to be updated' '
	big_repo a &&
	test_commit -C repo --no-tag three &&
	blocked reflog delete --updateref --rewrite --verbose a@{0} big@{0} a@{0} &&
	same_rev repo a one &&
	git -C repo update-ref -m moved refs/heads/big HEAD &&
	unblock &&
	same_rev repo big HEAD &&
	git -C repo log -g --format=%gs big >actual &&
	test_line_count = 201 actual &&
	head -n 1 actual >newest &&
	echo moved >expect &&
	test_cmp expect newest
'

test_expect_success RUST_REFTABLE,EXPIRY_RUNS,PIPE 'writers do not wait for an expiry' '
	big_repo a &&
	git -C repo config reftable.lockTimeout 0 &&
	blocked reflog expire --all --expire=all --verbose &&
	test_path_is_missing repo/.git/reftable/tables.list.lock &&
	git -C repo update-ref refs/heads/meanwhile HEAD &&
	unblock &&
	same_rev repo meanwhile HEAD
'

# log_states DIRECTORY PREFIX: writes the state of each log into a file.
log_states () {
	rm -rf $2 &&
	mkdir $2 &&
	for tree in $1 $1-side
	do
		reflog_names $tree >names &&
		while read -r name
		do
			git -C $tree log -g --format="%H %gs" $name >"$2/$tree-$(echo $name | tr / _)" ||
				return 1
		done <names || return 1
	done
}

# struck SIGNAL SYSCALL COMMAND...: the signal arrives at each call of SYSCALL in turn, until a
# run is not interrupted. Each log then is as before or as after.
struck () {
	signal=$1 &&
	syscall=$2 &&
	shift 2 &&
	fresh_pair &&
	log_states reftable before &&
	git -C reftable "$@" &&
	log_states reftable after &&
	number=0 &&
	status=1 &&
	while test $status != 0 && test $number -lt 60
	do
		number=$((number + 1)) &&
		fresh_pair &&
		{
			strace -f -o trace -e trace=$syscall \
				-e inject=$syscall:signal=SIG$signal:when=$number \
				git -C reftable "$@" >out 2>err
			status=$?
		} &&
		if test $signal = KILL
		then
			find reftable -name "*.lock" -exec rm {} +
		fi &&
		log_states reftable now &&
		for log in before/*
		do
			log=${log#before/} &&
			{ cmp -s before/$log now/$log || cmp after/$log now/$log; } || return 1
		done &&
		git -C reftable refs verify &&
		git -C reftable update-ref refs/heads/written-after HEAD &&
		git -C reftable pack-refs || return 1
	done &&
	test $status = 0 &&
	test $number -gt 3
}

for signal in TERM KILL
do
	test_expect_success RUST_REFTABLE,EXPIRY_RUNS,STRACE "SIG$signal at every rename: each log is old or new" '
		struck $signal /^rename reflog expire --all $half
	'

	test_expect_success RUST_REFTABLE,EXPIRY_RUNS,STRACE "SIG$signal at every rename of several deletions" '
		struck $signal /^rename reflog delete b01@{0} worktrees/reftable-side/HEAD@{0} \
			b02@{0}
	'
done

test_done
