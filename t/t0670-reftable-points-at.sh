#!/bin/sh
# shellcheck disable=SC1091,SC2016,SC2034,SC2046,SC2086,SC2154

test_description='commands that look for the references of an object

The backend leaves out references that cannot point at the object. Whatever it leaves out, the
commands print what they print for the same references in files.'

. ./lib-reftable.sh

# Older releases do not ask backends for them, and peel tags of both formats differently.
test_lazy_prereq LIMIT_TO_OIDS '
	git init --ref-format=reftable repo &&
	test_commit -C repo one &&
	GIT_TRACE_REFS=1 git -C repo for-each-ref --points-at=HEAD 2>trace &&
	grep limit_to_oids trace
'
if test_have_prereq PATCHED_GIT && ! test_have_prereq LIMIT_TO_OIDS
then
	skip_all='this release reads all references'
	test_done
fi

test_lazy_prereq START_AFTER '
	git for-each-ref --start-after=refs/heads/x
'

REPOS='tables loose'

# Runs the same command in both repositories.
both () {
	for repo in $REPOS
	do
		git -C $repo "$@" || return 1
	done
}

# Passes the file "changes" to update-ref in both repositories.
apply () {
	for repo in $REPOS
	do
		git -C $repo "$@" update-ref --stdin <changes || return 1
	done
}

# A sequence of numbers below $1 that depends only on the seed.
seed=20261128
below () {
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	number=$((seed / 65536 % $1))
}

# Prints the line $1 of the file $2, counted from 0.
line () {
	sed -n "$(($1 + 1))p" $2
}

