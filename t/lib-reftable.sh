# shellcheck shell=sh disable=SC2034,SC2046,SC2059,SC2086
# Preamble and helpers of our scripts t065x to t067x, which source this file instead of
# test-lib.sh.
#
# The scripts run with the patched git (GIT_TEST_REFTABLE=1), built with the Rust or
# with the C backend, and with upstream's (GIT_TEST_DEFAULT_REF_FORMAT=reftable).
# Tests with the prerequisite RUST_REFTABLE need the Rust backend, those with PATCHED_GIT
# the patches to git's front end, with either backend.

GIT_TEST_DEFAULT_INITIAL_BRANCH_NAME=main
export GIT_TEST_DEFAULT_INITIAL_BRANCH_NAME

. ./test-lib.sh

if ! test_have_prereq REFTABLE
then
	skip_all='reftable is not the default format'
	test_done
fi

# The test libraries of older releases lack the option -f.
if ! grep -q '^# *test_seq -f' "$TEST_DIRECTORY/test-lib-functions.sh"
then
	test_seq () {
		test_seq_format__=%d
		if test "$1" = -f
		then
			test_seq_format__=$2
			shift 2
		fi
		seq -f %.0f "$@" | while read -r test_seq_counter__
		do
			printf "$test_seq_format__\n" "$test_seq_counter__"
		done
	}
fi

# Releases before 2.46 have no `git refs`. Other commands stand in for some of its
# subcommands there.
if ! git --list-cmds=main | grep -q -x refs
then
	PATH=$TEST_DIRECTORY/lib-reftable:$PATH
fi

test_lazy_prereq PATCHED_GIT '
	git version --build-options >options &&
	grep "^reftable: " options
'

test_lazy_prereq RUST_REFTABLE '
	git version --build-options >options &&
	grep "^reftable: rust [0-9]" options
'

# The test libraries of older releases have PERL instead.
if ! test_have_prereq PERL_TEST_HELPERS && test_have_prereq PERL
then
	test_set_prereq PERL_TEST_HELPERS
fi

# next_is_chosen: whether to try the next of many cases. With GIT_TEST_REFTABLE_SAMPLE=N, only
# every Nth is tried.
sample=${GIT_TEST_REFTABLE_SAMPLE:-1}
case_number=0
next_is_chosen () {
	case_number=$((case_number + 1)) &&
	test $((case_number % sample)) = 0
}

# git_has COMMAND WORD: whether the usage of a command has a subcommand or an option, which
# older releases may lack.
git_has () {
	git "$1" -h >usage 2>&1
	grep -q -e "$2" usage
}

test_lazy_prereq BATCH_UPDATES 'git_has update-ref batch-updates'
test_lazy_prereq FSCK_REFERENCES 'git_has fsck references'
test_lazy_prereq FSCK_MESSAGES 'git_has refs "refs verify"'
test_lazy_prereq MIGRATE 'git_has refs "refs migrate"'
test_lazy_prereq MIGRATE_REFLOGS 'git_has refs no-reflog'
test_lazy_prereq PACK_AUTO 'git_has pack-refs auto'
test_lazy_prereq REFLOG_DROP 'git_has reflog "reflog drop"'
test_lazy_prereq REFLOG_LIST 'git_has reflog "reflog list"'
test_lazy_prereq REFLOG_WRITE 'git_has reflog "reflog write"'
test_lazy_prereq REFS_LIST 'git_has refs "refs list"'
test_lazy_prereq REFS_OPTIMIZE 'git_has refs "refs optimize"'
test_lazy_prereq REPO_STRUCTURE 'git_has repo "repo structure"'
test_lazy_prereq ROOT_REFS 'git_has for-each-ref include-root-refs'

# reflog_names DIRECTORY: prints the names of all reflogs.
reflog_names () {
	if test_have_prereq REFLOG_LIST
	then
		git -C "$1" reflog list
	else
		test-tool -C "$1" ref-store main for-each-reflog >reflogs &&
		cut -d" " -f2 reflogs
	fi
}

# root_refs: prints the option that lists refs outside of refs/, too, if there is one.
root_refs () {
	! test_have_prereq ROOT_REFS || echo --include-root-refs
}

