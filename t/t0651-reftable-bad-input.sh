#!/bin/sh
# shellcheck disable=SC1091,SC2004,SC2016,SC2034,SC2086,SC2154,SC2283

test_description='damaged, missing, locked and unwritable reftables

Every command must end with git'\''s own error line and an exit status other than
zero, never by a signal, and must leave the files as they were.'

. ./lib-reftable.sh

# A repository "template" with refs, tags and reflogs, all in one table.
test_expect_success 'setup' '
	git init template &&
	for i in 1 2 3 4
	do
		test_commit -C template commit-$i || return 1
	done &&
	git -C template tag -m annotated annotated &&
	git -C template symbolic-ref refs/heads/sym refs/heads/main &&
	test_seq -f "create refs/heads/many/%03d HEAD" 200 >input &&
	git -C template update-ref --stdin <input &&
	git -C template pack-refs &&
	oid=$(git -C template rev-parse commit-1)
'

# unchanged_by_failure COMMAND...: git in repo fails politely and changes no byte.
unchanged_by_failure () {
	reftable_bytes repo >before &&
	must_die_politely git -C repo "$@" &&
	reftable_bytes repo >after &&
	test_cmp before after
}

# The same, where upstream's git does not name the cause.
fails_without_change () {
	reftable_bytes repo >before &&
	test_must_fail git -C repo "$@" 2>err &&
	reftable_bytes repo >after &&
	test_cmp before after
}

# all_writes_fail: every command that writes refs or reflogs fails.
all_writes_fail () {
	unchanged_by_failure update-ref refs/heads/new $oid &&
	unchanged_by_failure update-ref -d refs/heads/main &&
	unchanged_by_failure branch new $oid &&
	unchanged_by_failure tag new $oid &&
	unchanged_by_failure symbolic-ref refs/heads/new refs/heads/main &&
	unchanged_by_failure branch -m many/001 moved &&
	unchanged_by_failure branch -c many/001 copied &&
	fails_without_change pack-refs &&
	echo "create refs/heads/new $oid" >input &&
	unchanged_by_failure update-ref --stdin <input
}

all_reads_fail () {
	unchanged_by_failure rev-parse --verify refs/heads/main &&
	unchanged_by_failure log -1 main &&
	fails_without_change show-ref &&
	if test_have_prereq RUST_REFTABLE
	then
		test_must_fail git -C repo for-each-ref >actual 2>err &&
		test_grep -E "^(error|fatal): " err
	else
		git -C repo for-each-ref >actual
	fi &&
	test_must_be_empty actual
}

test_expect_success RUST_REFTABLE 'packing and checking a damaged stack name the cause' '
	fresh_repo &&
	overwrite $table 0 junk &&
	unchanged_by_failure pack-refs &&
	unchanged_by_failure refs verify
'

test_expect_success 'a table without the magic bytes' '
	fresh_repo &&
	overwrite $table 0 junk &&
	all_writes_fail &&
	all_reads_fail
'

test_expect_success 'a table of an unknown version' '
	fresh_repo &&
	overwrite $table 4 "\\011" &&
	all_writes_fail &&
	all_reads_fail
'

test_expect_success 'a header that differs from the footer' '
	fresh_repo &&
	overwrite $table 5 "\\077" &&
	all_writes_fail &&
	all_reads_fail
'

test_expect_success 'a footer with a wrong checksum' '
	fresh_repo &&
	overwrite $table $(($(file_size $table) - 2)) "\\252\\125" &&
	all_writes_fail &&
	all_reads_fail
'

test_expect_success 'a footer that points beyond the file' '
	fresh_repo &&
	overwrite $table $(($(file_size $table) - 20)) "\\177\\377" &&
	all_writes_fail &&
	all_reads_fail
'