# change N: writes N random commands for update-ref into the file "changes", of which each concerns
# another reference.
change () {
	: >changes.unsorted &&
	for i in $(test_seq $1)
	do
		below $(wc -l <names) && name=$(line $number names) &&
		case $name in
		refs/heads/*) values=commits ;;
		*) values=values ;;
		esac &&
		below $(wc -l <$values) && value=$(line $number $values) &&
		below 4 &&
		if test $number = 0
		then
			value=$ZERO_OID
		fi &&
		echo "$name $value" >>changes.unsorted || return 1
	done &&
	sort -u -k1,1 changes.unsorted | sed -e "s/^/update /" >changes
}

# compare DIRECTORY...: compares the chosen commands for all objects in these directories of
# both repositories.
compare () {
	for dir
	do
		while read -r oid
		do
			sed -e "s/OID/$oid/g" commands >todo &&
			while IFS= read -r command
			do
				next_is_chosen || continue
				for repo in $REPOS
				do
					code=0
					eval "git -C $repo$dir $command" >$repo.out 2>$repo.err || code=$?
					echo "exit code $code" >>$repo.out || return 1
				done &&
				echo "$command" >last &&
				test_cmp loose.out tables.out &&
				test_cmp loose.err tables.err || return 1
			done <todo || return 1
		done <objects || return 1
	done
}

test_expect_success 'setup' '
	git init --ref-format=reftable tables &&
	git -C tables config advice.nestedTag false &&
	test_commit_bulk -C tables --id=base 6 &&
	git -C tables rev-list main >commits &&
	git -C tables rev-parse HEAD^{tree} HEAD:base-1.t >others &&
	for n in 1 2 3
	do
		commit=$(line $n commits) &&
		git -C tables tag -m "tag $n" tag$n $commit &&
		git -C tables tag -m "tag of tag $n" nested$n tag$n &&
		git -C tables tag -m "tag of tag of tag $n" deep$n nested$n || return 1
	done &&
	git -C tables tag -m "tag of a tree" tree HEAD^{tree} &&
	git -C tables for-each-ref --format="%(objectname)" refs/tags >tags &&
	git -C tables for-each-ref --format="delete %(refname)" refs/tags |
	git -C tables update-ref --stdin &&
	cat commits others tags >values &&
	{
		cat values &&
		git -C tables rev-parse HEAD:base-2.t
	} >objects &&
	test_seq -f "refs/heads/branch%d" 1 12 >names &&
	test_seq -f "refs/heads/dir/v1.%d" 1 6 >>names &&
	test_seq -f "refs/tags/tag%d" 1 12 >>names &&
	test_seq -f "refs/remotes/origin/branch%d" 1 6 >>names &&
	test_seq -f "refs/other/%d" 1 6 >>names &&

	git init --ref-format=files loose &&
	cp -R tables/.git/objects loose/.git/ &&
	git -C loose update-ref refs/heads/main $(line 0 commits) &&
	both config core.logAllRefUpdates true &&
	both checkout -q -f main &&
	for repo in $REPOS
	do
		git -C $repo worktree add -q -b linked ../$repo-linked main || return 1
	done &&

	cat >commands <<-\EOF
	for-each-ref --points-at=OID
	for-each-ref --points-at=OID refs/tags refs/heads/dir "refs/remotes/*/branch[1-3]"
	for-each-ref --points-at=OID --exclude=refs/heads/dir --exclude=refs/tags/tag1
	for-each-ref --points-at=OID --ignore-case "REFS/TAGS/*"
	for-each-ref --points-at=OID --sort=-refname --count=3
	for-each-ref --points-at=OID --contains=main~3 --format="%(refname) %(*objectname)"
	for-each-ref --points-at=OID --no-merged=main~2
	for-each-ref --points-at=OID --points-at=main --format="%(refname) %(symref)"
	for-each-ref --points-at=OID --include-root-refs --format="%(refname)"
	branch --points-at=OID
	branch -a --points-at=OID --sort=-committerdate
	branch -r --points-at=OID --format="%(refname) %(symref)"
	tag --points-at=OID
	tag --points-at=OID -n1 "tag1*"
	tag --points-at=OID --sort=-taggerdate --no-contains=main~1
	describe --exact-match OID
	describe --exact-match --tags OID
	describe --exact-match --all --match="tag[1-6]" OID
	describe --exact-match --all --always OID
	log -1 --format="%h%d" OID
	log -1 --decorate=full --decorate-refs-exclude="refs/heads/dir/*" --oneline OID
	log -1 --graph --boundary --skip=1 --clear-decorations --format="%h %D" OID
	show -s --decorate --clear-decorations --oneline OID
	EOF
'

test_expect_success 'random references' '
	change 30 &&
	apply &&
	change 30 &&
	apply &&
	compare ""
'

test_expect_success 'one table' '
	change 30 &&
	apply &&
	both pack-refs --all &&
	compare ""
'

test_expect_success 'newer values and tombstones in newer tables' '
	for n in 1 2 3
	do
		change 5 &&
		apply -c reftable.autoCompaction=false || return 1
	done &&
	compare ""
'

# In files, --start-after misses references.
test_expect_success START_AFTER 'a part of the references' '
	while read -r oid
	do
		for after in refs/heads/branch3 refs/heads/dir/v1.2 refs/remotes refs/tags/tag2
		do
			git -C tables for-each-ref --points-at=$oid --format="%(refname)" >all &&
			LC_ALL=C awk -v after=$after "\$1 > after" all >expect &&
			git -C tables for-each-ref --points-at=$oid --format="%(refname)" \
				--start-after=$after >actual &&
			test_cmp expect actual || return 1
		done || return 1
	done <objects
'

test_expect_success 'symbolic references' '
	both symbolic-ref refs/heads/link refs/heads/branch1 &&
	both symbolic-ref refs/heads/second-link refs/heads/link &&
	both symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/branch1 &&
	both symbolic-ref refs/tags/to-branch refs/heads/branch2 &&
	both symbolic-ref refs/tags/to-tag refs/tags/tag1 &&
	both symbolic-ref refs/heads/dangling refs/heads/none &&
	compare ""
'

test_expect_success 'references of worktrees' '
	echo "refs/worktree/own $(line 1 tags)" >own &&
	echo "refs/bisect/bad $(line 0 commits)" >>own &&
	echo "refs/bisect/good-1 $(line 4 commits)" >>own &&
	for repo in $REPOS
	do
		sed -e "s/^/create /" own | git -C $repo update-ref --stdin &&
		sed -e "s/^/create /" -e "s/ [^ ]*$/ $(line 2 commits)/" own |
		git -C $repo-linked update-ref --stdin &&
		git -C $repo-linked update-ref refs/worktree/linked $(line 2 tags) || return 1
	done &&
	compare "" -linked
'

test_expect_success 'a detached HEAD and other root references' '
	both checkout -q --detach main~2 &&
	both update-ref ORIG_HEAD $(line 0 tags) &&
	compare "" -linked
'

# Git's C backend peels these, too.
test_expect_success RUST_REFTABLE 'tags whose peeled values are not stored' '
	number=0 &&
	while read -r tag
	do
		number=$((number + 1)) &&
		for repo in $REPOS
		do
			test-tool -C $repo ref-store main update-ref message \
				refs/tags/unpeeled$number $tag $ZERO_OID \
				REF_SKIP_OID_VERIFICATION || return 1
		done || return 1
	done <tags &&
	for table in tables/.git/reftable/*.ref
	do
		test-tool dump-reftable -t $table || return 1
	done >dump &&
	grep "refs/tags/unpeeled1([0-9]*) val 1 " dump &&
	compare ""
'

test_expect_success 'replaced tags' '
	both replace -f $(line 0 tags) $(line 1 tags) &&
	compare "" &&
	both replace -d $(line 0 tags)
'

test_expect_success 'describe --exact-match without names' '
	git init --ref-format=reftable nameless &&
	test_commit -C nameless --no-tag one &&
	test_must_fail git -C nameless describe --exact-match 2>err &&
	test_grep "No names found" err &&
	test_must_fail git -C nameless describe --exact-match --always 2>err &&
	test_grep "no tag exactly matches" err &&
	git -C nameless tag v1 &&
	test_must_fail git -C nameless describe --exact-match 2>err &&
	test_grep "no tag exactly matches" err &&
	git -C nameless tag -a -m two v2 &&
	git -C nameless commit --allow-empty -m two &&
	test_must_fail git -C nameless describe --exact-match 2>err &&
	test_grep "no tag exactly matches" err
'

test_expect_success 'an object that does not exist' '
	cp objects objects.orig &&
	echo $(test_oid deadbeef) >objects &&
	test_when_finished "mv objects.orig objects" &&
	compare ""
'

test_expect_success RUST_REFTABLE 'references to missing objects do not matter' '
	git init --ref-format=reftable missing &&
	test_commit -C missing one &&
	test_commit -C missing two &&
	git -C missing branch other one &&
	git -C missing tag -d one two &&
	oid=$(git -C missing rev-parse other) &&
	rm -f missing/.git/objects/$(test_oid_to_path $oid) &&
	git -C missing for-each-ref --points-at=main --format="%(refname)" >actual &&
	echo refs/heads/main >expect &&
	test_cmp expect actual
'

# walks COMMAND...: runs git, and leaves in "walks" how it checks the connectivity of objects.
walks () {
	rm -f trace &&
	GIT_TRACE="$PWD/trace" git "$@" &&
	{ grep "rev-list.*--objects.*--stdin.*--not" trace || :; } >walks
}

test_expect_success RUST_REFTABLE 'objects that have references are connected' '
	git init --bare --ref-format=reftable server &&
	git -C tables push ../server main main~1:refs/heads/secret &&
	walks -C tables push ../server main:refs/heads/copy main~1:refs/tags/old &&
	test_must_be_empty walks &&
	git -C server rev-parse copy old >actual &&
	git -C tables rev-parse main main~1 >expect &&
	test_cmp expect actual &&

	# One of them has none.
	walks -C tables push ../server main:refs/heads/again main~3:refs/heads/inner &&
	test_file_not_empty walks &&

	# A symbolic reference, and one that was deleted or overwritten, is none.
	git -C server symbolic-ref refs/heads/link refs/heads/none &&
	git -C server update-ref refs/heads/gone main~2 &&
	git -C server update-ref -d refs/heads/gone &&
	git -C server update-ref refs/heads/moved main~2 &&
	git -C server update-ref refs/heads/moved main &&
	walks -C tables push ../server main~2:refs/heads/second &&
	test_file_not_empty walks
'

test_expect_success RUST_REFTABLE 'hidden references do not count' '
	git init --bare --ref-format=reftable hiding &&
	git -C tables push ../hiding main~1:refs/heads/secret &&
	git -C hiding config receive.hideRefs refs/heads/secret &&
	walks -C tables push ../hiding main~1:refs/heads/first &&
	test_file_not_empty walks &&
	walks -C tables push ../hiding main~1:refs/heads/second &&
	test_must_be_empty walks
'

test_expect_success RUST_REFTABLE 'a fetch that brings nothing new' '
	git clone -q --ref-format=reftable server client &&
	walks -C client fetch &&
	test_must_be_empty walks &&
	test_commit -C tables new &&
	git -C tables push ../server HEAD:refs/heads/new &&
	walks -C client fetch &&
	test_file_not_empty walks
'

test_expect_success RUST_REFTABLE 'a reference to a missing object is no proof' '
	git init --ref-format=reftable broken &&
	test_commit -C broken one &&
	test_commit -C broken two &&
	oid=$(git -C broken rev-parse two) &&
	git -C broken checkout -q --detach one &&
	git init --bare --ref-format=reftable target &&
	git -C broken push ../target one &&
	rm -rf target/objects &&
	cp -R broken/.git/objects target/objects &&
	git -C target update-ref refs/heads/two $oid &&
	rm -f target/objects/$(test_oid_to_path $oid) &&
	test_must_fail git -C broken push ../target two:refs/heads/again
'

# want OID: what both repositories answer to a client that wants an object, and sees no references
# because it is served by a process of its own for each request.
want () {
	{ packetize "want $1" && printf 0000 && packetize done; } >request &&
	for repo in $REPOS
	do
		status=0 &&
		git -C $repo upload-pack --stateless-rpc . <request >answer 2>err || status=$?
		{ echo "$1 $status" && { grep -a -o "ERR .*" answer || :; } && cat err; } >>$repo.answers
	done
}

# Both repositories allow clients to want the same objects.
compare_wants () {
	rm -f tables.answers loose.answers &&
	while read oid
	do
		want $oid || return 1
	done <wanted &&
	test_cmp loose.answers tables.answers
}

test_expect_success 'objects that clients may want' '
	both update-ref refs/namespaces/space/refs/heads/inner $(line 3 commits) &&
	both update-ref refs/namespaces/space/other $(line 4 commits) &&
	both update-ref refs/heads/dir/shown $(line 5 commits) &&
	tree=$(git -C tables rev-parse $(line 0 commits)^{tree}) &&
	unreachable=$(git -C tables commit-tree -m unreachable $tree) &&
	git -C loose commit-tree -m unreachable $tree &&
	{ cat objects && echo $unreachable; } >wanted &&
	compare_wants &&
	grep "not our ref" tables.answers &&
	for setting in allowTipSHA1InWant allowReachableSHA1InWant allowAnySHA1InWant hideRefs=refs/heads/dir
	do
		value=${setting#*=} &&
		{ test "$value" != "$setting" || value=true; } &&
		both config uploadpack.${setting%%=*} $value &&
		compare_wants || return 1
	done &&
	both config --unset uploadpack.allowAnySHA1InWant &&
	compare_wants &&
	both config --unset uploadpack.allowReachableSHA1InWant &&
	compare_wants &&
	both config --unset uploadpack.allowTipSHA1InWant &&
	compare_wants &&
	(
		GIT_NAMESPACE=space &&
		export GIT_NAMESPACE &&
		compare_wants
	)
'

test_expect_success RUST_REFTABLE 'a wanted object is not looked for among all references' '
	git init --bare --ref-format=reftable many &&
	test_commit_bulk -C many --ref=refs/heads/main 600 &&
	git -C many rev-list main | awk "{ printf \"create refs/heads/b%03d %s\\n\", NR, \$1 }" |
	git -C many update-ref --stdin &&
	git -C many pack-refs &&
	wanted=$(git -C many rev-parse refs/heads/b001) &&
	{ packetize "want $wanted" && printf 0000 && packetize done; } >request &&
	git -C many upload-pack --stateless-rpc . <request >answer &&

	# The references that follow are in a block that cannot be read.
	overwrite many/reftable/*.ref 4096 "\0" &&
	test_must_fail git -C many for-each-ref &&
	git -C many upload-pack --stateless-rpc . <request >actual &&
	test_cmp_bin answer actual &&

	# An object without references is.
	blob=$(git -C many rev-parse main:1.t) &&
	{ packetize "want $blob" && printf 0000 && packetize done; } >request &&
	test_must_fail git -C many upload-pack --stateless-rpc . <request >actual &&
	grep -a "unable to iterate over all references" actual
'

test_done
