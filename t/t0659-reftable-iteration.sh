#!/bin/sh
# shellcheck disable=SC1091,SC2016,SC2034,SC2086,SC2154

test_description='commands that list refs or reflogs, some of them unreadable

Each command shows what it could read, reports that this is incomplete, and fails.
Commands that act on missing refs do nothing.'

. ./lib-reftable.sh

if ! test_have_prereq RUST_REFTABLE
then
	skip_all='upstream'\''s git does not report it'
	test_done
fi

# One table whose refs and reflogs take many blocks. refs/heads/topic-* and refs/tags come
# after the damage.
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
	reflog_names repo >all-reflogs
'

# damage_ref NAME: makes the record of ref NAME, and so all records after it in its block,
# unreadable by a wrong length of its key.
damage_ref () {
	cp -p pristine $table &&
	# A record stores only the last bytes of a name, which differ from the previous one.
	at=$(perl -e "
		undef \$/;
		\$bytes = <STDIN>;
		print index(\$bytes, \$ARGV[0]);
	" "$1" <$table) &&
	test $at -gt 0 &&
	overwrite $table $((at - 1)) "\377"
}

# damage_logs: damages the block that holds the logs. They are deflated: only the start of
# the block can be found.
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

# first_unreadable: sets $name to the first ref whose reflog cannot be read.
first_unreadable () {
	while read -r name
	do
		git -C repo reflog show $name >out 2>err || return 0
	done <all-reflogs
	return 1
}

# reports COMMAND...: git fails with an error line. Its output is in out.
reports () {
	test_must_fail git -C repo "$@" >out 2>err &&
	test_grep -E "^(error|fatal): " err &&
	! grep -E "panicked|BUG:" err
}

test_expect_success 'refs after the damage are missing' '
	damage_ref refs/heads/topic-0 &&
	reports for-each-ref &&
	test_grep "unable to iterate over all references" err &&
	test_line_count -gt 0 out &&
	test_line_count -lt 60 out &&
	head -n $(wc -l <out) all-refs >expect &&
	test_cmp expect out
'

test_expect_success 'listing refs' '
	damage_ref refs/heads/topic-0 &&
	reports for-each-ref --sort=-committerdate &&
	reports for-each-ref refs/heads &&
	reports for-each-ref --merged=refs/heads/main &&
	if test_have_prereq REFS_LIST
	then
		reports refs list
	fi &&
	reports branch --list &&
	reports branch -v &&
	reports show-ref &&
	reports rev-parse --all &&
	reports rev-parse --branches
'

# Releases without the option read all refs before they print one.
test_expect_success ROOT_REFS 'a count that is reached before the damage succeeds' '
	damage_ref refs/heads/topic-0 &&
	git -C repo for-each-ref --no-sort --count=1 >out &&
	test_line_count = 1 out
'

test_expect_success 'tags' '
	damage_ref refs/heads/topic-0 &&
	git -C repo tag --list >out &&
	test_line_count = 3 out &&
	damage_ref tags/annotated &&
	reports tag --list &&
	reports tag -n
'

test_expect_success REFLOG_LIST 'listing reflogs' '
	damage_logs &&
	reports reflog list &&
	test_line_count -gt 0 out &&
	head -n $(wc -l <out) all-reflogs >expect &&
	test_cmp expect out
'

test_expect_success 'showing reflogs' '
	damage_logs &&
	shown=0 &&
	reported=0 &&
	for name in $(cat all-reflogs)
	do
		if git -C repo reflog show $name >out 2>err
		then
			shown=$((shown + 1))
		else
			test_grep -E "^(error|fatal): " err &&
			test_must_fail git -C repo log -g $name &&
			{
				# The first entry may be readable.
				git -C repo reflog exists $name ||
				test_grep -E "unable to look up" err
			} 2>err &&
			reported=$((reported + 1))
		fi || return 1
	done &&
	test $shown -gt 0 &&
	test $reported -gt 0 &&
	git -C repo reflog exists HEAD &&
	test_must_fail git -C repo reflog exists refs/heads/none 2>err &&
	test_must_be_empty err
'

test_expect_success 'expiring and dropping reflogs' '
	damage_logs &&
	reports reflog expire --expire=now --all &&
	if test_have_prereq REFLOG_DROP
	then
		damage_logs &&
		reports reflog drop --all
	fi &&
	damage_logs &&
	first_unreadable &&
	reports reflog expire --expire=now $name &&
	test_grep -E "unable to (look up|expire) the reflog of .$name." err &&
	reftable_bytes repo >before &&
	reports reflog delete $name@{0} &&
	reftable_bytes repo >after &&
	test_cmp before after
'

test_expect_success 'no object is considered unreachable' '
	damage_ref refs/heads/topic-0 &&
	reports rev-list --all &&
	reports rev-list --branches &&
	reports rev-list --glob=refs/heads/topic-* &&
	reports repack -a -d &&
	reports prune --expire=now &&
	reports gc --prune=now &&
	damage_logs &&
	reports rev-list --reflog &&
	reports prune --expire=now &&
	reports gc --prune=now &&
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
	reports upload-pack --advertise-refs . &&
	reports receive-pack --advertise-refs .
'

test_expect_success 'a symbolic ref to an unreadable ref is not dangling' '
	cp -p pristine $table &&
	git -C repo symbolic-ref refs/heads/alias refs/heads/topic-002 &&
	git -C repo pack-refs --all &&
	table=$(tables_of $stack) &&
	cp -p $table pristine &&
	damage_ref refs/heads/topic-0 &&
	reports for-each-ref refs/heads/alias
'

# Names that begin with refs/heads/topic- sort before those below refs/heads/topic/, so
# that a search for the latter reaches the damaged block.
test_expect_success 'a name conflict that cannot be ruled out' '
	cp -p pristine $table &&
	damage_ref tags/annotated &&
	reftable_bytes repo >before &&
	must_die_politely git -C repo update-ref refs/heads/topic HEAD &&
	must_die_politely git -C repo branch topic &&
	echo "create refs/heads/topic HEAD" >input &&
	must_die_politely git -C repo update-ref --stdin <input &&
	if test_have_prereq BATCH_UPDATES
	then
		test_might_fail git -C repo update-ref --stdin --batch-updates <input
	fi &&
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
