#!/bin/sh
# shellcheck disable=SC1091,SC2004,SC2016,SC2034,SC2086,SC2154,SC2283

test_description='settings of the reftable backend'

. ./lib-reftable.sh

test_expect_success 'setup' '
	git init template &&
	test_commit -C template one &&
	git -C template tag -m annotated two &&
	test_seq -f "create refs/heads/many/%04d HEAD" 1000 >input &&
	git -C template update-ref --stdin <input &&
	GIT_TEST_REFTABLE_AUTOCOMPACTION=0 git -C template branch in-a-second-table
'

dump () {
	test-tool dump-reftable -b "$(tables_of $stack)" >dump
}

for size in 300 1024 4096 5000 65536 16777215
do
	test_expect_success "reftable.blockSize=$size" '
		fresh_repo &&
		git -C repo for-each-ref >expect &&
		git -C repo -c reftable.blockSize=$size pack-refs &&
		git -C repo for-each-ref >actual &&
		test_cmp expect actual &&
		git -C repo refs verify &&
		dump &&
		test_grep "^  block_size: $size\$" dump &&
		size_of_longest=$(sed -n "s/.*length: //p" dump | sort -n | tail -n 1) &&
		test $size_of_longest -le $size &&
		git -C repo update-ref refs/heads/new HEAD &&
		git -C repo pack-refs
	'
done

test_expect_success 'reftable.blockSize=0 is the default of 4096' '
	fresh_repo &&
	git -C repo -c reftable.blockSize=0 pack-refs &&
	dump &&
	test_grep "^  block_size: 4096\$" dump
'

test_expect_success 'reftable.blockSize with a unit, from the file' '
	fresh_repo &&
	git -C repo config reftable.blockSize 8k &&
	git -C repo pack-refs &&
	dump &&
	test_grep "^  block_size: 8192\$" dump
'

test_expect_success 'tables of several block sizes in one stack' '
	fresh_repo &&
	for size in 512 1024 8192
	do
		GIT_TEST_REFTABLE_AUTOCOMPACTION=0 git -C repo -c reftable.blockSize=$size \
			update-ref refs/heads/size/$size HEAD || return 1
	done &&
	git -C repo for-each-ref --format="%(refname:lstrip=3)" refs/heads/size >actual &&
	test_write_lines 1024 512 8192 >expect &&
	test_cmp expect actual
'

test_expect_success 'reftable.blockSize too large or not a number' '
	fresh_repo &&
	must_die_politely git -C repo -c reftable.blockSize=16777216 pack-refs &&
	test_grep "block size cannot exceed 16MB" err &&
	must_die_politely git -C repo -c reftable.blockSize=-1 pack-refs &&
	must_die_politely git -C repo -c reftable.blockSize=many pack-refs &&
	test_grep "bad numeric config value .many. for .reftable.blocksize." err
'

test_expect_success 'the longest name that fits in a block, and one that does not' '
	fresh_repo &&
	long=$(test-tool genzeros 4000 | tr "\000" a) &&
	git -C repo rev-parse HEAD >oid &&
	reached= &&
	for cut in 140 100 60 40 20 0
	do
		name=refs/heads/$(printf "%s" "$long" | cut -c 1-$((4000 - $cut))) &&
		if git -C repo -c core.logAllRefUpdates=false update-ref "$name" HEAD 2>err
		then
			reached=$cut &&
			git -C repo rev-parse "$name" >actual &&
			test_cmp oid actual || return 1
		fi
	done &&
	test -n "$reached" &&
	longer=refs/heads/$long$long &&
	reftable_bytes repo >before &&
	must_die_politely git -C repo update-ref "$longer" HEAD &&
	reftable_bytes repo >after &&
	test_cmp before after &&
	git -C repo refs verify
'

for interval in 1 2 16 64 65535
do
	test_expect_success "reftable.restartInterval=$interval" '
		fresh_repo &&
		git -C repo for-each-ref >expect &&
		git -C repo -c reftable.restartInterval=$interval pack-refs &&
		git -C repo for-each-ref >actual &&
		test_cmp expect actual &&
		git -C repo rev-parse refs/heads/many/0500 refs/heads/many/0999
	'
done

test_expect_success 'fewer restarts with a larger interval' '
	fresh_repo &&
	restarts () {
		sed -n "s/.*restarts: //p" dump | awk "{ n += \$1 } END { print n }"
	} &&
	git -C repo -c reftable.restartInterval=2 pack-refs &&
	dump &&
	many=$(restarts) &&
	git -C repo update-ref -d refs/heads/many/0001 &&
	git -C repo -c reftable.restartInterval=100 pack-refs &&
	dump &&
	few=$(restarts) &&
	test $few -lt $many
