#!/bin/sh
# shellcheck disable=SC1091,SC2016,SC2034,SC2046,SC2086,SC2154

test_description='many worktrees, refs, reflog entries, tables and writers'

. ./lib-reftable.sh

worktrees=50

# A commit for each worktree and one more, tagged c0, c1, ...
test_expect_success 'setup of many worktrees' '
	git init repo &&
	for i in $(test_seq 0 $worktrees)
	do
		cat <<-EOF || return 1
		commit refs/heads/main
		mark :$((i + 1))
		committer C O Mitter <committer@example.com> $((1112911993 + i)) -0700
		data 2
		c
		reset refs/tags/c$i
		from :$((i + 1))

		EOF
	done >input &&
	git -C repo fast-import --quiet <input &&
	for i in $(test_seq $worktrees)
	do
		git -C repo worktree add --quiet --no-checkout --detach ../wt/$i c$i || return 1
	done &&
	for i in $(test_seq $worktrees)
	do
		cat >input <<-EOF &&
		create refs/bisect/bad c$i
		create refs/worktree/own c$i
		create refs/rewritten/label c$((i - 1))
		create refs/heads/shared-$i c$i
		EOF
		git -C wt/$i update-ref --stdin <input || return 1
	done
'

# at_commits REPO NAMES: prints the tag of the commit that each of the names in a file
# points at.
at_commits () {
	git -C $1 for-each-ref --format="%(objectname) %(refname:strip=2)" refs/tags >tags &&
	git -C $1 cat-file --batch-check="%(objectname)" <$2 >oids &&
	awk "NR == FNR { tag[\$1] = \$2; next } { print tag[\$1] }" tags oids
}

test_expect_success 'every worktree sees its own refs and the shared ones' '
	test_seq -f refs/heads/shared-%d $worktrees | sort >shared &&
	for i in 1 17 $worktrees
	do
		git -C wt/$i for-each-ref --format="%(refname)" refs/bisect refs/worktree \
			refs/rewritten refs/heads/shared-\* >actual &&
		{
			echo refs/bisect/bad &&
			cat shared &&
			test_write_lines refs/rewritten/label refs/worktree/own
		} >expect &&
		test_cmp expect actual &&
		test_write_lines HEAD refs/bisect/bad refs/worktree/own refs/rewritten/label >names &&
		at_commits wt/$i names >actual &&
		test_write_lines c$i c$i c$i c$((i - 1)) >expect &&
		test_cmp expect actual || return 1
	done &&
	git -C repo for-each-ref --format="%(refname)" refs/bisect refs/worktree refs/rewritten >actual &&
	test_must_be_empty actual
'

test_expect_success 'refs of all worktrees by their full names' '
	for i in $(test_seq $worktrees)
	do
		test_write_lines worktrees/$i/HEAD worktrees/$i/refs/bisect/bad \
			worktrees/$i/refs/worktree/own worktrees/$i/refs/heads/shared-1 || return 1
	done >names &&
	for i in $(test_seq $worktrees)
	do
		test_write_lines c$i c$i c$i c1 || return 1
	done >expect &&
	for from in repo wt/1 wt/33
	do
		at_commits $from names >actual &&
		sed "s/^\$/c1/" actual >shared &&
		test_cmp expect shared || return 1
	done
'

test_expect_success 'refs of the main worktree from all others' '
	git -C repo update-ref refs/worktree/own c0 &&
	git -C repo update-ref refs/bisect/bad c0 &&
	test_write_lines main-worktree/refs/worktree/own main-worktree/refs/bisect/bad \
		main-worktree/HEAD refs/worktree/own >names &&
	for i in 1 25 $worktrees
	do
		test_write_lines c0 c0 c$worktrees c$i >expect &&
		at_commits wt/$i names >actual &&
		test_cmp expect actual || return 1
	done
'

test_expect_success REFLOG_LIST 'for-each-ref, show-ref, reflog and rev-list over many worktrees' '
	git -C repo reflog list >actual &&
	test_grep ! worktrees/ actual &&
	git -C repo reflog exists worktrees/9/HEAD &&
	git -C wt/8 reflog exists HEAD &&
	git -C repo worktree list --porcelain >actual &&
	test $(grep -c "^worktree " actual) = $((worktrees + 1)) &&
	git -C repo refs verify &&
	git -C wt/3 refs verify
'

