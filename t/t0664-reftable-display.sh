#!/bin/sh
# shellcheck disable=SC1091,SC2016,SC2034,SC2086,SC2154

test_description='commands that show refs or reflogs, some of them unreadable

Whichever record or block is damaged, a command either reports it and fails, or prints
the same as for the sound repository.'

. ./lib-reftable.sh

if ! test_have_prereq PATCHED_GIT
then
	skip_all='upstream'\''s git does not report it'
	test_done
fi

# From the patch series.
. "$TEST_DIRECTORY"/lib-unreadable-refs.sh

# run COMMAND: runs git, sets $code, and leaves the output in actual and err. Git prints full
# refnames if it cannot tell whether short ones are ambiguous; the output is normalized
# accordingly.
run () {
	code=0
	git -C repo $1 >out 2>err </dev/null || code=$?
	sed -e "s,refs/\([hrt]\),\1,g" -e "s,heads/,,g" -e "s,remotes/,,g" -e "s,  *, ,g" \
		out >actual
}

test_expect_success 'setup' '
	create_unreadable repo &&
	git -C repo remote add origin . &&
	git -C repo update-ref refs/remotes/origin/aaa one &&
	git -C repo update-ref refs/remotes/origin/main two &&
	git -C repo config branch.main.remote origin &&
	git -C repo config branch.main.merge refs/heads/main &&
	git -C repo notes add -m note one &&
	git -C repo notes --ref=other add -m note one &&
	git -C repo replace one^{tree} two^{tree} &&
	echo changed >repo/one.t &&
	git -C repo stash &&
	git -C repo checkout --detach &&
	git -C repo checkout main &&
	git -C repo worktree add ../linked topic-60 &&
	git -C repo pack-refs --all &&
	table=$(unreadable_table repo) &&
	cp -p "$table" sound
'

test_expect_success 'output for a sound repository' '
	cat >commands <<-\EOF &&
	for-each-ref
	for-each-ref --sort=-refname
	for-each-ref --sort=creatordate --count=3
	for-each-ref --merged=main
	for-each-ref --format=%(refname:short)%(HEAD)
	for-each-ref --include-root-refs
	for-each-ref refs/tags
	refs list
	refs exists HEAD
	refs exists refs/heads/main
	refs exists refs/heads/none
	show-ref
	show-ref --head
	show-ref --tags
	show-ref --verify refs/heads/main
	branch
	branch -a
	branch -vv
	branch --contains one
	branch --show-current
	tag
	tag -n
	tag --points-at HEAD
	describe
	describe --all
	describe --tags --long one
	describe --contains one
	name-rev HEAD
	name-rev --all
	name-rev --tags one
	show-branch
	show-branch --all --list
	show-branch --reflog=2
	log --oneline
	log --decorate --oneline
	log --oneline --all
	log -1 --format=%d
	log --notes=* -1
	log -g --oneline
	log -g --oneline main
	log --oneline --branches=topic-3*
	rev-list --all
	rev-list --format=%d HEAD
	rev-parse HEAD
	rev-parse --verify --quiet main
	rev-parse main@{0}
	rev-parse HEAD@{1}
	rev-parse @{-1}
	rev-parse @{upstream}
	rev-parse :/one
	rev-parse --all
	rev-parse --glob=topic-4*
	rev-parse --abbrev-ref HEAD
	rev-parse --symbolic-full-name main
	reflog
	reflog list
	reflog show topic-40
	reflog exists topic-30
	reflog exists refs/heads/topic-30
	merge-base --fork-point main HEAD
	symbolic-ref HEAD
	symbolic-ref --short HEAD
	notes list
	notes --ref=other list
	replace -l
	worktree list
	worktree list --porcelain
	remote
	remote -v
	remote show -n origin
	remote show origin
	ls-remote .
	ls-remote --heads .
	stash list
	stash show
	status
	status -sb
	status --show-stash
	diff --cached
	cat-file -t main
	repo structure
	EOF
	{ test_have_prereq REFS_LIST || sed -i "/^refs /d" commands; } &&
	{ test_have_prereq REFLOG_LIST || sed -i "/^reflog list/d" commands; } &&
	{ test_have_prereq ROOT_REFS || sed -i "/include-root-refs/d" commands; } &&
	{ test_have_prereq REPO_STRUCTURE || sed -i "/^repo /d" commands; } &&
	# Each line begins with a name for files.
	sed -e "h;s/[^a-zA-Z0-9]/_/g;G;s/\n/ /" commands >named &&
	while read -r name command
	do
		run "$command" &&
		mv actual "sound.$name" &&
		echo $code >"sound.$name.code" || return 1
	done <named
'

# check_commands: compares the output of the commands with that for the sound repository.
# If it differs, the command must report an error.
check_commands () {
	while read -r name command
	do
		run "$command"
		if test $code = 0 || ! test_grep -E "^(error|fatal): " err >/dev/null
		then
			test_cmp "sound.$name" actual &&
			read -r sound <"sound.$name.code" &&
			test $code = $sound
		else
			test $code -le 128
		fi || return 1
		test ! -s err || test_grep ! -E "panicked|BUG:" err || return 1
	done <named
}

for ref in HEAD refs/heads/main refs/heads/topic-12 refs/heads/topic-31 \
	refs/heads/topic-59 refs/heads/topic-60 refs/notes/other \
	refs/remotes/origin/main refs/stash refs/tags/one refs/tags/two
do
	# The positions of the restarts depend on the hash.
	test_expect_success "an unreadable $ref" '
		test_when_finished "cp sound $table" &&
		if damage_record "$table" $ref 2>err
		then
			check_commands &&
			echo $ref >>tested
		else
			test_grep "restart point" err
		fi
	'
done

test_expect_success 'enough has been tested' '
	test_grep HEAD tested &&
	test $(wc -l <tested) -ge 7
'

for which in first middle last
do
	test_expect_success "a damaged block of reflogs ($which)" '
		damage_reflogs repo $which &&
		check_commands
	'
done

test_done
