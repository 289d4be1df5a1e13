#!/bin/sh
# shellcheck disable=SC1091,SC2004,SC2016,SC2034,SC2086,SC2154,SC2283

test_description='reference storage in reftables: everyday behaviour'

. ./lib-reftable.sh

new_repo () {
	rm -rf repo &&
	git init "$@" repo &&
	test_when_finished "rm -rf repo"
}

test_expect_success 'init lays out stubs, the list and one table' '
	new_repo &&
	echo "ref: refs/heads/.invalid" >expect &&
	test_cmp expect repo/.git/HEAD &&
	test_path_is_file repo/.git/refs/heads &&
	test_path_is_missing repo/.git/packed-refs &&
	test_path_is_missing repo/.git/logs &&
	test_line_count = 1 repo/.git/reftable/tables.list &&
	test_path_is_file "$(tables_of repo/.git/reftable)" &&
	test_cmp_config -C repo reftable extensions.refstorage &&
	test_cmp_config -C repo 1 core.repositoryformatversion
'

test_expect_success 'tables are named by their range of update indexes' '
	new_repo &&
	test_commit -C repo one &&
	grep -E "^0x[0-9a-f]{12}-0x[0-9a-f]{12}-[0-9a-f]{8}\.ref$" \
		repo/.git/reftable/tables.list >matching &&
	test_cmp repo/.git/reftable/tables.list matching
'

test_expect_success 'a table starts and ends as the format specifies' '
	new_repo &&
	table=$(tables_of repo/.git/reftable) &&
	if test_have_prereq SHA1
	then
		version=1 footer=68
	else
		version=2 footer=72
	fi &&
	printf "REFT\\00$version" >expect &&
	head -c 5 "$table" >actual &&
	test_cmp_bin expect actual &&
	tail -c $footer "$table" | head -c 5 >actual &&
	test_cmp_bin expect actual
'

test_expect_success 'commands leave no stale files' '
	new_repo &&
	for i in 1 2 3 4 5 6 7 8 9
	do
		test_commit -C repo commit-$i || return 1
	done &&
	git -C repo pack-refs &&
	ls repo/.git/reftable >actual &&
	test_write_lines "$(cat repo/.git/reftable/tables.list)" tables.list >expect &&
	test_cmp expect actual
'

test_expect_success 'update-ref reads the old id when none is given' '
	new_repo &&
	test_commit -C repo one &&
	test_commit -C repo two &&
	one=$(git -C repo rev-parse one) &&
	two=$(git -C repo rev-parse two) &&
	git -C repo update-ref -m "back again" refs/heads/main $one &&
	test-tool -C repo ref-store main for-each-reflog-ent-reverse refs/heads/main >log &&
	head -n 1 log >actual &&
	test_grep "^$two $one .*back again" actual
'

test_expect_success 'reflog delete removes one entry and keeps the others' '
	new_repo &&
	for i in 1 2 3 4
	do
		test_commit -C repo commit-$i || return 1
	done &&
	git -C repo reflog delete main@{1} &&
	git -C repo log -g --format=%gs main >actual &&
	test_write_lines "commit: commit-4" "commit: commit-2" \
		"commit (initial): commit-1" >expect &&
	test_cmp expect actual &&
	git -C repo log -g --format=%gs HEAD >actual &&
	test_line_count = 4 actual
'

test_expect_success 'reflog delete --rewrite closes the gap, --updateref moves the ref' '
	new_repo &&
	for i in 1 2 3
	do
		test_commit -C repo commit-$i || return 1
	done &&
	one=$(git -C repo rev-parse commit-1) &&
	two=$(git -C repo rev-parse commit-2) &&
	three=$(git -C repo rev-parse commit-3) &&
	git -C repo reflog delete --rewrite main@{1} &&
	test-tool -C repo ref-store main for-each-reflog-ent refs/heads/main >log &&
	tail -n 1 log >actual &&
	test_grep "^$one $three " actual &&
	git -C repo reflog delete --updateref main@{0} &&
	same_rev repo $one main
'

test_expect_success 'deleting a branch that does not exist' '
	new_repo &&
	test_commit -C repo one &&
	reftable_bytes repo >before &&
	test_must_fail git -C repo branch -D none 2>err &&
	test_grep "branch .none. not found" err &&
	git -C repo update-ref -d refs/heads/none &&
	test_must_fail git -C repo update-ref -d refs/heads/none $(git -C repo rev-parse HEAD) 2>err &&
	test_grep "unable to resolve reference" err &&
	git -C repo for-each-ref >actual &&
	test_line_count = 2 actual