test_expect_success 'a table of the other hash' '
	fresh_repo &&
	other=sha256 &&
	{ test_have_prereq SHA1 || other=sha1; } &&
	git init --object-format=$other other &&
	test_when_finished "rm -rf other" &&
	cp other/.git/reftable/* $stack/ &&
	table=$(tables_of $stack) &&
	all_writes_fail &&
	all_reads_fail
'

# Upstream's git crashes on some of these sizes.

for size in 0 1 4 23 24 28 67 68 71 72 100
do
	case $size in
	67 | 68 | 71) prereq=RUST_REFTABLE ;;
	*) prereq= ;;
	esac
	test_expect_success $prereq "a table cut to $size bytes" '
		fresh_repo &&
		cut_file $table $size &&
		all_writes_fail &&
		all_reads_fail
	'
done

test_expect_success 'a table that is one byte short, and one byte too long' '
	fresh_repo &&
	cut_file $table $(($(file_size $table) - 1)) &&
	all_writes_fail &&
	all_reads_fail &&
	fresh_repo &&
	chmod u+w $table &&
	echo x >>$table &&
	all_writes_fail &&
	all_reads_fail
'

test_expect_success 'a damaged table in the middle of the stack' '
	fresh_repo &&
	for i in 1 2 3
	do
		GIT_TEST_REFTABLE_AUTOCOMPACTION=0 \
		git -C repo update-ref refs/heads/extra-$i HEAD || return 1
	done &&
	test_line_count = 4 $stack/tables.list &&
	table=$(tables_of $stack | sed -n 2p) &&
	overwrite $table 0 junk &&
	all_writes_fail &&
	all_reads_fail
'

test_expect_success 'the only table is missing' '
	fresh_repo &&
	rm -f $table &&
	all_writes_fail &&
	all_reads_fail
'

test_expect_success 'one table of several is missing' '
	fresh_repo &&
	GIT_TEST_REFTABLE_AUTOCOMPACTION=0 git -C repo update-ref refs/heads/extra HEAD &&
	rm -f "$(tables_of $stack | head -n 1)" &&
	all_writes_fail &&
	all_reads_fail
'

test_expect_success RUST_REFTABLE 'a directory in place of a table' '
	fresh_repo &&
	rm -f $table &&
	mkdir $table &&
	all_writes_fail &&
	all_reads_fail
'

test_expect_success RUST_REFTABLE,PIPE 'a FIFO in place of a table does not block' '
	fresh_repo &&
	rm -f $table &&
	mkfifo $table &&
	all_writes_fail &&
	all_reads_fail
'

test_expect_success POSIXPERM,SANITY 'a table without read permission' '
	fresh_repo &&
	chmod a-r $table &&
	test_must_fail git -C repo update-ref refs/heads/new $oid &&
	test_must_fail git -C repo rev-parse --verify refs/heads/main &&
	chmod u+r $table &&
	git -C repo rev-parse --verify refs/heads/main
'

test_expect_success 'a list of garbage' '
	fresh_repo &&
	echo garbage >$stack/tables.list &&
	all_writes_fail &&
	all_reads_fail &&
	head -c 5000 $table >$stack/tables.list &&
	all_writes_fail &&
	all_reads_fail &&
	printf "%s" "$(basename $table)" >$stack/tables.list &&
	all_writes_fail &&
	all_reads_fail
'

test_expect_success RUST_REFTABLE 'a list with an entry outside the directory' '
	fresh_repo &&
	mkdir -p repo/.git/elsewhere &&
	cp $table repo/.git/elsewhere/ &&
	name=$(basename $table) &&
	for entry in ../elsewhere/$name $PWD/repo/.git/elsewhere/$name ./$name .. . \
		sub/../$name
	do
		echo "$entry" >$stack/tables.list &&
		all_writes_fail &&
		all_reads_fail || return 1
	done
'

test_expect_success RUST_REFTABLE 'a list that names a table twice' '
	fresh_repo &&
	basename $table >$stack/tables.list &&
	basename $table >>$stack/tables.list &&
	all_writes_fail
'

test_expect_success RUST_REFTABLE 'a directory in place of the list' '
	fresh_repo &&
	rm $stack/tables.list &&
	mkdir $stack/tables.list &&
	all_writes_fail &&
	all_reads_fail
'

test_expect_success POSIXPERM,SANITY 'a list without read permission' '
	fresh_repo &&
	chmod a-r $stack/tables.list &&
	test_must_fail git -C repo update-ref refs/heads/new $oid &&
	test_must_fail git -C repo rev-parse --verify refs/heads/main &&
	chmod u+r $stack/tables.list &&
	git -C repo rev-parse --verify refs/heads/main
'

test_expect_success 'empty lines in the list are ignored' '
	fresh_repo &&
	git -C repo for-each-ref >expect &&
	printf "\\n%s\\n\\n" "$(basename $table)" >$stack/tables.list &&
	git -C repo for-each-ref >actual &&
	test_cmp expect actual
'

test_expect_success 'the lock is held by another process' '
	fresh_repo &&
	>$stack/tables.list.lock &&
	all_writes_fail &&
	unchanged_by_failure update-ref refs/heads/new $oid &&
	test_grep "cannot lock references" err &&
	git -C repo for-each-ref >actual &&
	test_line_count = 207 actual &&
	test_path_is_file $stack/tables.list.lock &&
	rm $stack/tables.list.lock &&
	git -C repo update-ref refs/heads/new $oid
'

test_expect_success 'reflogs cannot be changed while the lock is held' '
	fresh_repo &&
	>$stack/tables.list.lock &&
	reftable_bytes repo >before &&
	test_must_fail git -C repo reflog delete main@{0} &&
	test_must_fail git -C repo reflog expire --expire=now main &&
	reftable_bytes repo >after &&
	test_cmp before after
'

test_expect_success 'a locked table does not block writers' '
	fresh_repo &&
	>$table.lock &&
	for i in 1 2 3 4
	do
		git -C repo update-ref refs/heads/new-$i $oid || return 1
	done &&
	test_must_fail git -C repo pack-refs &&
	git -C repo refs verify &&
	rm $table.lock &&
	git -C repo pack-refs &&
	test_line_count = 1 $stack/tables.list
'

test_expect_success POSIXPERM,SANITY 'a directory without write permission' '
	fresh_repo &&
	# Something to pack.
	GIT_TEST_REFTABLE_AUTOCOMPACTION=0 git -C repo update-ref refs/heads/second $oid &&
	chmod a-w $stack &&
	test_when_finished "chmod u+w repo/.git/reftable" &&
	all_writes_fail &&
	git -C repo for-each-ref >actual &&
	test_line_count = 208 actual
'

# Limits the size of files to some blocks of 512 bytes: like a full disk, but with
# another error number.
limited_git () {
	(
		blocks=$1 &&
		shift &&
		trap "" XFSZ &&
		ulimit -f $blocks &&
		test_must_fail git "$@"
	)
}

test_lazy_prereq FILE_LIMIT '
	(trap "" XFSZ && ulimit -f 1 && ! dd if=/dev/zero of=big bs=1024 count=4) &&
	test $(wc -c <big) -lt 4096
'

test_expect_success FILE_LIMIT 'a file that cannot grow: nothing changes' '
	fresh_repo &&
	test_seq -f "create refs/heads/long/name/%05d $oid" 2000 >input &&
	reftable_bytes repo >before &&
	limited_git 16 -C repo update-ref --stdin <input 2>err &&
	test_grep -E "^(error|fatal): " err &&
	reftable_bytes repo >after &&
	test_cmp before after &&
	git -C repo update-ref --stdin <input &&
	git -C repo refs verify
'

test_expect_success FILE_LIMIT 'a compaction that cannot write: nothing is lost' '
	fresh_repo &&
	test_seq -f "create refs/heads/long/name/%05d $oid" 2000 >input &&
	GIT_TEST_REFTABLE_AUTOCOMPACTION=0 git -C repo update-ref --stdin <input &&
	git -C repo for-each-ref >expect &&
	reftable_bytes repo >before &&
	limited_git 16 -C repo pack-refs 2>err &&
	test_grep -E "^(error|fatal): " err &&
	reftable_bytes repo >after &&
	test_cmp before after &&
	git -C repo for-each-ref >actual &&
	test_cmp expect actual
'

# Mounts a small file system, as root where that is permitted.
test_lazy_prereq SMALL_DISK '
	test "$(id -u)" = 0 &&
	mkdir small &&
	unshare -m true &&
	mount -t tmpfs -o size=64k tmpfs small &&
	umount small
'

test_expect_success SMALL_DISK 'a full disk: nothing changes' '
	fresh_repo &&
	mkdir disk &&
	mount -t tmpfs -o size=256k tmpfs disk &&
	test_when_finished "umount disk && rmdir disk" &&
	cp -p $stack/* disk/ &&
	rm -rf $stack &&
	ln -s ../../disk $stack &&
	test_seq -f "create refs/heads/long/name/%06d $oid" 30000 >input &&
	git -C repo for-each-ref >expect &&
	find disk -type f -exec cksum {} + | sort >before &&
	must_die_politely git -C repo update-ref --stdin <input &&
	find disk -type f -exec cksum {} + | sort >after &&
	test_cmp before after &&
	! dd if=/dev/zero of=disk/fill bs=1024 count=256 &&
	must_die_politely git -C repo update-ref refs/heads/new $oid &&
	rm disk/fill &&
	find disk -type f -exec cksum {} + | sort >after &&
	test_cmp before after &&
	git -C repo for-each-ref >actual &&
	test_cmp expect actual &&
	git -C repo update-ref refs/heads/new $oid
'

test_expect_success 'setup of a small table' '
	git init small &&
	test_commit -C small one &&
	git -C small tag -m annotated two &&
	git -C small pack-refs
'

# Sets each byte of a file to each of three values in turn, or to one of them in a sample, and
# runs a command, which must not end by a signal or with a message about a bug. In perl, a try
# starts one process.
cat >every-byte.pl <<\EOF
my ($path, @command) = @ARGV;
open my $file, "+<:raw", $path or die "$path: $!";
my $pristine = do { local $/; <$file> };

sub set {
	my ($at, $byte) = @_;
	sysseek $file, $at, 0 and syswrite $file, $byte or die "$path: $!";
}

sub run {
	my $pid = fork;
	defined $pid or die "fork: $!";
	if (!$pid) {
		open STDOUT, ">", "out" and open STDERR, ">", "err" or exit 126;
		exec @command or exit 127;
	}
	waitpid $pid, 0;
	my $status = $?;
	open my $err, "<:raw", "err" or die "err: $!";
	local $/;
	return ($status, scalar <$err>);
}

length $pristine or die "$path is empty";
for my $at (0 .. length($pristine) - 1) {
	my @bytes = (0, 0377, 0120);
	@bytes = $bytes[$at % @bytes] if ($ENV{GIT_TEST_REFTABLE_SAMPLE} // 1) > 1;
	for my $byte (@bytes) {
		set($at, chr $byte);
		my ($status, $err) = run();
		my $code = $status >> 8;
		die "byte $at set to $byte: @command ended with $status:\n$err"
			if $status & 127 || $code == 126 || $code == 127 ||
				$code > 129 && $code <= 192 || $err =~ /panicked|BUG:/;
	}
	set($at, substr $pristine, $at, 1);
}
sysseek $file, 0, 0;
sysread $file, my $left, 1 + length $pristine;
$left eq $pristine or die "@command changed $path";
EOF

# every_byte COMMAND...: no single wrong byte makes git in "small" crash.
every_byte () {
	table=$(tables_of small/.git/reftable) &&
	chmod u+w $table &&
	perl every-byte.pl $table "$@"
}

test_expect_success RUST_REFTABLE 'no wrong byte makes reading refs crash' '
	every_byte git -C small for-each-ref
'

test_expect_success RUST_REFTABLE 'no wrong byte makes reading reflogs crash' '
	every_byte git -C small reflog --all
'

test_expect_success RUST_REFTABLE 'no wrong byte makes a dry run of expiry crash' '
	every_byte git -C small reflog expire --dry-run --expire=now --all
'

test_expect_success RUST_REFTABLE 'no wrong byte makes the check crash' '
	every_byte git -C small refs verify
'

test_done
