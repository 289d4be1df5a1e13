#!/bin/sh
# shellcheck disable=SC1091,SC2016,SC2034,SC2086,SC2154

test_description='commands that delete, expire, drop, pack or send, with one damaged block

A store of some 900 branches loses one block in the middle. Its refs must not count
as deleted: each command refuses before it acts, with a message and a status other
than 0. The other side, the objects, refs and reflogs do not change. The counterpart
of t0659-reftable-iteration.sh.'

. ./lib-reftable.sh

if ! test_have_prereq PATCHED_GIT
then
	skip_all='upstream'\''s git does not refuse'
	test_done
fi

# 902 branches and a tag; 100 of the branches are at commits of their own. The clones have
# them as branches (mirror.git) and as remote-tracking branches (tracking).
test_expect_success 'setup' '
	git init template &&
	git -C template config gc.auto 0 &&
	git -C template config maintenance.auto false &&
	git -C template config core.logAllRefUpdates always &&
	test_commit -C template one &&
	git -C template branch first &&
	test_seq 100 >numbers &&
	while read -r number
	do
		git -C template commit-tree -p HEAD -m lost-$number HEAD^{tree} || return 1
	done <numbers >lost &&
	{
		test_seq -f "create refs/heads/topic-%04d HEAD" 800 &&
		sed -e "s/.*/create refs\/heads\/lost-& &/" lost
	} >input &&
	git -C template update-ref --stdin -m created <input &&
	git -C template pack-refs --all &&
	git -C template for-each-ref --count=1000 refs/heads >branches &&
	test_line_count = 902 branches &&
	git clone --mirror template mirror.git &&
	git clone template tracking &&
	git -C tracking config gc.auto 0 &&
	git -C tracking config maintenance.auto false &&
	git -C tracking update-ref refs/remotes/origin/gone main &&
	git -C tracking pack-refs --all &&
	git -C mirror.git for-each-ref >mirror-refs &&
	test_line_count = 903 mirror-refs
'

# fresh [TEMPLATE]: copies a repository to repo and damages its third block of refs, copies
# the mirror, and notes the state that must not change.
fresh () {
	rm -rf repo mirror &&
	cp -R -p ${1-template} repo &&
	cp -R -p mirror.git mirror &&
	stack=repo/.git/reftable &&
	table=$(tables_of $stack) &&
	test "$(wc -l <$stack/tables.list)" = 1 &&
	overwrite $table $((3 * 4096)) X &&
	note_state >state.before
}

note_state () {
	reftable_bytes repo &&
	reftable_bytes mirror &&
	cksum <repo/.git/config &&
	git -C repo cat-file --batch-all-objects --batch-check --unordered | LC_ALL=C sort
}

# refuses COMMAND...: git fails because of the damage and changes neither side.
refuses () {
	must_die_politely "$@" >out &&
	test_grep -E "unable to (iterate over all|read)" err &&
	note_state >state.after &&
	test_cmp state.before state.after
}

test_expect_success 'the damage hides refs in the middle' '
	fresh &&
	test_must_fail git -C repo for-each-ref refs/heads >out &&
	test_line_count -gt 100 out &&
	test_line_count -lt 800 out &&
	git -C repo rev-parse --verify topic-0800 &&
	git -C repo rev-parse --verify one
'

test_expect_success 'push' '
	fresh &&
	refuses git -C repo push --mirror ../mirror &&
	refuses git -C repo push --prune ../mirror "refs/*:refs/*" &&
	refuses git -C repo push --all ../mirror &&
	refuses git -C repo push ../mirror : &&
	refuses git -C repo push ../mirror "refs/heads/*:refs/heads/*" &&
	refuses git -C repo push ../mirror main:new &&
	refuses git -C repo send-pack --mirror ../mirror &&
	git -C repo config remote.mirror.url ../mirror &&
	git -C repo config remote.mirror.mirror true &&
	note_state >state.before &&
	refuses git -C repo push mirror
'

test_expect_success 'push that deletes is refused even with GIT_REF_PARANOIA=0' '
	fresh &&
	GIT_REF_PARANOIA=0 &&
	export GIT_REF_PARANOIA &&
	test_when_finished "sane_unset GIT_REF_PARANOIA" &&
	refuses git -C repo push --mirror ../mirror &&
	refuses git -C repo push --prune ../mirror "refs/*:refs/*"
'

test_expect_success 'clients that mirror or prune' '
	fresh &&
	for version in 0 1 2
	do
		for cmd in "fetch --prune" "remote update --prune" "remote prune origin"
		do
			git -C mirror remote set-url origin "$(pwd)/repo" &&
			must_die_politely git -c protocol.version=$version -C mirror $cmd &&
			test_grep "remote error: .*unable to iterate over all references" err &&
			git -C mirror for-each-ref >actual &&
			test_cmp mirror-refs actual || return 1
		done &&
		must_die_politely git -c protocol.version=$version clone --mirror repo clone &&
		test_path_is_missing clone || return 1
	done
'

test_expect_success 'a client over HTTP gets the reason' '
	fresh &&
	for service in upload receive
	do
		test_must_fail env REQUEST_METHOD=GET PATH_INFO=/info/refs \
			QUERY_STRING=service=git-$service-pack REMOTE_USER=someone \
			GIT_PROJECT_ROOT="$(pwd)/repo/.git" GIT_HTTP_EXPORT_ALL=1 \
			git http-backend >out 2>err &&
		test_grep -a "ERR $service-pack: unable to iterate over all references" out ||
		return 1
	done &&
	env REQUEST_METHOD=GET PATH_INFO=/info/refs GIT_PROJECT_ROOT="$(pwd)/repo/.git" \
		GIT_HTTP_EXPORT_ALL=1 git http-backend >out 2>err &&
	test_grep "^Status: 500" out &&
	test_grep ! refs/ out