'

test_expect_success 'branch copy keeps the source and copies its log' '
	new_repo &&
	test_commit -C repo one &&
	git -C repo branch source &&
	git -C repo update-ref -m "moved by hand" refs/heads/source HEAD &&
	git -C repo branch -c source target &&
	same_rev repo source target &&
	git -C repo log -g --format=%gs target >actual &&
	test_write_lines "Branch: copied refs/heads/source to refs/heads/target" \
		"branch: Created from main" >expect &&
	test_cmp expect actual &&
	git -C repo log -g --format=%gs source >actual &&
	test_write_lines "branch: Created from main" >expect &&
	test_cmp expect actual
'

test_expect_success 'branch rename moves ref and log, and HEAD if it points there' '
	new_repo &&
	test_commit -C repo one &&
	git -C repo branch side &&
	git -C repo branch -m side other &&
	git -C repo log -g --format=%gs other >actual &&
	test_write_lines "Branch: renamed refs/heads/side to refs/heads/other" \
		"branch: Created from main" >expect &&
	test_cmp expect actual &&
	test_must_fail git -C repo reflog exists refs/heads/side &&
	test_must_fail git -C repo rev-parse --verify refs/heads/side &&
	git -C repo branch -m main trunk &&
	echo refs/heads/trunk >expect &&
	git -C repo symbolic-ref HEAD >actual &&
	test_cmp expect actual &&
	git -C repo log -g --format=%gs HEAD >actual &&
	test_write_lines "Branch: renamed refs/heads/main to refs/heads/trunk" \
		"commit (initial): one" >expect &&
	test_cmp expect actual
'

test_expect_success 'rename to a name below itself and back' '
	new_repo &&
	test_commit -C repo one &&
	git -C repo branch topic &&
	git -C repo branch -m topic topic/below &&
	git -C repo branch -m topic/below topic &&
	git -C repo log -g --format=%gs topic >actual &&
	test_line_count = 3 actual
'

test_expect_success 'rename over an existing branch needs force' '
	new_repo &&
	test_commit -C repo one &&
	git -C repo branch a &&
	test_commit -C repo two &&
	git -C repo branch b &&
	test_must_fail git -C repo branch -m a b &&
	git -C repo branch -M a b &&
	same_rev repo one b &&
	test_must_fail git -C repo rev-parse --verify a &&
	git -C repo log -g --format=%gs -1 b >actual &&
	echo "Branch: renamed refs/heads/a to refs/heads/b" >expect &&
	test_cmp expect actual
'

test_expect_success 'update on a damaged table fails and changes nothing' '
	new_repo &&
	test_commit -C repo one &&
	git -C repo pack-refs &&
	table=$(tables_of repo/.git/reftable) &&
	overwrite "$table" 0 junk &&
	reftable_bytes repo >before &&
	must_die_politely git -C repo update-ref refs/heads/new $(git -C repo hash-object -t commit --stdin </dev/null --literally) &&
	reftable_bytes repo >after &&
	test_cmp before after
'

test_expect_success 'stash: push, list, drop in the middle, pop and clear' '
	new_repo &&
	test_commit -C repo file &&
	for i in 1 2 3
	do
		echo $i >>repo/file.t &&
		git -C repo stash push -m "work $i" || return 1
	done &&
	git -C repo stash list --format=%gs >actual &&
	test_write_lines "On main: work 3" "On main: work 2" "On main: work 1" >expect &&
	test_cmp expect actual &&
	git -C repo stash drop stash@{1} &&
	git -C repo stash list --format=%gs >actual &&
	test_write_lines "On main: work 3" "On main: work 1" >expect &&
	test_cmp expect actual &&
	git -C repo stash pop &&
	git -C repo checkout -f &&
	git -C repo stash list --format=%gs >actual &&
	echo "On main: work 1" >expect &&
	test_cmp expect actual &&
	git -C repo stash clear &&
	git -C repo stash list >actual &&
	test_must_be_empty actual &&
	test_must_fail git -C repo rev-parse --verify refs/stash
'