# fresh_repo: the repository "repo" is a copy of "template" until the test ends, $stack
# its reftable directory, $table the newest table in it and $table_name that table's name.
fresh_repo () {
	rm -rf repo &&
	cp -R -p template repo &&
	test_when_finished "rm -rf repo" &&
	stack=repo/.git/reftable &&
	table=$(tables_of "$stack" | tail -n 1) &&
	table_name=$(basename "$table")
}

# migratable DIRECTORY: prepares a repository for git refs migrate. Older releases refuse
# one that has reflogs.
migratable () {
	test_have_prereq MIGRATE_REFLOGS || ! test_have_prereq MIGRATE || {
		git -C "$1" config core.logAllRefUpdates false &&
		git -C "$1" reflog list >reflogs &&
		while read -r refname
		do
			test-tool -C "$1" ref-store main delete-reflog "$refname" || return 1
		done <reflogs &&
		git -C "$1" pack-refs
	}
}

# migratable_repo: like fresh_repo, for git refs migrate.
migratable_repo () {
	fresh_repo &&
	migratable repo &&
	table=$(tables_of "$stack" | tail -n 1) &&
	table_name=$(basename "$table")
}

# reftable_bytes DIRECTORY: prints names and checksums of all files below DIRECTORY's
# reftable directories, to compare two states byte by byte.
reftable_bytes () {
	(
		cd "$1" &&
		find . -path '*reftable/*' -type f -exec cksum {} + |
		LC_ALL=C sort -k 3
	)
}

# tables_of DIRECTORY: prints the paths of the tables in its list, oldest first.
tables_of () {
	sed -e "s,^,$1/," "$1/tables.list"
}

# overwrite FILE OFFSET STRING: writes STRING (a printf format) at OFFSET.
overwrite () {
	chmod u+w "$1" &&
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# cut_file FILE SIZE
cut_file () {
	chmod u+w "$1" &&
	dd if=/dev/null of="$1" bs=1 seek="$2" 2>/dev/null
}

file_size () {
	wc -c <"$1" | tr -d ' '
}

# must_die_politely COMMAND...: the command fails with git's own error line, without a
# signal, a panic or a BUG. Its stderr is in the file err.
must_die_politely () {
	test_must_fail "$@" 2>err &&
	test_grep -E "^(error|fatal): " err &&
	! grep -E "panicked|BUG:|RUST_BACKTRACE|Assertion" err
}

# same_rev DIRECTORY A B: both name the same object.
same_rev () {
	git -C "$1" rev-parse --verify "$2" >rev.a &&
	git -C "$1" rev-parse --verify "$3" >rev.b &&
	test_cmp rev.a rev.b
}

# need_jgit: skips the script if JGit is missing or cannot read the repositories. Sets
# $jgit_classes to the class path of JGit's library, which can do more than its commands.
need_jgit () {
	if ! test_have_prereq JGIT
	then
		skip_all='skipping reftable JGit tests; JGit is not present in PATH'
		test_done
	fi
	if ! test_have_prereq SHA1
	then
		skip_all='skipping reftable JGit tests; JGit does not support SHA256 reftables'
		test_done
	fi
	jgit_bin=$(realpath "$(command -v jgit)")
	jgit_jars=${jgit_bin%/bin/jgit}/unpacked/usr/share/java
	test -d "$jgit_jars" || jgit_jars=/usr/share/java
	jgit_classes=$jgit_jars/org.eclipse.jgit.jar:$jgit_jars/javaewah.jar
	jgit_classes=$jgit_classes:$jgit_jars/commons-codec.jar
	jgit_classes=$jgit_classes:$jgit_jars/slf4j-api.jar:$jgit_jars/slf4j-nop.jar
}

# Programs that end within a second need no better compiler, and no parallel collector.
java_options="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

# compile_java FILE: compiles a class that uses JGit's library.
compile_java () {
	javac $(printf -- "-J%s " $java_options) -cp "$jgit_classes" -d "$TRASH_DIRECTORY" "$1"
}

# run_java CLASS [ARGUMENT...]: runs it.
run_java () {
	java $java_options -Duser.home="$HOME" -cp "$jgit_classes:$TRASH_DIRECTORY" "$@"
}