test_expect_success RUST_REFTABLE 'a ref of another worktree is written by its full name' '
	git -C repo update-ref -m "from outside" worktrees/5/refs/worktree/new c9 &&
	same_rev wt/5 refs/worktree/new c9 &&
	same_rev repo worktrees/5/refs/worktree/new c9 &&
	git -C repo update-ref worktrees/5/refs/bisect/bad c9 c5 &&
	same_rev wt/5 refs/bisect/bad c9 &&
	test_must_fail git -C repo update-ref worktrees/5/refs/bisect/bad c9 c5 &&
	git -C wt/6 update-ref worktrees/5/refs/bisect/bad c5 c9 &&
	same_rev wt/5 refs/bisect/bad c5 &&
	git -C wt/5 update-ref -d refs/worktree/new &&
	test_must_fail git -C repo rev-parse --verify worktrees/5/refs/worktree/new &&
	git -C wt/5 update-ref main-worktree/refs/worktree/new c3 &&
	same_rev repo refs/worktree/new c3 &&
	git -C repo update-ref -d refs/worktree/new
'

test_expect_success 'symbolic refs of another worktree by their full names' '
	git -C wt/7 symbolic-ref refs/worktree/sym refs/worktree/own &&
	git -C repo symbolic-ref worktrees/7/refs/worktree/sym >actual &&
	echo refs/worktree/own >expect &&
	test_cmp expect actual &&
	# Releases without "git refs" do not check the name of a symbolic ref.
	if test_have_prereq MIGRATE
	then
		must_die_politely git -C repo symbolic-ref worktrees/7/refs/worktree/sym refs/heads/main &&
		test_grep "refusing to update ref with bad name" err
	fi &&
	git -C wt/7 symbolic-ref --delete refs/worktree/sym &&
	test_must_fail git -C repo symbolic-ref worktrees/7/refs/worktree/sym
'

test_expect_success 'git deletes no refs by their full names' '
	reftable_bytes repo >before &&
	must_die_politely git -C repo update-ref -d worktrees/5/refs/worktree/own &&
	test_grep "refusing to update ref with bad name" err &&
	must_die_politely git -C wt/5 update-ref -d main-worktree/refs/worktree/own &&
	reftable_bytes repo >after &&
	test_cmp before after
'

test_expect_success RUST_REFTABLE 'one transaction across all worktrees' '
	for i in $(test_seq $worktrees)
	do
		echo "update worktrees/$i/refs/bisect/bad c0 c$i" &&
		echo "create worktrees/$i/refs/worktree/new c$i" || return 1
	done >input &&
	echo "create refs/heads/with-them c0" >>input &&
	git -C repo update-ref --stdin <input &&
	for i in 1 20 $worktrees
	do
		same_rev wt/$i refs/bisect/bad c0 &&
		same_rev wt/$i refs/worktree/new c$i || return 1
	done &&
	same_rev repo refs/heads/with-them c0 &&
	find repo/.git -name "*.lock" >locks &&
	test_must_be_empty locks
'

test_expect_success RUST_REFTABLE 'a transaction across all worktrees that one of them refuses' '
	for i in $(test_seq $worktrees)
	do
		echo "update worktrees/$i/refs/bisect/bad c$i c0" || return 1
	done >input &&
	sed "s/\(worktrees.$worktrees.*\) c0/\1 c1/" input >wrong &&
	! test_cmp input wrong &&
	reftable_bytes repo >before &&
	must_die_politely git -C repo update-ref --stdin <wrong &&
	reftable_bytes repo >after &&
	test_cmp before after &&
	>repo/.git/worktrees/30/reftable/tables.list.lock &&
	reftable_bytes repo >before &&
	must_die_politely git -C repo -c reftable.lockTimeout=0 update-ref --stdin <input &&
	reftable_bytes repo >after &&
	test_cmp before after &&
	rm repo/.git/worktrees/30/reftable/tables.list.lock &&
	git -C repo update-ref --stdin <input &&
	same_rev wt/30 refs/bisect/bad c30
'

test_expect_success 'objects that only HEAD or a reflog of a worktree names are kept' '
	tree=$(git -C repo mktree </dev/null) &&
	by_log=$(git -C repo commit-tree -m "named by reflog" $tree) &&
	by_head=$(git -C repo commit-tree -m "named by HEAD" $tree) &&
	git -C wt/11 update-ref --no-deref HEAD $by_log &&
	git -C wt/11 update-ref --no-deref HEAD $by_head &&
	git -C repo prune --expire=now &&
	git -C repo cat-file -e $by_head &&
	git -C repo cat-file -e $by_log
'

test_expect_success 'worktrees are removed without touching the others' '
	git -C repo worktree remove --force 12 &&
	rm -rf wt/13 &&
	git -C repo worktree prune &&
	test_path_is_missing repo/.git/worktrees/12 &&
	test_path_is_missing repo/.git/worktrees/13 &&
	for i in 12 13
	do
		test_must_fail git -C repo rev-parse --verify worktrees/$i/refs/worktree/own || return 1
	done &&
	same_rev wt/14 refs/worktree/own c14 &&
	same_rev repo worktrees/14/refs/worktree/own c14 &&
	git -C repo refs verify
