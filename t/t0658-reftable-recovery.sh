#!/bin/sh
# shellcheck disable=SC1091,SC2016,SC2034,SC2086,SC2154

test_description='the steps of docs/recovery.md that need git alone: damaged and missing tables, lists,
stale locks, killed migrations'

. ./lib-reftable.sh

# Three tables: HEAD, main and old are in the first, middle and new in one each.
test_expect_success 'setup' '
	git init template &&
	test_commit -C template --no-tag one &&
	git -C template branch old &&
	test_commit -C template --no-tag two &&
	git -C template pack-refs &&
	GIT_TEST_REFTABLE_AUTOCOMPACTION=0 &&
	export GIT_TEST_REFTABLE_AUTOCOMPACTION &&
	git -C template branch middle &&
	git -C template branch new old &&
	sane_unset GIT_TEST_REFTABLE_AUTOCOMPACTION &&
	test_line_count = 3 template/.git/reftable/tables.list &&
	git clone --bare template clone.git
'

# fresh_stack: like fresh_repo; sets $first and $second to the names of the older tables.
fresh_stack () {
	rm -rf backup &&
	test_when_finished "rm -rf backup" &&
	fresh_repo &&
	git -C repo for-each-ref >before &&
	first=$(sed -n 1p $stack/tables.list) &&
	second=$(sed -n 2p $stack/tables.list)
}

# Step: copy the directory before anything is changed.
back_up () {
	cp -R -p $1 backup
}

# Step: remove the table NAME from the list of the stack DIRECTORY.
leave_out () {
	grep -v -x -F "$1" $2/tables.list >$2/tables.list.new
	mv $2/tables.list.new $2/tables.list
}

# sound: the repository is intact again and can be written to.
sound () {
	git -C repo refs verify &&
	git -C repo update-ref refs/heads/written HEAD &&
	git -C repo pack-refs &&
	git -C repo rev-parse --verify refs/heads/written
}

test_expect_success RUST_REFTABLE 'refs verify reports which table is damaged or missing, and why' '
	fresh_stack &&
	overwrite $stack/$second 0 junk &&
	test_must_fail git -C repo refs verify 2>err &&
	test_grep "^error: $second: badReftableHeader: " err &&
	rm $stack/$second &&
	test_must_fail git -C repo refs verify 2>err &&
	test_grep "^error: $second: missingReftableTable: " err
'

for harm in "overwrite \$stack/\$second 0 junk" "rm -f \$stack/\$second"
do
	test_expect_success "a table removed from the list, its refs fetched from a clone: $harm" '
		fresh_stack &&
		back_up $stack &&
		eval "$harm" &&
		test_must_fail git -C repo rev-parse --verify refs/heads/new &&
		leave_out $second $stack &&
		git -C repo for-each-ref >actual &&
		grep -v refs/heads/middle before >expect &&
		test_cmp expect actual &&
		git -C repo fetch ../clone.git refs/heads/middle:refs/heads/middle &&
		git -C repo for-each-ref >actual &&
		test_cmp before actual &&
		sound
	'
done

test_expect_success 'the table with HEAD removed from the list: HEAD and branches are set again' '
	fresh_stack &&
	tip=$(git -C repo rev-parse main) &&
	back_up $stack &&
	rm $stack/$first &&
	leave_out $first $stack &&
	git -C repo symbolic-ref HEAD refs/heads/main &&
	git -C repo for-each-ref --format="%(refname)" >actual &&
	test_write_lines refs/heads/middle refs/heads/new >expect &&
	test_cmp expect actual &&
	git -C repo update-ref refs/heads/main middle &&
	test "$(git -C repo rev-parse HEAD)" = $tip &&
	sound
'

