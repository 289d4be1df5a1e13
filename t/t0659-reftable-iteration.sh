#!/bin/sh
# shellcheck disable=SC1091,SC2016,SC2034,SC2086,SC2154

test_description='commands that list refs or reflogs which cannot all be read

Each shows what it has read, says that this is not all, and fails. Those that
conclude something from a ref not being there do nothing.'

. ./lib-reftable.sh

if ! test_have_prereq RUST_REFTABLE
then
	skip_all='upstream'\''s git does not tell'
	test_done
fi

# One table whose refs and reflogs take many blocks. The refs come in the order of
# their names: what stands behind the damage is refs/heads/topic-* and refs/tags.
test_expect_success 'setup' '
	git init repo &&
	git -C repo config reftable.blockSize 256 &&
	git -C repo config core.logAllRefUpdates always &&
	test_commit -C repo one &&
	test_commit -C repo two &&
	test_seq -f "create refs/heads/topic-%03d HEAD" 60 >input &&
	git -C repo update-ref --stdin -m created <input &&
	git -C repo tag -m annotated annotated &&
	git -C repo commit --allow-empty -m lost &&
	git -C repo branch topic-999 &&
	lost=$(git -C repo rev-parse topic-999) &&
	git -C repo reset --hard two &&
	git -C repo pack-refs --all &&
	stack=repo/.git/reftable &&
	table=$(tables_of $stack) &&
	cp -p $table pristine &&
	git -C repo for-each-ref >all-refs &&
	git -C repo reflog list >all-reflogs
'