'

# The files backend makes reflogs of any size quickly.
# entries COUNT: prints a reflog whose n-th line has the time 1100000000 + n and moves
# between the commits $one and $two.
entries () {
	awk -v n=$1 -v zero=$ZERO_OID -v one=$one -v two=$two "BEGIN {
		old = zero
		for (i = 1; i <= n; i++) {
			new = i % 2 ? one : two
			printf \"%s %s C O Mitter <c@example.com> %d +0000\tentry %d\n\",
				old, new, 1100000000 + i, i
			old = new
		}
	}"
}

test_expect_success MIGRATE_REFLOGS 'setup of long reflogs' '
	git init --ref-format=files files &&
	test_commit -C files one &&
	one=$(git -C files rev-parse HEAD) &&
	test_commit -C files two &&
	two=$(git -C files rev-parse HEAD) &&
	mkdir -p files/.git/logs/refs/heads &&
	cp -R files few &&
	entries 2000 >few/.git/logs/refs/heads/main &&
	cp -R few few-reftable &&
	git -C few-reftable config reftable.blockSize 512 &&
	git -C few-reftable refs migrate --ref-format=reftable
'

# both COMMAND...: runs git on both backends, with the same outcome.
both () {
	git -C few "$@" >expect &&
	git -C few-reftable "$@" >actual &&
	test_cmp expect actual
}

reflogs_are_the_same () {
	both log -g --date=raw --format="%H %gd %gn %ge %gs" main &&
	both rev-parse "main@{0}" "main@{1}" "main@{77}" &&
	both reflog exists refs/heads/main &&
	both log -g -3 --format="%H %gs" "main@{1100000500 +0000}"
}

test_expect_success MIGRATE_REFLOGS 'a reflog in several blocks' '
	reflogs_are_the_same &&
	both rev-parse main@{1999} "main@{1100001234 +0000}" &&
	both log -g -1 --format=%gs main@{1500} &&
	test-tool dump-reftable -b "$(tables_of few-reftable/.git/reftable)" >dump &&
	test $(sed -n "/^log/,\$p" dump | grep -c "length:") -gt 20
'

test_expect_success MIGRATE_REFLOGS 'a reflog in several blocks and tables' '
	(
		GIT_TEST_REFTABLE_AUTOCOMPACTION=0 &&
		export GIT_TEST_REFTABLE_AUTOCOMPACTION &&
		for i in $(test_seq 20)
		do
			both update-ref -m "more $i one" refs/heads/main $one &&
			both update-ref -m "more $i two" refs/heads/main $two || return 1
		done
	) &&
	test_line_count -gt 40 few-reftable/.git/reftable/tables.list &&
	reflogs_are_the_same &&
	both rev-parse main@{40} main@{41} main@{2039}
'

test_expect_success MIGRATE_REFLOGS 'entries in several blocks and tables are deleted and expire' '
	(
		GIT_TEST_REFTABLE_AUTOCOMPACTION=0 &&
		export GIT_TEST_REFTABLE_AUTOCOMPACTION &&
		both reflog delete main@{30} &&
		both reflog delete --rewrite main@{1000} main@{2} &&
		reflogs_are_the_same &&
		both reflog expire --expire=1100000300 --expire-unreachable=never main &&
		reflogs_are_the_same &&
		both reflog expire --rewrite --updateref --expire=1100000400 main &&
		reflogs_are_the_same
	) &&
	both log -g --format=%gs main &&
	test_line_count -gt 1600 actual &&
	test_line_count -lt 1700 actual
'

test_expect_success MIGRATE_REFLOGS 'pack-refs with many tables' '
	test_line_count -gt 40 few-reftable/.git/reftable/tables.list &&
	git -C few-reftable pack-refs &&
	test_line_count = 1 few-reftable/.git/reftable/tables.list &&
	reflogs_are_the_same &&
	git -C few-reftable refs verify
'

test_expect_success MIGRATE_REFLOGS 'a reflog of 100000 entries expires' '
	cp -R files many &&
	entries 100000 >many/.git/logs/refs/heads/main &&
	git -C many refs migrate --ref-format=reftable &&
	git -C many rev-parse main@{99999} main@{50000} &&
	git -C many reflog expire --expire=1100060000 --expire-unreachable=never main &&
	git -C many log -g --format=%gs main >actual &&
	test_seq -f "entry %d" 60000 100000 >kept &&
	sed "1!G;h;\$!d" actual >reversed &&
	test_cmp kept reversed &&
	git -C many reflog delete main@{20000} &&
	git -C many log -g --format=%gs main >actual &&
	grep -v -x "entry 80000" kept >expect &&
	sed "1!G;h;\$!d" actual >reversed &&
	test_cmp expect reversed &&
	git -C many reflog expire --expire=all main &&
	git -C many log -g --format=%gs main >actual &&
	test_must_be_empty actual &&
	git -C many reflog exists refs/heads/main &&
	git -C many refs verify