sha256_works () {
	test_commit -C repo one &&
	git -C repo tag -m annotated two &&
	echo sha256 >expect &&
	git -C repo rev-parse --show-object-format >actual &&
	test_cmp expect actual &&
	git -C repo pack-refs &&
	printf "REFT\\002" >expect &&
	head -c 5 "$(tables_of repo/.git/reftable)" >actual &&
	test_cmp_bin expect actual &&
	git -C repo show-ref -d >actual &&
	test_line_count = 4 actual &&
	git -C repo refs verify &&
	git -C repo fsck
}

test_expect_success 'SHA-256 chosen by the environment' '
	test_when_finished "rm -rf repo" &&
	GIT_DEFAULT_HASH=sha256 git init repo &&
	sha256_works
'

test_expect_success 'SHA-256 chosen by option' '
	new_repo --object-format=sha256 &&
	sha256_works
'

test_expect_success 'SHA-1 chosen by option writes tables of version 1' '
	new_repo --object-format=sha1 &&
	printf "REFT\\001" >expect &&
	head -c 5 "$(tables_of repo/.git/reftable)" >actual &&
	test_cmp_bin expect actual
'

test_expect_success 'deleting checks the old value' '
	new_repo &&
	test_commit -C repo one &&
	test_commit -C repo two &&
	one=$(git -C repo rev-parse one) &&
	two=$(git -C repo rev-parse two) &&
	git -C repo update-ref refs/heads/doomed $one &&
	git -C repo for-each-ref >before &&
	test_must_fail git -C repo update-ref -d refs/heads/doomed $two 2>err &&
	test_grep "is at $one but expected $two" err &&
	git -C repo for-each-ref >after &&
	test_cmp before after &&
	git -C repo update-ref -d refs/heads/doomed $one &&
	test_must_fail git -C repo rev-parse --verify refs/heads/doomed
'

test_expect_success 'verifying a symbolic ref logs nothing' '
	new_repo &&
	test_commit -C repo one &&
	git -C repo reflog show HEAD >expect &&
	echo "verify HEAD $(git -C repo rev-parse one)" |
		git -C repo update-ref --stdin &&
	git -C repo reflog show HEAD >actual &&
	test_cmp expect actual
'

test_expect_success 'a deleted ref can be created again, without its old log' '
	new_repo &&
	test_commit -C repo one &&
	git -C repo branch again &&
	git -C repo branch -D again &&
	test_must_fail git -C repo reflog exists refs/heads/again &&
	git -C repo branch again &&
	git -C repo log -g --format=%gs again >actual &&
	echo "branch: Created from main" >expect &&
	test_cmp expect actual
'

test_expect_success 'deleted refs stay deleted after compaction' '
	new_repo &&
	test_commit -C repo one &&
	test_seq -f "create refs/heads/many/%d HEAD" 500 >input &&
	git -C repo update-ref --stdin <input &&
	git -C repo pack-refs &&
	test_seq -f "delete refs/heads/many/%d" 499 >input &&
	git -C repo update-ref --stdin <input &&
	git -C repo for-each-ref --format="%(refname)" refs/heads/many >actual &&
	echo refs/heads/many/500 >expect &&
	test_cmp expect actual &&
	git -C repo pack-refs &&
	git -C repo for-each-ref --format="%(refname)" refs/heads/many >actual &&
	test_cmp expect actual
'

test_expect_success 'clone writes its refs in one transaction' '
	test_when_finished "rm -rf clone" &&
	new_repo &&
	test_commit -C repo one &&
	git -C repo tag -m annotated two &&
	test_seq -f "create refs/heads/many/%d HEAD" 50 >input &&
	git -C repo update-ref --stdin <input &&
	GIT_TEST_REFTABLE_AUTOCOMPACTION=0 git clone --mirror repo clone &&
	git -C repo for-each-ref >expect &&
	git -C clone for-each-ref >actual &&
	test_cmp expect actual &&
	echo reftable >expect &&
	git -C clone rev-parse --show-ref-format >actual &&
	test_cmp expect actual &&
	rm -rf clone &&
	git clone repo clone &&
	git -C clone log -g --format=%gs HEAD >actual &&
	echo "clone: from $(pwd)/repo" >expect &&
	test_cmp expect actual &&
	echo refs/remotes/origin/main >expect &&
	git -C clone symbolic-ref refs/remotes/origin/HEAD >actual &&
	test_cmp expect actual