test_expect_success 'commits without a reference are found' '
	fresh_stack &&
	git -C repo checkout middle &&
	test_commit -C repo --no-tag lost &&
	tip=$(git -C repo rev-parse HEAD) &&
	rm $stack/*.ref $stack/tables.list &&
	: >$stack/tables.list &&
	git -C repo symbolic-ref HEAD refs/heads/main &&
	git -C repo fsck --lost-found >out 2>&1 &&
	test_path_is_file repo/.git/lost-found/commit/$tip &&
	git -C repo branch found $tip &&
	git -C repo symbolic-ref HEAD refs/heads/found &&
	sound
'

for harm in "rm \$stack/tables.list" "printf garbage >\$stack/tables.list"
do
	test_expect_success "a list made again from the names of the tables: $harm" '
		fresh_stack &&
		back_up $stack &&
		eval "$harm" &&
		(cd $stack && ls | grep "\.ref\$" | LC_ALL=C sort >tables.list.new) &&
		mv $stack/tables.list.new $stack/tables.list &&
		git -C repo for-each-ref >actual &&
		test_cmp before actual &&
		sound
	'
done

test_expect_success 'a stale lock of the list is removed' '
	fresh_stack &&
	>$stack/tables.list.lock &&
	test_must_fail git -C repo update-ref refs/heads/x HEAD 2>err &&
	test_grep "cannot lock references" err &&
	git -C repo for-each-ref >actual &&
	test_cmp before actual &&
	rm $stack/tables.list.lock &&
	sound
'

test_expect_success 'a stale lock of a table is removed' '
	fresh_stack &&
	>$stack/$second.lock &&
	test_must_fail git -C repo pack-refs 2>err &&
	test_grep "data is locked" err &&
	rm $stack/$second.lock &&
	sound
'

test_expect_success 'the stack of a worktree: its HEAD is set again, the others are untouched' '
	test_when_finished "rm -rf worktree" &&
	fresh_stack &&
	git -C repo worktree add ../worktree middle &&
	of_worktree=repo/.git/worktrees/worktree/reftable &&
	back_up $of_worktree &&
	for table in $(tables_of $of_worktree)
	do
		overwrite $table 0 junk || return 1
	done &&
	test_must_fail git -C worktree rev-parse --verify HEAD &&
	test_must_fail git -C repo refs verify 2>err &&
	test_grep "worktree" err &&
	git -C repo for-each-ref >actual &&
	test_cmp before actual &&
	: >$of_worktree/tables.list.new &&
	mv $of_worktree/tables.list.new $of_worktree/tables.list &&
	git -C worktree symbolic-ref HEAD refs/heads/middle &&
	same_rev worktree HEAD middle &&
	sound
'

migrated_to () {
	echo "$1" >expect &&
	git -C repo rev-parse --show-ref-format >actual &&
	test_cmp expect actual &&
	git -C repo for-each-ref >actual &&
	test_cmp before actual &&
	git -C repo symbolic-ref HEAD &&
	sound
}

# A migration back and forth, with the files of the other format put back.
test_expect_success PATCHED_GIT,MIGRATE 'files left by a killed migration to files are removed' '
	fresh_stack &&
	migratable repo &&
	cp -R $stack left &&
	test_when_finished "rm -rf left" &&
	git -C repo refs migrate --ref-format=files &&
	mv left $stack &&
	mkdir repo/.git/ref_migration.123456 &&
	test_must_fail git -C repo refs migrate --ref-format=reftable &&
	(
		cd repo/.git &&
		rm -rf ref_migration.* reftable
	) &&
	git -C repo refs migrate --ref-format=reftable &&
	migrated_to reftable
'

test_expect_success PATCHED_GIT,MIGRATE 'files left by a killed migration to reftables are removed' '
	fresh_stack &&
	migratable repo &&
	git -C repo refs migrate --ref-format=files &&
	mkdir -p left repo/.git/logs &&
	test_when_finished "rm -rf left" &&
	git -C repo pack-refs &&
	cp -R repo/.git/refs repo/.git/logs repo/.git/packed-refs left &&
	git -C repo refs migrate --ref-format=reftable &&
	rm -r repo/.git/refs &&
	mv left/* repo/.git &&
	test_must_fail git -C repo refs migrate --ref-format=files &&
	(
		cd repo/.git &&
		rm -rf ref_migration.* packed-refs logs refs &&
		mkdir refs &&
		echo "this repository uses the reftable format" >refs/heads
	) &&
	git -C repo refs migrate --ref-format=files &&
	migrated_to files
'

test_done
