#!/bin/sh

test_description='JGit and git write to the same reflogs

JGit stores messages unchanged: without a line feed at the end, or with line feeds
inside. Git copies such entries unchanged and shows each as one line.'

# JGit does not support the 'link' DIRC extension.
GIT_TEST_SPLIT_INDEX=0
export GIT_TEST_SPLIT_INDEX

. ./lib-reftable.sh

need_jgit

test_lazy_prereq JGIT_LIBRARY 'compile_java "$TEST_DIRECTORY/t0666/Update.java"'

# jgit_update REF MESSAGE: sets REF to HEAD's commit in the repository of this directory.
jgit_update () {
	run_java Update .git "$1" "$(git rev-parse HEAD)" "$2" >jgit-update.out &&
	test_grep -E "NEW|FORCED|NO_CHANGE" jgit-update.out
}

# shown REF: prints the messages of its log as git shows them, oldest first.
shown () {
	git log -g --format=%gs "$1" -- >newest-first &&
	test -s newest-first &&
	sed -n '1!G;h;$p' newest-first
}

# tables: prints the number of tables in the stack.
tables () {
	wc -l <.git/reftable/tables.list
}

# quietly COMMAND...: the command succeeds and prints nothing to stderr.
quietly () {
	"$@" 2>err &&
	test_must_be_empty err
}

test_expect_success PATCHED_GIT 'messages of JGit are shown completely' '
	test_when_finished "rm -rf repo" &&
	git init repo &&
	(
		cd repo &&
		test_commit A &&
		>B &&
		jgit add B &&
		jgit commit -m "message of JGit" &&
		test_commit C &&
		shown refs/heads/main >actual &&
		cat >expect <<-\EOF &&
		commit (initial): A
		commit: message of JGit
		commit: C
		EOF
		test_cmp expect actual &&
		git reflog show main >actual &&
		test_line_count = 3 actual &&
		quietly git pack-refs &&
		shown refs/heads/main >actual &&
		test_cmp expect actual &&
		jgit reflog refs/heads/main >jgit &&
		test_grep "main@{1}: commit: message of JGit\$" jgit
	)
'

test_expect_success PATCHED_GIT 'the only entry of a log keeps its last letter' '
	test_when_finished "rm -rf repo" &&
	jgit init repo &&
	(
		cd repo &&
		>A &&
		jgit add A &&
		jgit commit -m "message" &&
		jgit convert-ref-storage --format=reftable &&
		git log -g --format=%gs HEAD >actual &&
		echo "commit (initial): message" >expect &&
		test_cmp expect actual &&
		git log -g HEAD >actual &&
		test_grep "^Reflog message: commit (initial): message\$" actual
	)
'

test_expect_success RUST_REFTABLE 'messages written by JGit alone are shown on separate lines' '
	test_when_finished "rm -rf repo" &&
	jgit init repo &&
	(
		cd repo &&
		for name in A B C
		do
			>$name &&
			jgit add $name &&
			jgit commit -m "message $name" || return 1
		done &&
		jgit convert-ref-storage --format=reftable &&
		git reflog HEAD >actual &&
		test_line_count = 3 actual &&
		shown HEAD >actual &&
		cat >expect <<-\EOF &&
		commit (initial): message A
		commit: message B
		commit: message C
		EOF
		test_cmp expect actual
	)
'

test_expect_success JGIT_LIBRARY,RUST_REFTABLE 'a stack with messages of several lines is compacted' '
	test_when_finished "rm -rf repo" &&
	git init repo &&
	(
		cd repo &&
		test_commit A &&
		jgit_update refs/heads/odd "line one
line two" &&
		for i in $(test_seq 40)
		do
			quietly git update-ref refs/heads/b$i HEAD || return 1
		done &&
		test $(tables) -lt 8 &&
		quietly git pack-refs --all &&
		test $(tables) = 1 &&
		jgit reflog refs/heads/odd >jgit &&
		test_grep "odd@{0}: line one\$" jgit &&
		test_grep "^line two\$" jgit &&
		echo "line one line two" >expect &&
		shown refs/heads/odd >actual &&
		test_cmp expect actual &&
		quietly git refs verify
	)
'

test_expect_success JGIT_LIBRARY,RUST_REFTABLE 'renaming, copying and expiring preserve messages' '
	test_when_finished "rm -rf repo" &&
	git init repo &&
	(
		cd repo &&
		test_commit A &&
		jgit_update refs/heads/odd "line one
line two" &&
		quietly git commit --allow-empty -m B &&
		jgit_update refs/heads/odd "no line feed" &&
		quietly git branch -c odd copy &&
		quietly git branch -m odd renamed &&
		quietly git reflog expire --expire=never --rewrite --all &&
		for name in copy renamed
		do
			shown refs/heads/$name >actual &&
			test_grep "^line one line two\$" actual &&
			test_grep "^no line feed\$" actual &&
			jgit reflog refs/heads/$name >jgit &&
			test_grep "^line two\$" jgit &&
			test_grep "no line feed\$" jgit || return 1
		done &&
		shown refs/heads/copy >before &&
		quietly git reflog delete refs/heads/copy@{0} &&
		shown refs/heads/copy >actual &&
		sed "\$d" before >expect &&
		test_cmp expect actual &&
		quietly git reflog expire --expire=all refs/heads/copy &&
		quietly git pack-refs &&
		git log -g refs/heads/copy -- >actual &&
		test_must_be_empty actual &&
		quietly git refs verify
	)
'

test_expect_success JGIT_LIBRARY,RUST_REFTABLE 'JGit writes to a stack that git has packed' '
	test_when_finished "rm -rf repo" &&
	git init repo &&
	(
		cd repo &&
		test_commit A &&
		jgit_update refs/heads/odd "line one
line two" &&
		quietly git pack-refs &&
		test_commit B &&
		jgit_update refs/heads/odd "second
" &&
		quietly git commit --allow-empty -m C &&
		jgit gc 2>/dev/null >&2 &&
		shown refs/heads/odd >actual &&
		cat >expect <<-\EOF &&
		line one line two
		second
		EOF
		test_cmp expect actual &&
		git show-ref >refs &&
		jgit show-ref | tr "\t" " " | grep -v " HEAD\$" >jgit-refs &&
		test_cmp refs jgit-refs &&
		quietly git refs verify
	)
'

test_expect_success MIGRATE_REFLOGS,JGIT_LIBRARY 'a migration to files joins the lines of a message' '
	test_when_finished "rm -rf repo" &&
	git init repo &&
	(
		cd repo &&
		test_commit A &&
		jgit_update refs/heads/odd "line one
line two" &&
		quietly git refs migrate --ref-format=files &&
		test_line_count = 1 .git/logs/refs/heads/odd &&
		test_grep "	line one line two\$" .git/logs/refs/heads/odd &&
		quietly git refs migrate --ref-format=reftable &&
		echo "line one line two" >expect &&
		shown refs/heads/odd >actual &&
		test_cmp expect actual
	)
'

test_done