'

test_expect_success 'the initial transaction of a clone writes few tables' '
	test_when_finished "rm -rf clone" &&
	new_repo &&
	test_commit -C repo one &&
	test_seq -f "create refs/heads/many/%d HEAD" 50 >input &&
	git -C repo update-ref --stdin <input &&
	GIT_TEST_REFTABLE_AUTOCOMPACTION=0 git clone repo clone &&
	test_line_count -lt 10 clone/.git/reftable/tables.list
'

test_expect_success 'pack-refs keeps reflogs' '
	new_repo &&
	test_commit -C repo one &&
	test_commit -C repo two &&
	git -C repo checkout -b side &&
	test_commit -C repo three &&
	git -C repo log -g --all --format="%gD %H %gs" >expect &&
	git -C repo pack-refs --all &&
	test_line_count = 1 repo/.git/reftable/tables.list &&
	git -C repo log -g --all --format="%gD %H %gs" >actual &&
	test_cmp expect actual
'

test_expect_success 'switching branches appears only in the reflog of HEAD' '
	new_repo &&
	test_commit -C repo one &&
	git -C repo checkout -b side &&
	git -C repo checkout main &&
	git -C repo log -g --format=%gs HEAD >actual &&
	test_write_lines "checkout: moving from side to main" \
		"checkout: moving from main to side" "commit (initial): one" >expect &&
	test_cmp expect actual &&
	git -C repo log -g --format=%gs main >actual &&
	echo "commit (initial): one" >expect &&
	test_cmp expect actual &&
	git -C repo switch - &&
	echo refs/heads/side >expect &&
	git -C repo symbolic-ref HEAD >actual &&
	test_cmp expect actual
'

test_expect_success 'annotated tags are stored peeled' '
	new_repo &&
	test_commit -C repo one &&
	git -C repo tag -m annotated outer one &&
	git -C repo tag -m nested nested outer &&
	git -C repo pack-refs &&
	one=$(git -C repo rev-parse one^{commit}) &&
	cat >expect <<-EOF &&
	$one refs/heads/main
	$(git -C repo rev-parse nested) refs/tags/nested
	$one refs/tags/nested^{}
	$one refs/tags/one
	$(git -C repo rev-parse outer) refs/tags/outer
	$one refs/tags/outer^{}
	EOF
	git -C repo show-ref -d >actual &&
	test_cmp expect actual
'

test_expect_success 'show-ref and for-each-ref in an empty repository' '
	new_repo &&
	test_must_fail git -C repo show-ref >actual &&
	test_must_be_empty actual &&
	git -C repo for-each-ref >actual &&
	test_must_be_empty actual &&
	git -C repo refs verify
'

test_expect_success 'an unborn branch' '
	new_repo &&
	git -C repo checkout -b first &&
	echo refs/heads/first >expect &&
	git -C repo symbolic-ref HEAD >actual &&
	test_cmp expect actual &&
	test_must_fail git -C repo rev-parse --verify HEAD &&
	test_must_fail git -C repo reflog show 2>err &&
	test_grep "does not have any commits yet" err &&
	test_commit -C repo one &&
	git -C repo for-each-ref --format="%(refname)" refs/heads >actual &&
	echo refs/heads/first >expect &&
	test_cmp expect actual &&
	git -C repo checkout --orphan second &&
	test_must_fail git -C repo rev-parse --verify HEAD &&
	git -C repo checkout first
'

test_expect_success 'names that conflict as file and directory are refused' '
	new_repo &&
	test_commit -C repo one &&
	git -C repo branch dir/file &&
	test_must_fail git -C repo branch dir 2>err &&
	test_grep ".refs/heads/dir/file. exists; cannot create .refs/heads/dir." err &&
	test_must_fail git -C repo branch dir/file/below 2>err &&
	test_grep ".refs/heads/dir/file. exists; cannot create .refs/heads/dir/file/below." err &&
	printf "%s\n" "create refs/heads/new HEAD" "create refs/heads/new/below HEAD" >input &&
	test_must_fail git -C repo update-ref --stdin <input 2>err &&
	test_grep "cannot process .refs/heads/new. and .refs/heads/new/below. at the same time" err &&
	git -C repo branch -D dir/file &&
	git -C repo branch dir-is-not-dir &&
	git -C repo branch dir