'

test_expect_success 'pack-refs with 200 tables of refs, tombstones and reflogs' '
	git init tables &&
	test_commit -C tables one &&
	(
		GIT_TEST_REFTABLE_AUTOCOMPACTION=0 &&
		export GIT_TEST_REFTABLE_AUTOCOMPACTION &&
		for i in $(test_seq 100)
		do
			git -C tables update-ref refs/heads/kept-$i HEAD &&
			git -C tables update-ref -m deleted refs/heads/deleted-$((i / 2)) HEAD &&
			{ test $((i % 2)) = 0 || git -C tables update-ref -d refs/heads/deleted-$((i / 2)); } || return 1
		done
	) &&
	test_line_count -gt 200 tables/.git/reftable/tables.list &&
	git -C tables for-each-ref >refs.before &&
	git -C tables log -g --all --format="%gD %H %gs" >logs &&
	git -C tables pack-refs &&
	test_line_count = 1 tables/.git/reftable/tables.list &&
	git -C tables for-each-ref >actual &&
	test_cmp refs.before actual &&
	git -C tables log -g --all --format="%gD %H %gs" >actual &&
	test_cmp logs actual &&
	find tables/.git/reftable -type f >files.left &&
	test_line_count = 2 files.left
'

# Linear; upstream's git skips all tombstones for each ref and takes minutes.
test_expect_success RUST_REFTABLE 'after deleting 100000 refs, creating 20000 again is quick' '
	git init refs &&
	test_commit -C refs one &&
	head=$(git -C refs rev-parse HEAD) &&
	test_seq 100000 >numbers &&
	sed "s,.*,create refs/heads/dir/&/leaf $head," numbers >create &&
	sed "s,.*,delete refs/heads/dir/&/leaf $head," numbers >delete &&
	sed -n "s,create \(.*\)/leaf,create \1,; 1~5p" create >again &&
	test_line_count = 20000 again &&
	(
		GIT_TEST_REFTABLE_AUTOCOMPACTION=0 &&
		export GIT_TEST_REFTABLE_AUTOCOMPACTION &&
		git -C refs -c core.logAllRefUpdates=false update-ref --stdin <create &&
		git -C refs -c core.logAllRefUpdates=false update-ref --stdin <delete &&
		git -C refs for-each-ref refs/heads/dir >actual &&
		test_must_be_empty actual &&
		timeout 60 git -C refs -c core.logAllRefUpdates=false update-ref --stdin <again
	) &&
	git -C refs for-each-ref refs/heads/dir >actual &&
	test_line_count = 20000 actual &&
	git -C refs pack-refs &&
	git -C refs for-each-ref refs/heads/dir >actual &&
	test_line_count = 20000 actual
'

test_expect_success '8 concurrent writers lose nothing' '
	git init writers &&
	test_commit -C writers one &&
	test_commit -C writers two &&
	git -C writers config reftable.lockTimeout 600000 &&
	git -C writers config gc.auto 0 &&
	for writer in $(test_seq 8)
	do
		(
			for i in $(test_seq 25)
			do
				echo "create refs/heads/writer-$writer/$i HEAD" >input.$writer &&
				echo "create refs/heads/doomed-$writer/$i HEAD" >>input.$writer &&
				git -C writers update-ref --stdin <input.$writer &&
				git -C writers update-ref -d refs/heads/doomed-$writer/$i &&
				git -C writers update-ref -m "writer $writer, $i" --no-deref HEAD HEAD || exit 1
				test $((i % 10)) != $writer || test_might_fail git -C writers pack-refs || exit 1
			done &&
			>done.$writer
		) &
	done &&
	wait &&
	ls done.* >finished &&
	test_line_count = 8 finished &&
	git -C writers for-each-ref --format="%(refname)" "refs/heads/writer-*/*" >actual &&
	test_line_count = 200 actual &&
	git -C writers for-each-ref "refs/heads/doomed-*/*" >actual &&
	test_must_be_empty actual &&
	for writer in $(test_seq 8)
	do
		git -C writers log -g --format=%H refs/heads/writer-$writer/25 || return 1
	done >actual &&
	test_line_count = 8 actual &&
	git -C writers refs verify &&
	find writers/.git/reftable -name "*.lock" >locks &&
	test_must_be_empty locks &&
	git -C writers pack-refs &&
	find writers/.git/reftable -type f >files.left &&
	test_line_count = 2 files.left
'

test_done