'

test_expect_success 'receiving a push' '
	fresh &&
	git init pusher &&
	test_commit -C pusher other &&
	for refspec in HEAD:refs/heads/new --mirror --all
	do
		must_die_politely git -C pusher push --force ../repo $refspec &&
		test_grep "remote error: .*unable to iterate over all references" err &&
		note_state >state.after &&
		test_cmp state.before state.after || return 1
	done
'

for paranoia in 1 0
do
	test_expect_success "objects are kept (GIT_REF_PARANOIA=$paranoia)" '
		fresh &&
		GIT_REF_PARANOIA=$paranoia &&
		export GIT_REF_PARANOIA &&
		test_when_finished "sane_unset GIT_REF_PARANOIA" &&
		refuses git -C repo prune --expire=now &&
		refuses git -C repo repack -a -d &&
		refuses git -C repo repack -A -d --unpack-unreachable=now &&
		refuses git -C repo repack --cruft --cruft-expiration=now -d &&
		refuses git -C repo reflog expire --all &&
		refuses git -C repo reflog expire --expire=now --all &&
		refuses git -C repo reflog expire --expire=never --expire-unreachable=now HEAD &&
		refuses git -C repo reflog expire --stale-fix --expire=now main &&
		refuses git -C repo gc --prune=now &&
		refuses git -C repo gc --aggressive --prune=now &&
		refuses git -C repo maintenance run --task=gc
	'
done

test_expect_success 'nothing is packed or written for only some of the refs' '
	fresh &&
	refuses git -C repo commit-graph write --reachable &&
	refuses git -C repo maintenance run --task=commit-graph &&
	refuses git -C repo update-server-info &&
	refuses git -C repo bundle create ../out.bundle --all &&
	test_path_is_missing out.bundle &&
	refuses git -C repo fast-export --all &&
	if test_have_prereq FSCK_REFERENCES
	then
		refuses git -C repo fsck --no-references
	else
		refuses git -C repo fsck
	fi &&
	refuses git -C repo repack -d &&
	cp -R -p template packed &&
	git -C packed repack -d &&
	fresh packed &&
	refuses git -C repo multi-pack-index write --bitmap &&
	refuses git -C repo repack -d --geometric=2 --write-midx --write-bitmap-index &&
	refuses git -C repo repack -a -d --write-bitmap-index
'

test_expect_success 'remote-tracking branches' '
	fresh tracking &&
	git -C repo remote set-url origin "$(pwd)/mirror" &&
	git -C mirror update-ref -d refs/heads/first &&
	git -C mirror update-ref refs/heads/new main &&
	note_state >state.before &&
	refuses git -C repo fetch &&
	refuses git -C repo fetch --prune &&
	refuses git -C repo fetch --prune --prune-tags &&
	refuses git -C repo remote update --prune &&
	refuses git -C repo remote prune origin &&
	refuses git -C repo remote rename origin other &&
	refuses git -C repo remote remove origin
'

test_expect_success 'salvaging with GIT_REF_PARANOIA=0' '
	fresh &&
	rm -rf salvaged salvaged.bundle &&
	GIT_REF_PARANOIA=0 &&
	export GIT_REF_PARANOIA &&
	test_when_finished "sane_unset GIT_REF_PARANOIA" &&
	git -C repo rev-list --all >out 2>err &&
	test_grep "^warning: unable to iterate over all references" err &&
	test_line_count -gt 1 out &&
	git -C repo bundle create ../salvaged.bundle --all 2>err &&
	test_grep "^warning: unable to iterate over all references" err &&
	git clone --mirror salvaged.bundle from-bundle &&
	for version in 0 2
	do
		rm -rf salvaged &&
		git -c protocol.version=$version clone --mirror repo salvaged 2>err &&
		test_grep "^warning: unable to iterate over all references" err &&
		git -C salvaged for-each-ref >out &&
		test_line_count -gt 100 out || return 1
	done &&
	git init --bare pushed &&
	git -C repo push ../pushed "refs/heads/*:refs/heads/*" 2>err &&
	test_grep "^warning: unable to iterate over all references" err &&
	git -C pushed rev-parse --verify refs/heads/first &&
	# Refs after the damage have to be requested by name.
	git -C repo push ../pushed topic-0800:refs/heads/topic-0800 &&
	git -C pushed rev-parse --verify refs/heads/topic-0800 &&
	note_state >state.after &&
	test_cmp state.before state.after
'

test_expect_success 'pruning is refused with GIT_REF_PARANOIA=0' '
	fresh &&
	git -C mirror remote set-url origin "$(pwd)/repo" &&
	for cmd in "fetch --prune" "remote prune origin"
	do
		test_must_fail env GIT_REF_PARANOIA=0 git -C mirror $cmd 2>err &&
		test_grep "refusing to prune references" err &&
		git -C mirror for-each-ref >actual &&
		test_cmp mirror-refs actual || return 1
	done
'

test_expect_success 'commands on a sound store succeed' '
	rm -rf repo mirror &&
	cp -R -p template repo &&
	cp -R -p mirror.git mirror &&
	git -C repo push --mirror ../mirror &&
	git -C repo gc --prune=now &&
	git -C mirror remote set-url origin "$(pwd)/repo" &&
	git -C mirror fetch --prune &&
	git -C mirror for-each-ref >actual &&
	test_cmp mirror-refs actual
'

test_done