'

test_expect_success 'init in an existing repository leaves its refs alone' '
	new_repo &&
	test_commit -C repo one &&
	git -C repo for-each-ref >expect &&
	reftable_bytes repo >before &&
	git init repo &&
	git init -b other repo &&
	git init --ref-format=reftable repo &&
	reftable_bytes repo >after &&
	test_cmp before after &&
	git -C repo for-each-ref >actual &&
	test_cmp expect actual &&
	test_must_fail git init --ref-format=files repo 2>err &&
	test_grep "attempt to reinitialize" err &&
	reftable_bytes repo >after &&
	test_cmp before after
'

test_expect_success 'pseudo-refs of a cherry-pick' '
	new_repo &&
	test_commit -C repo base file &&
	git -C repo checkout -b side &&
	test_commit -C repo side file &&
	git -C repo checkout main &&
	test_commit -C repo other file &&
	test_must_fail git -C repo cherry-pick side &&
	same_rev repo side CHERRY_PICK_HEAD &&
	test_path_is_missing repo/.git/CHERRY_PICK_HEAD &&
	if test_have_prereq ROOT_REFS
	then
		git -C repo for-each-ref --include-root-refs --format="%(refname)" >actual &&
		test_grep "^CHERRY_PICK_HEAD$" actual
	fi &&
	git -C repo cherry-pick --abort &&
	test_must_fail git -C repo rev-parse --verify CHERRY_PICK_HEAD &&
	same_rev repo other HEAD
'

test_expect_success 'pseudo-refs of a rebase' '
	new_repo &&
	test_commit -C repo base file &&
	git -C repo checkout -b side &&
	test_commit -C repo side file &&
	git -C repo checkout -b other main &&
	test_commit -C repo other file &&
	test_must_fail git -C repo rebase side &&
	same_rev repo other REBASE_HEAD &&
	same_rev repo other ORIG_HEAD &&
	same_rev repo side HEAD &&
	test_must_fail git -C repo symbolic-ref HEAD &&
	echo resolved >repo/file &&
	git -C repo add file &&
	GIT_EDITOR=: git -C repo rebase --continue &&
	echo refs/heads/other >expect &&
	git -C repo symbolic-ref HEAD >actual &&
	test_cmp expect actual &&
	git -C repo log -g --format=%gs -1 HEAD >actual &&
	echo "rebase (finish): returning to refs/heads/other" >expect &&
	test_cmp expect actual
'

test_expect_success 'MERGE_HEAD and FETCH_HEAD stay files' '
	test_when_finished "rm -rf clone" &&
	new_repo &&
	test_commit -C repo one &&
	git clone repo clone &&
	test_commit -C repo two &&
	git -C clone fetch &&
	test_path_is_file clone/.git/FETCH_HEAD &&
	same_rev clone FETCH_HEAD origin/main &&
	git -C clone rev-parse --verify FETCH_HEAD &&
	test_commit -C clone three &&
	git -C clone merge --no-commit origin/main &&
	test_path_is_file clone/.git/MERGE_HEAD &&
	same_rev clone MERGE_HEAD FETCH_HEAD &&
	git -C clone merge --abort
'

test_expect_success 'a worktree on a branch has its own stack' '
	test_when_finished "rm -rf worktree" &&
	new_repo &&
	test_commit -C repo one &&
	git -C repo worktree add ../worktree &&
	test_path_is_file repo/.git/worktrees/worktree/reftable/tables.list &&
	echo "ref: refs/heads/.invalid" >expect &&
	test_cmp expect repo/.git/worktrees/worktree/HEAD &&
	echo refs/heads/worktree >expect &&
	git -C worktree symbolic-ref HEAD >actual &&
	test_cmp expect actual &&
	test_commit -C worktree two &&
	same_rev repo two worktree &&
	test_must_fail git -C repo branch -D worktree &&
	git -C worktree update-ref refs/worktree/own HEAD &&
	git -C repo for-each-ref refs/worktree >actual &&
	test_must_be_empty actual &&
	git -C repo rev-parse worktrees/worktree/refs/worktree/own &&
	git -C worktree rev-parse main-worktree/HEAD >actual &&
	git -C repo rev-parse HEAD >expect &&
	test_cmp expect actual
'