'

test_expect_success 'reftable.restartInterval too large' '
	fresh_repo &&
	must_die_politely git -C repo -c reftable.restartInterval=65536 pack-refs &&
	test_grep "cannot exceed 65535" err
'

test_expect_success 'reftable.indexObjects' '
	fresh_repo &&
	git -C repo pack-refs &&
	dump &&
	test_grep "^obj:" dump &&
	git -C repo update-ref -d refs/heads/many/0001 &&
	git -C repo -c reftable.indexObjects=false pack-refs &&
	dump &&
	! grep "^obj:" dump &&
	git -C repo for-each-ref --points-at HEAD >actual &&
	test_line_count = 1003 actual
'

test_expect_success 'reftable.geometricFactor' '
	fresh_repo &&
	git -C repo pack-refs &&
	for i in 1 2 3 4 5 6
	do
		git -C repo -c reftable.geometricFactor=2 \
			update-ref refs/heads/two/$i HEAD || return 1
	done &&
	test_line_count -lt 5 $stack/tables.list &&
	test_line_count -gt 1 $stack/tables.list &&
	git -C repo -c reftable.geometricFactor=255 update-ref refs/heads/all HEAD &&
	test_line_count = 1 $stack/tables.list &&
	git -C repo -c reftable.geometricFactor=0 update-ref refs/heads/none HEAD &&
	must_die_politely git -C repo -c reftable.geometricFactor=256 update-ref refs/heads/x HEAD &&
	test_grep "geometric factor cannot exceed 255" err
'

test_expect_success 'reftable.lockTimeout=0 fails immediately' '
	fresh_repo &&
	>$stack/tables.list.lock &&
	must_die_politely git -C repo -c reftable.lockTimeout=0 update-ref refs/heads/new HEAD &&
	test_grep "cannot lock references" err
'

test_expect_success 'reftable.lockTimeout waits for another process' '
	fresh_repo &&
	for timeout in 10000 -1
	do
		>$stack/tables.list.lock &&
		{ sleep 1 && rm -f $stack/tables.list.lock & } &&
		git -C repo -c reftable.lockTimeout=$timeout \
			update-ref refs/heads/after$timeout HEAD &&
		wait || return 1
	done
'

test_expect_success 'reftable.lockTimeout below -1' '
	fresh_repo &&
	must_die_politely git -C repo -c reftable.lockTimeout=-2 update-ref refs/heads/new HEAD &&
	test_grep "does not support negative values other than -1" err
'

# log_updates VALUE REPO: writes to refs of every kind, lists those with reflogs.
log_updates () {
	for ref in HEAD refs/heads/branch refs/tags/tag refs/remotes/origin/x \
		refs/notes/n refs/other/o refs/worktree/w
	do
		git -C $2 ${1:+-c core.logAllRefUpdates=$1} update-ref -m message $ref $first &&
		if git -C $2 reflog exists $ref
		then
			echo $ref
		fi || return 1
	done >actual
}

repo_without_logs () {
	rm -rf repo &&
	git -c core.logAllRefUpdates=false init "$@" repo &&
	test_when_finished "rm -rf repo" &&
	tree=$(git -C repo mktree </dev/null) &&
	first=$(git -C repo commit-tree -m first $tree) &&
	second=$(git -C repo commit-tree -p $first -m second $tree) &&
	git -C repo -c core.logAllRefUpdates=false update-ref refs/heads/main $second
}

test_expect_success 'core.logAllRefUpdates unset: some kinds of refs are logged' '
	repo_without_logs &&
	test_might_fail git -C repo config --unset-all core.logAllRefUpdates &&
	log_updates "" repo &&
	test_write_lines HEAD refs/heads/branch refs/remotes/origin/x refs/notes/n >expect &&
	test_cmp expect actual
'

test_expect_success 'core.logAllRefUpdates=true: some kinds of refs are logged, bare or not' '
	test_write_lines HEAD refs/heads/branch refs/remotes/origin/x refs/notes/n >expect &&
	repo_without_logs &&
	log_updates true repo &&
	test_cmp expect actual &&
	repo_without_logs --bare &&
	log_updates true repo &&
	test_cmp expect actual
'

test_expect_success 'core.logAllRefUpdates=always: all refs are logged' '
	repo_without_logs &&
	log_updates always repo &&
	test_line_count = 7 actual