# damage_ref NAME: makes the record of ref NAME one that cannot be read, by the length of
# its key, and so all records behind it in its block.
damage_ref () {
	cp -p pristine $table &&
	# The last bytes of a name are those that differ from the name before.
	at=$(perl -e "
		undef \$/;
		\$bytes = <STDIN>;
		print index(\$bytes, \$ARGV[0]);
	" "$1" <$table) &&
	test $at -gt 0 &&
	overwrite $table $((at - 1)) "\377"
}

# The logs are deflated: nothing of them but their beginning is found.
damage_logs () {
	cp -p pristine $table &&
	at=$(perl -e "
		undef \$/;
		\$bytes = <STDIN>;
		@places = ();
		push @places, pos(\$bytes) while \$bytes =~ /g\0..\x78/g;
		print \$places[@places / 2];
	" <$table) &&
	overwrite $table $((at + 20)) "\377\377\377\377"
}

# Names the first ref in $name whose reflog cannot be read.
first_unreadable () {
	while read -r name
	do
		git -C repo reflog show $name >out 2>err || return 0
	done <all-reflogs
	return 1
}

# tells COMMAND...: fails with an error line. What it shows is in out.
tells () {
	test_must_fail git -C repo "$@" >out 2>err &&
	test_grep -E "^(error|fatal): " err &&
	! grep -E "panicked|BUG:" err
}

test_expect_success 'refs behind the damage are missed' '
	damage_ref refs/heads/topic-0 &&
	tells for-each-ref &&
	test_grep "unable to iterate over all references" err &&
	test_line_count -gt 0 out &&
	test_line_count -lt 60 out &&
	head -n $(wc -l <out) all-refs >expect &&
	test_cmp expect out
'

test_expect_success 'listing refs' '
	damage_ref refs/heads/topic-0 &&
	tells for-each-ref --sort=-committerdate &&
	tells for-each-ref refs/heads &&
	tells for-each-ref --merged=refs/heads/main &&
	tells refs list &&
	tells branch --list &&
	tells branch -v &&
	tells show-ref &&
	tells rev-parse --all &&
	tells rev-parse --branches
'

test_expect_success 'a count that is reached before the damage' '
	damage_ref refs/heads/topic-0 &&
	git -C repo for-each-ref --count=1 >out &&
	test_line_count = 1 out
'

test_expect_success 'tags' '
	damage_ref refs/heads/topic-0 &&
	git -C repo tag --list >out &&
	test_line_count = 3 out &&
	damage_ref tags/annotated &&
	tells tag --list &&
	tells tag -n
'

test_expect_success 'listing reflogs' '
	damage_logs &&
	tells reflog list &&
	test_line_count -gt 0 out &&
	head -n $(wc -l <out) all-reflogs >expect &&
	test_cmp expect out
'

test_expect_success 'showing reflogs' '
	damage_logs &&
	shown=0 &&
	told=0 &&
	for name in $(cat all-reflogs)
	do
		if git -C repo reflog show $name >out 2>err
		then
			shown=$((shown + 1))
		else
			test_grep -E "^(error|fatal): " err &&
			test_must_fail git -C repo log -g $name &&
			{
				# The first entry may be one that can be read.
				git -C repo reflog exists $name ||
				test_grep -E "unable to look up" err
			} 2>err &&
			told=$((told + 1))
		fi || return 1
	done &&
	test $shown -gt 0 &&
	test $told -gt 0 &&
	git -C repo reflog exists HEAD &&
	test_must_fail git -C repo reflog exists refs/heads/none 2>err &&
	test_must_be_empty err
'

test_expect_success 'expiring and dropping reflogs' '
	damage_logs &&
	tells reflog expire --expire=now --all &&
	damage_logs &&
	tells reflog drop --all &&
	damage_logs &&
	first_unreadable &&
	tells reflog expire --expire=now $name &&
	test_grep -E "unable to (look up|expire) the reflog of .$name." err &&
	reftable_bytes repo >before &&
	tells reflog delete $name@{0} &&
	reftable_bytes repo >after &&
	test_cmp before after
'

test_expect_success 'no object is taken for unreachable' '
	damage_ref refs/heads/topic-0 &&
	tells rev-list --all &&
	tells rev-list --branches &&
	tells rev-list --glob=refs/heads/topic-* &&
	tells repack -a -d &&
	tells prune --expire=now &&
	tells gc --prune=now &&
	damage_logs &&
	tells rev-list --reflog &&
	tells prune --expire=now &&
	tells gc --prune=now &&
	cp -p pristine $table &&
	git -C repo cat-file -e $lost &&
	git -C repo fsck --connectivity-only
'

test_expect_success 'nothing is served' '
	damage_ref refs/heads/topic-0 &&
	test_must_fail git -c protocol.version=0 ls-remote repo >out 2>err &&
	test_must_fail git -c protocol.version=2 ls-remote repo >out 2>err &&
	test_must_fail git clone --mirror repo clone 2>err &&
	test_path_is_missing clone &&
	tells upload-pack --advertise-refs . &&
	tells receive-pack --advertise-refs .
'

test_expect_success 'a symbolic ref that leads to what cannot be read does not dangle' '
	cp -p pristine $table &&
	git -C repo symbolic-ref refs/heads/alias refs/heads/topic-002 &&
	git -C repo pack-refs --all &&
	table=$(tables_of $stack) &&
	cp -p $table pristine &&
	damage_ref refs/heads/topic-0 &&
	tells for-each-ref refs/heads/alias
'

# Names that begin with refs/heads/topic- stand before those below refs/heads/topic/,
# so that a look for the latter comes to the damaged block.
test_expect_success 'a conflict of names that cannot be ruled out' '
	cp -p pristine $table &&
	damage_ref tags/annotated &&
	reftable_bytes repo >before &&
	must_die_politely git -C repo update-ref refs/heads/topic HEAD &&
	must_die_politely git -C repo branch topic &&
	echo "create refs/heads/topic HEAD" >input &&
	must_die_politely git -C repo update-ref --stdin <input &&
	test_might_fail git -C repo update-ref --stdin --batch-updates <input &&
	reftable_bytes repo >after &&
	test_cmp before after
'

test_expect_success 'sound refs are listed as before' '
	cp -p pristine $table &&
	git -C repo for-each-ref >out &&
	grep -v refs/heads/alias out >actual &&
	test_cmp all-refs actual &&
	git -C repo gc --prune=now
'

test_done