test_expect_success 'a worktree with a detached HEAD' '
	test_when_finished "rm -rf worktree" &&
	new_repo &&
	test_commit -C repo one &&
	git -C repo worktree add --detach ../worktree &&
	test_must_fail git -C worktree symbolic-ref HEAD &&
	test_commit -C worktree two &&
	same_rev repo one main &&
	same_rev repo two worktrees/worktree/HEAD &&
	git -C repo log -g --format=%gs worktrees/worktree/HEAD >actual &&
	test_write_lines "commit: two" >expect &&
	head -n 1 actual >first &&
	test_cmp expect first &&
	git -C repo worktree remove worktree &&
	test_path_is_missing repo/.git/worktrees/worktree/reftable &&
	test_must_fail git -C repo rev-parse --verify worktrees/worktree/HEAD
'

# Upstream's git writes such a name to another stack than it reads it from.
test_expect_success RUST_REFTABLE 'refs of another worktree can be written by their full names' '
	test_when_finished "rm -rf worktree" &&
	new_repo &&
	test_commit -C repo one &&
	git -C repo worktree add --detach ../worktree &&
	git -C repo update-ref -m far worktrees/worktree/refs/worktree/own one &&
	same_rev worktree refs/worktree/own one &&
	git -C worktree update-ref main-worktree/refs/worktree/own one &&
	same_rev repo refs/worktree/own one &&
	printf "%s\n" "create refs/heads/shared one" \
		"update worktrees/worktree/HEAD one" \
		"create worktrees/worktree/refs/bisect/bad one" >input &&
	git -C repo update-ref --stdin <input &&
	same_rev worktree refs/bisect/bad one
'

test_expect_success 'one transaction across two stacks' '
	test_when_finished "rm -rf worktree" &&
	new_repo &&
	test_commit -C repo one &&
	git -C repo worktree add ../worktree &&
	cat >input <<-EOF &&
	create refs/heads/shared HEAD
	create refs/worktree/there HEAD
	create refs/heads/second HEAD
	EOF
	git -C worktree update-ref --stdin <input &&
	git -C repo for-each-ref --format="%(refname)" refs/heads/s\* refs/worktree >actual &&
	test_write_lines refs/heads/second refs/heads/shared >expect &&
	test_cmp expect actual &&
	git -C worktree for-each-ref --format="%(refname)" refs/heads/shared refs/worktree >actual &&
	test_write_lines refs/heads/shared refs/worktree/there >expect &&
	test_cmp expect actual
'

test_expect_success 'many worktrees' '
	test_when_finished "rm -rf wt" &&
	new_repo &&
	test_commit -C repo one &&
	for i in $(test_seq 20)
	do
		git -C repo worktree add --no-checkout -b wt-$i ../wt/$i || return 1
	done &&
	for i in $(test_seq 20)
	do
		git -C wt/$i update-ref refs/worktree/own HEAD &&
		git -C repo rev-parse worktrees/$i/refs/worktree/own || return 1
	done &&
	git -C repo worktree list >actual &&
	test_line_count = 21 actual &&
	git -C repo refs verify &&
	git -C repo for-each-ref refs/heads >actual &&
	test_line_count = 21 actual
'

test_expect_success 'symbolic refs are kept, followed and deleted' '
	new_repo &&
	test_commit -C repo one &&
	git -C repo symbolic-ref -m "made by hand" refs/heads/sym refs/heads/main &&
	git -C repo for-each-ref --format="%(refname) %(symref)" refs/heads >actual &&
	test_write_lines "refs/heads/main " "refs/heads/sym refs/heads/main" >expect &&
	test_cmp expect actual &&
	test_commit -C repo two &&
	git -C repo update-ref refs/heads/sym one &&
	same_rev repo one main &&
	git -C repo symbolic-ref --delete refs/heads/sym &&
	same_rev repo one main &&
	git -C repo symbolic-ref refs/heads/dangling refs/heads/none &&
	git -C repo for-each-ref refs/heads/dangling 2>err >actual &&
	test_must_be_empty actual
'