'

test_expect_success 'core.logAllRefUpdates=false, or unset in a bare repository: no ref is logged' '
	repo_without_logs &&
	log_updates false repo &&
	test_must_be_empty actual &&
	repo_without_logs --bare &&
	log_updates "" repo &&
	test_must_be_empty actual
'

test_expect_success 'an existing reflog is continued without core.logAllRefUpdates' '
	repo_without_logs &&
	git -C repo -c core.logAllRefUpdates=always update-ref -m kept refs/other/o HEAD &&
	git -C repo -c core.logAllRefUpdates=false update-ref -m "goes on" refs/other/o HEAD^ &&
	git -C repo log -g --format=%gs refs/other/o >actual &&
	test_write_lines "goes on" kept >expect &&
	test_cmp expect actual
'

test_expect_success '--create-reflog without core.logAllRefUpdates' '
	repo_without_logs &&
	git -C repo -c core.logAllRefUpdates=false update-ref --create-reflog -m forced refs/other/o HEAD &&
	git -C repo log -g --format=%gs refs/other/o >actual &&
	echo forced >expect &&
	test_cmp expect actual
'

# shared_modes VALUE UMASK MODE: the mode of all files in reftable directories.
shared_modes () {
	test_expect_success POSIXPERM "core.sharedRepository=$1 with umask $2 results in $3" "
		test_when_finished 'rm -rf repo' &&
		(
			umask $2 &&
			git init repo &&
			git -C repo config core.sharedRepository $1 &&
			test_commit -C repo one &&
			git -C repo update-ref refs/heads/new HEAD &&
			git -C repo pack-refs &&
			git -C repo worktree add ../worktree &&
			git -C worktree update-ref refs/worktree/own HEAD
		) &&
		test_when_finished 'rm -rf worktree' &&
		find repo/.git -path '*reftable/*' -type f >files &&
		test_line_count -gt 3 files &&
		while read file
		do
			test_modebits \"\$file\" || return 1
		done <files | sort -u >actual &&
		echo '$3' >expect &&
		test_cmp expect actual
	"
}

shared_modes umask 022 -rw-r--r--
shared_modes umask 077 -rw-------
shared_modes group 077 -rw-rw----
shared_modes group 022 -rw-rw-r--
shared_modes all 077 -rw-rw-r--
shared_modes 0640 022 -rw-r-----
shared_modes 0660 077 -rw-rw----
shared_modes 0600 022 -rw-------

# flushes: the number of flushes to disk in the trace.
flushes () {
	sed -n -e "s/.*\"category\":\"fsync\",\"name\":\"$1\",\"count\":\([0-9]*\).*/\1/p" \
		-e "s,.*\"category\":\"fsync\".*\"key\":\"fsync/$1\".*\"value\":\"\([0-9]*\)\".*,\1,p" \
		trace
}

flushes_of_update () {
	rm -f trace &&
	GIT_TRACE2_EVENT="$(pwd)/trace" GIT_TEST_FSYNC=true \
		git -C repo "$@" update-ref refs/heads/flushed HEAD &&
	git -C repo rev-parse refs/heads/flushed
}

test_expect_success 'core.fsync=reference flushes tables and the list' '
	fresh_repo &&
	flushes_of_update -c core.fsync=reference -c core.fsyncMethod=fsync &&
	test $(flushes hardware-flush) -ge 2
'

test_expect_success 'core.fsync=none flushes nothing' '
	fresh_repo &&
	flushes_of_update -c core.fsync=none -c core.fsyncMethod=fsync &&
	test -z "$(flushes hardware-flush)"
'

test_expect_success 'core.fsync=committed includes references' '
	fresh_repo &&
	flushes_of_update -c core.fsync=committed -c core.fsyncMethod=fsync &&
	test $(flushes hardware-flush) -ge 2
'

test_expect_success 'core.fsyncMethod=writeout-only' '
	fresh_repo &&
	flushes_of_update -c core.fsync=reference -c core.fsyncMethod=writeout-only &&
	{ test -n "$(flushes writeout-only)" || test -n "$(flushes hardware-flush)"; }
'

format_of () {
	git -C $1 rev-parse --show-ref-format
}

# Runs git without the variables that the test library sets.
plain_git () {
	(
		sane_unset GIT_DEFAULT_REF_FORMAT GIT_TEST_REFTABLE &&
		env "$@"
	)
}

