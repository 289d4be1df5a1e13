#!/bin/sh

test_description='pack-refs waits for busy locks'

. ./lib-reftable.sh

stack=repo/.git/reftable
lock=$stack/tables.list.lock

# repo_of_tables COUNT: makes a repository whose stack has this number of tables.
repo_of_tables () {
	test_when_finished "rm -rf repo" &&
	git init repo &&
	test_commit -C repo --no-tag one &&
	git -C repo pack-refs &&
	for i in $(test_seq 2 "$1")
	do
		GIT_TEST_REFTABLE_AUTOCOMPACTION=false \
			git -C repo update-ref "refs/heads/branch-$i" HEAD || return 1
	done &&
	test_line_count = "$1" $stack/tables.list
}

# If there is nothing to compact, only the removal of leftovers needs the lock.
test_expect_success PACK_AUTO,RUST_REFTABLE 'a stale lock and nothing to compact: the lock is named' '
	repo_of_tables 1 &&
	>$lock &&
	for command in "pack-refs" "pack-refs --all" "refs optimize"
	do
		case $command in
		"refs optimize") test_have_prereq REFS_OPTIMIZE || continue ;;
		esac &&
		must_die_politely git -C repo $command &&
		test_grep "error: unable to clean stack: Unable to create .*tables.list.lock.: File exists" err &&
		test_grep "the lock file may be stale\|may have crashed" err || return 1
	done &&
	git -C repo pack-refs --auto 2>err &&
	test_grep "warning: unable to clean stack: Unable to create .*tables.list.lock.: File exists" err &&
	test_path_is_file $lock &&
	rm $lock &&
	git -C repo pack-refs 2>err &&
	test_must_be_empty err
'

test_expect_success RUST_REFTABLE 'a stale lock and something to compact: pack-refs fails' '
	repo_of_tables 3 &&
	>$lock &&
	must_die_politely git -C repo pack-refs &&
	test_grep "unable to compact stack: data is locked" err &&
	rm $lock &&
	git -C repo pack-refs 2>err &&
	test_must_be_empty err &&
	test_line_count = 1 $stack/tables.list
'

# Takes the lock as soon as the list has one line, and holds it for the given seconds.
write_script lock-when-packed "$PERL_PATH" <<\EOF
	use strict;
	use warnings;
	use Fcntl;
	my ($dir, $seconds) = @ARGV;
	open(my $ready, ">", "locker-ready") or die $!;
	my $lines = 0;
	until ($lines == 1) {
		open(my $list, "<", "$dir/tables.list") or die $!;
		$lines = () = <$list>;
	}
	until (sysopen(my $lock, "$dir/tables.list.lock", O_CREAT | O_EXCL | O_WRONLY)) {}
	select(undef, undef, undef, $seconds);
	unlink("$dir/tables.list.lock") or die $!;
EOF

# Prints transactions of two commands each for as long as the file "writing" exists.
write_script transactions "$PERL_PATH" <<\EOF
	use strict;
	use warnings;
	my @ids = @ARGV;
	$| = 1;
	while (-e "writing") {
		print "start\nupdate refs/heads/tight $_\ncommit\n" for @ids;
	}
EOF

test_expect_success RUST_REFTABLE,PERL_TEST_HELPERS 'a list that is locked after the compaction' '
	for round in $(test_seq 5)
	do
		# The replaced tables are removed in between; the more there are, the longer it takes.
		repo_of_tables 40 &&
		rm -f locker-ready &&
		{ ./lock-when-packed $stack 0.5 & } &&
		locker=$! &&
		while ! test -f locker-ready
		do
			sleep 0.01 || return 1
		done &&
		nice -n 19 git -C repo pack-refs 2>err &&
		test_line_count = 1 $stack/tables.list &&
		{ test_must_be_empty err || test_grep "^warning: unable to clean stack: " err; } &&
		wait $locker &&
		rm -rf repo || return 1
	done
'

test_expect_success RUST_REFTABLE 'pack-refs waits for a table that is locked for a moment' '
	repo_of_tables 3 &&
	git -C repo config reftable.lockTimeout 10000 &&
	table=$(tables_of $stack | tail -n 1) &&
	>$table.lock &&
	{ (sleep 0.2 && rm $table.lock) & } &&
	git -C repo pack-refs 2>err &&
	wait &&
	test_must_be_empty err &&
	test_line_count = 1 $stack/tables.list
'

test_expect_success RUST_REFTABLE,PERL_TEST_HELPERS 'pack-refs while another process writes without a pause' '
	repo_of_tables 1 &&
	test_commit -C repo --no-tag two &&
	git -C repo config reftable.lockTimeout 10000 &&
	git -C repo rev-parse HEAD HEAD~ >ids &&
	>writing &&
	{ (./transactions $(cat ids) | git -C repo update-ref --stdin >written) & } &&
	while ! test -s written
	do
		sleep 0.01 || return 1
	done &&
	for i in $(test_seq 30)
	do
		git -C repo pack-refs --all 2>err
		status=$? &&
		test_must_be_empty err &&
		test $status = 0 || return 1
	done &&
	rm writing &&
	wait &&
	test $(grep -c "commit: ok" written) -gt 30 &&
	git -C repo refs verify
'

test_done