test_expect_success 'a transaction takes effect completely or not at all' '
	new_repo &&
	test_commit -C repo one &&
	test_commit -C repo two &&
	one=$(git -C repo rev-parse one) &&
	two=$(git -C repo rev-parse two) &&
	reftable_bytes repo >before &&
	printf "%s\n" "create refs/heads/a $one" "update refs/heads/main $one $one" >input &&
	test_must_fail git -C repo update-ref --stdin <input &&
	printf "%s\n" start "create refs/heads/a $one" prepare abort >input &&
	git -C repo update-ref --stdin <input &&
	printf "%s\n" start "create refs/heads/a $one" prepare >input &&
	git -C repo update-ref --stdin <input &&
	reftable_bytes repo >after &&
	test_cmp before after
'

test_expect_success BATCH_UPDATES 'a batch applies the updates that are not rejected' '
	new_repo &&
	test_commit -C repo one &&
	test_commit -C repo two &&
	one=$(git -C repo rev-parse one) &&
	printf "%s\n" "create refs/heads/a $one" "update refs/heads/main $one $one" >input &&
	git -C repo update-ref --stdin --batch-updates <input >actual &&
	test_grep "^rejected refs/heads/main $one $one incorrect old value" actual &&
	same_rev repo one a
'

test_expect_success 'the reference-transaction hook sees updates and can refuse them' '
	new_repo &&
	test_commit -C repo one &&
	test_hook -C repo reference-transaction <<-\EOF &&
	seen=$(git rev-parse --absolute-git-dir)/seen
	echo "$1" >>"$seen"
	cat >>"$seen"
	test "$1" != prepared
	EOF
	reftable_bytes repo >before &&
	test_must_fail git -C repo update-ref refs/heads/new HEAD 2>err &&
	test_grep -e "in .prepared. phase, update aborted by the reference-transaction hook" \
		-e "ref updates aborted by hook" err &&
	reftable_bytes repo >after &&
	test_cmp before after &&
	head=$(git -C repo rev-parse HEAD) &&
	# Older releases do not run it in the first phase.
	for phase in $(sed -n /preparing/p repo/.git/seen) prepared aborted
	do
		test_write_lines $phase "$ZERO_OID $head refs/heads/new" || return 1
	done >expect &&
	test_cmp expect repo/.git/seen
'

test_expect_success MIGRATE_REFLOGS 'migration from files and back keeps refs and reflogs' '
	new_repo --ref-format=files &&
	test_commit -C repo one &&
	test_commit -C repo two &&
	git -C repo tag -m annotated three &&
	git -C repo symbolic-ref refs/heads/sym refs/heads/main &&
	git -C repo for-each-ref --include-root-refs >refs &&
	git -C repo log -g --all --format="%gD %H %gs" >logs &&
	for format in reftable files reftable
	do
		git -C repo refs migrate --ref-format=$format &&
		git -C repo for-each-ref --include-root-refs >actual &&
		test_cmp refs actual &&
		git -C repo log -g --all --format="%gD %H %gs" >actual &&
		test_cmp logs actual || return 1
	done &&
	git -C repo refs verify
'

test_expect_success BATCH_UPDATES,RUST_REFTABLE 'a batch that rejects an update logs HEAD once' '
	new_repo &&
	test_commit -C repo one &&
	test_commit -C repo two &&
	git -C repo update-ref refs/heads/branch one &&
	git -C repo symbolic-ref HEAD refs/heads/branch &&
	git -C repo symbolic-ref refs/heads/alias refs/heads/branch &&
	git -C repo reflog show --format="%H" HEAD >before &&
	two=$(git -C repo rev-parse two) &&
	printf "%s\n" "create refs/heads/branch $two" \
		"update refs/heads/alias $two" >input &&
	git -C repo update-ref --stdin --batch-updates <input &&
	same_rev repo refs/heads/branch two &&
	{ echo "$two" && cat before; } >expect &&
	git -C repo reflog show --format="%H" HEAD >actual &&
	test_cmp expect actual &&
	git -C repo refs verify
'

# Without a name or an email git asks for the name of the host, which may take seconds.
test_expect_success RUST_REFTABLE 'the committer is only needed for log entries' '
	new_repo &&
	test_commit -C repo one &&
	test_must_fail env GIT_COMMITTER_DATE=invalid \
		git -C repo update-ref refs/heads/logged one 2>err &&
	test_grep "invalid date format: invalid" err &&
	git -C repo config core.logAllRefUpdates false &&
	GIT_COMMITTER_DATE=invalid git -C repo update-ref refs/heads/branch one &&
	same_rev repo refs/heads/branch one
'

test_done