test_expect_success RUST_REFTABLE 'GIT_TEST_REFTABLE makes reftable the default' '
	test_when_finished "rm -rf r1 r2 r3" &&
	plain_git GIT_TEST_REFTABLE=1 git init r1 &&
	test "$(format_of r1)" = reftable &&
	plain_git GIT_TEST_REFTABLE=1 git clone r1 r2 &&
	test "$(format_of r2)" = reftable &&
	plain_git GIT_TEST_REFTABLE=0 git init r3 &&
	test "$(format_of r3)" = files
'

test_expect_success RUST_REFTABLE 'every other choice of a format overrides GIT_TEST_REFTABLE' '
	test_when_finished "rm -rf r1 r2 r3 r4" &&
	plain_git GIT_TEST_REFTABLE=1 git init --ref-format=files r1 &&
	test "$(format_of r1)" = files &&
	plain_git GIT_TEST_REFTABLE=1 GIT_DEFAULT_REF_FORMAT=files git init r2 &&
	test "$(format_of r2)" = files &&
	plain_git GIT_TEST_REFTABLE=1 git -c init.defaultRefFormat=files init r3 &&
	test "$(format_of r3)" = files &&
	test_commit -C r3 one &&
	plain_git GIT_TEST_REFTABLE=1 git clone --ref-format=files r3 r4 &&
	test "$(format_of r4)" = files
'

test_expect_success RUST_REFTABLE 'GIT_TEST_REFTABLE does not change existing repositories' '
	test_when_finished "rm -rf r1" &&
	plain_git git init --ref-format=files r1 &&
	test_commit -C r1 one &&
	plain_git GIT_TEST_REFTABLE=1 git init r1 &&
	test "$(format_of r1)" = files &&
	plain_git GIT_TEST_REFTABLE=1 git -C r1 update-ref refs/heads/new HEAD &&
	test_path_is_missing r1/.git/reftable
'

test_expect_success RUST_REFTABLE 'build options name the backend and its version' '
	git version --build-options >options &&
	test_grep -E "^reftable: rust [0-9]+\.[0-9]+\.[0-9]+" options
'

# Git reads these settings before it can read HEAD.
on_branch () {
	fresh_repo &&
	git -C repo config "includeIf.onbranch:$1.path" ../../on-branch &&
	git config --file on-branch "$2" "$3"
}

test_expect_success RUST_REFTABLE 'a setting for one branch applies on that branch only' '
	on_branch main reftable.blockSize 8192 &&
	git -C repo pack-refs &&
	dump &&
	test_grep "^  block_size: 8192\$" dump &&
	git -C repo symbolic-ref HEAD refs/heads/other &&
	git -C repo pack-refs &&
	git -C repo update-ref refs/heads/new main &&
	git -C repo pack-refs &&
	dump &&
	test_grep "^  block_size: 4096\$" dump
'

test_expect_success RUST_REFTABLE 'a setting for one branch applies in a linked worktree' '
	on_branch side core.logAllRefUpdates false &&
	git -C repo worktree add -b side ../side &&
	test_when_finished "git -C repo worktree remove --force ../side" &&
	test_commit -C side --no-tag unlogged &&
	git -C repo branch logged &&
	git -C repo reflog exists refs/heads/logged &&
	git -C side branch unlogged &&
	test_must_fail git -C repo reflog exists refs/heads/unlogged
'

for value in always true false
do
	test_expect_success RUST_REFTABLE "core.logAllRefUpdates=$value for one branch" '
		on_branch main core.logAllRefUpdates $value &&
		git -C repo update-ref refs/heads/logged HEAD &&
		git -C repo update-ref refs/odd/logged HEAD &&
		case $value in
		always)
			git -C repo reflog exists refs/heads/logged &&
			git -C repo reflog exists refs/odd/logged ;;
		true)
			git -C repo reflog exists refs/heads/logged &&
			test_must_fail git -C repo reflog exists refs/odd/logged ;;
		false)
			test_must_fail git -C repo reflog exists refs/heads/logged &&
			test_must_fail git -C repo reflog exists refs/odd/logged ;;
		esac
	'
done

test_expect_success RUST_REFTABLE 'a bad setting does not prevent reading' '
	fresh_repo &&
	git -C repo config reftable.restartInterval 65536 &&
	git -C repo for-each-ref >actual &&
	test_line_count = 1004 actual &&
	test_must_fail git -C repo update-ref refs/heads/new HEAD 2>err &&
	test_grep "reftable block size cannot exceed 65535" err &&
	test_path_is_missing $stack/tables.list.lock
'

test_done
