#!/bin/sh

test_description='JGit and git read each other'\''s tables

In a table of logs alone the footer holds their position, as the format requires, and
an index has one root. In tables of git'"'"'s C writer JGit misses logs and refs.'

. ./lib-reftable.sh

need_jgit

if ! compile_java "$TEST_DIRECTORY/t0665/Refs.java" >javac.log 2>&1
then
	skip_all='skipping reftable JGit tests; JGit has no library that Refs.java fits, or no javac'
	test_done
fi

# refs_of_jgit GIT_DIR COMMAND [ARGUMENT...]: see t0665/Refs.java.
refs_of_jgit () {
	run_java Refs "$@"
}

# only_logs_of_jgit GIT_DIR: makes a repository of JGit whose only table holds the log of a
# deleted ref.
only_logs_of_jgit () {
	refs_of_jgit "$1" init &&
	oid=$(git -C "$1" commit-tree -m one "$(git -C "$1" mktree </dev/null)") &&
	refs_of_jgit "$1" update refs/heads/x "$oid" &&
	refs_of_jgit "$1" delete refs/heads/x &&
	refs_of_jgit "$1" compact &&
	test_line_count = 1 "$1/reftable/tables.list"
}

test_expect_success REFLOG_LIST 'git reads a table by JGit that contains only logs' '
	test_when_finished "rm -rf repo.git" &&
	only_logs_of_jgit repo.git &&
	(
		cd repo.git &&
		echo refs/heads/x >expect &&
		git reflog list >actual &&
		test_cmp expect actual &&
		git for-each-ref >actual &&
		test_must_be_empty actual &&
		git refs verify 2>err &&
		test_grep ! reftable err
	)
'

test_expect_success 'git writes on top of a table by JGit that contains only logs' '
	test_when_finished "rm -rf repo.git" &&
	only_logs_of_jgit repo.git &&
	(
		cd repo.git &&
		git update-ref refs/heads/y $oid &&
		git symbolic-ref HEAD refs/heads/y &&
		git pack-refs &&
		test_line_count = 1 reftable/tables.list &&
		git update-ref refs/heads/x $oid &&
		git reflog show --format=%gs refs/heads/x >actual &&
		test_grep "written by jgit" actual &&
		refs_of_jgit . list >jgit &&
		test_write_lines "$oid refs/heads/x" "$oid refs/heads/y" >expect &&
		test_cmp expect jgit
	)
'

test_expect_success RUST_REFTABLE 'expired entries do not reappear in JGit' '
	test_when_finished "rm -rf repo" &&
	git init repo &&
	(
		cd repo &&
		test_commit A &&
		test_commit B &&
		git config core.logAllRefUpdates true &&
		# Keeps the tombstones in a table of their own.
		GIT_TEST_REFTABLE_AUTOCOMPACTION=false &&
		export GIT_TEST_REFTABLE_AUTOCOMPACTION &&
		refs_of_jgit .git log refs/heads/main >jgit &&
		test_line_count = 2 jgit &&
		git reflog delete refs/heads/main@{0} &&
		git reflog show refs/heads/main >actual &&
		test_line_count = 1 actual &&
		refs_of_jgit .git log refs/heads/main >jgit &&
		test_line_count = 1 jgit &&
		git reflog expire --expire=all refs/heads/main &&
		refs_of_jgit .git log refs/heads/main >jgit &&
		# An entry without ids marks an existing, empty log.
		test_grep ! -v "^$ZERO_OID $ZERO_OID" jgit
	)
'

test_expect_success RUST_REFTABLE 'JGit finds each of 100000 refs' '
	test_when_finished "rm -rf repo" &&
	git init repo &&
	(
		cd repo &&
		test_commit A &&
		oid=$(git rev-parse HEAD) &&
		test_seq -f "create refs/heads/branch-%07d $oid" 1 100000 >creates &&
		git update-ref --stdin <creates &&
		awk "NR % 7 == 1 { print \$2 }" creates >names &&
		refs_of_jgit .git lookup <names >found &&
		sed "s/^/$oid /" names >expect &&
		test_cmp expect found
	)
'

test_done
