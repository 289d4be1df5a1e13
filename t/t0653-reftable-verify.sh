#!/bin/sh
# shellcheck disable=SC1091,SC2004,SC2016,SC2034,SC2086,SC2154,SC2283

test_description='git refs verify reports what is wrong in reftables

Each test damages one thing in a table, in the list or in the directory, and expects
its message. Sound repositories cause no messages.'

. ./lib-reftable.sh

if ! test_have_prereq PERL_TEST_HELPERS
then
	skip_all='perl is needed to damage tables'
	test_done
fi

# A repository "template" with refs, an index over them, objects, reflogs and their
# index, all in one table. The copies of it that tests damage are called "repo".
test_expect_success RUST_REFTABLE 'setup' '
	git init template &&
	git -C template config reftable.blockSize 1024 &&
	test_commit -C template one &&
	test_commit -C template two &&
	git -C template tag -m annotated annotated &&
	git -C template symbolic-ref refs/heads/sym refs/heads/main &&
	test_seq -f "create refs/heads/many/%03d HEAD" 200 >input &&
	git -C template update-ref --stdin <input &&
	git -C template pack-refs &&
	test_line_count = 1 template/.git/reftable/tables.list &&
	oid=$(git -C template rev-parse HEAD) &&
	if test_have_prereq SHA1
	then
		header=24
	else
		header=28
	fi &&
	block=1024
'

# The scripts for damage_table find the table in $_, the length of its header in $h, the
# position of its footer in $f, and the positions stored there.
cat >damage.pl <<\EOT
use strict;
use warnings;

my ($file, $code) = @ARGV;
open(my $in, "<:raw", $file) or die "$file: $!";
$_ = do { local $/; <$in> };
my $h = ord(substr($_, 4, 1)) == 1 ? 24 : 28;
my $f = length($_) - $h - 44;
sub field { unpack("Q>", substr($_, $f + $h + 8 * shift, 8)) }
sub set { my ($at, $bytes) = @_; substr($_, $at, length $bytes) = $bytes }
sub length_of_block { unpack("N", "\0" . substr($_, shift() + 1, 3)) }
our ($refs, $index, $objects, $logs) = ($h, field(0), field(1) >> 5, field(3));
eval "$code; 1" or die $@;

# Makes the footer repeat the header and corrects its checksum, unless CODE says "no repair".
unless ($code =~ /no repair/) {
	set($f, substr($_, 0, $h));
	my $crc = 0xffffffff;
	for my $byte (unpack("C*", substr($_, $f, $h + 40))) {
		$crc ^= $byte;
		$crc = $crc & 1 ? ($crc >> 1) ^ 0xedb88320 : $crc >> 1 for 1 .. 8;
	}
	set($f + $h + 40, pack("N", $crc ^ 0xffffffff));
}
open(my $out, ">:raw", $file) or die "$file: $!";
print $out $_;
close($out) or die $!;
EOT

# damage_table CODE [FILE]: runs Perl code that changes a table.
damage_table () {
	chmod u+w ${2-$table} &&
	perl damage.pl ${2-$table} "$1"
}

# found SEVERITY ID PATTERN [PATH]: the last verification reported this about the table.
found () {
	test_grep "^$1: ${4-$table_name}: $2: .*$3" err
}

# verify_fails: git reports errors, each on a separate line in git's form.
verify_fails () {
	must_die_politely git -C repo refs verify "$@" &&
	test_grep ! "panic" err
}

verify_is_silent () {
	git -C "$1" refs verify 2>err &&
	test_must_be_empty err
}

test_expect_success RUST_REFTABLE 'a table with all sections is sound' '
	fresh_repo &&
	damage_table "die unless \$index && \$objects && \$logs && field(4); # no repair" &&
	verify_is_silent repo &&
	if test_have_prereq FSCK_MESSAGES
	then
		git -C repo refs verify --verbose --strict 2>err &&
		test_grep "^Checking table: $table_name$" err
	fi
'

test_expect_success RUST_REFTABLE 'repositories made by git are sound' '
	test_when_finished "rm -rf sound wt" &&
	for hash in sha1 sha256
	do
		for config in blockSize=4096 blockSize=256 restartInterval=1 indexObjects=false
		do
			rm -rf sound wt &&
			git init --object-format=$hash sound &&
			git -C sound config reftable.${config%=*} ${config#*=} &&
			verify_is_silent sound &&
			test_commit -C sound one &&
			git -C sound tag -m annotated annotated &&
			verify_is_silent sound &&
			test_seq -f "create refs/heads/many/%03d HEAD" 300 >input &&
			git -C sound update-ref --stdin <input &&
			sed -e "s/create/delete/" -e "s/ HEAD//" -e 100q input >delete &&
			GIT_TEST_REFTABLE_AUTOCOMPACTION=false \
				git -C sound update-ref --stdin <delete &&
			for i in 1 2 3
			do
				GIT_TEST_REFTABLE_AUTOCOMPACTION=false \
					git -C sound branch new-$i || return 1
			done &&
			test_line_count -gt 3 sound/.git/reftable/tables.list &&
			git -C sound worktree add ../wt &&
			test_commit -C wt two &&
			verify_is_silent sound &&
			verify_is_silent wt &&
			git -C sound branch -m many/200 moved &&
			git -C sound reflog expire --expire=all --all &&
			verify_is_silent sound &&
			git -C sound pack-refs &&
			verify_is_silent sound &&
			verify_is_silent wt || return 1
		done
	done
'

test_expect_success RUST_REFTABLE 'a header without the magic bytes' '
	fresh_repo &&
	damage_table "set(0, q(junk))" &&
	verify_fails &&
	found error badReftableHeader "magic number at offset 0"
'

test_expect_success RUST_REFTABLE 'a header that differs from its copy in the footer' '
	fresh_repo &&
	damage_table "set(5, chr(1)); # no repair" &&
	verify_fails &&
	found error badReftableFooter "repeats the header .* expected 1$"
'

test_expect_success RUST_REFTABLE 'a footer with a wrong checksum' '
	fresh_repo &&
	damage_table "set(\$f + \$h + 40, pack(q(N), 7)); # no repair" &&
	verify_fails &&
	found error badReftableFooter "checksum of the footer .* found 7," &&
	test_grep "is broken" err
'

test_expect_success RUST_REFTABLE 'a footer without the position of a section' '
	fresh_repo &&
	damage_table "set(\$f + \$h, pack(q(Q>), 0))" &&
	verify_fails &&
	found error badReftableIndex "position of the index in the footer"
'

test_expect_success RUST_REFTABLE 'a table of another hash' '
	fresh_repo &&
	if test_have_prereq SHA1
	then
		other=sha256
	else
		other=sha1
	fi &&
	test_when_finished "rm -rf other" &&
	git init --object-format=$other other &&
	cp $(tables_of other/.git/reftable) $stack &&
	cp other/.git/reftable/tables.list $stack/tables.list.new &&
	mv $stack/tables.list.new $stack/tables.list &&
	verify_fails &&
	found error badReftableHash "hash id" "$(cat $stack/tables.list)"
'

test_expect_success RUST_REFTABLE 'a block of an unknown type' '
	fresh_repo &&
	damage_table "set($block, q(x))" &&
	verify_fails &&
	found error badReftableBlock "block type.* offset $block: found 120"
'

test_expect_success RUST_REFTABLE 'a block of the wrong type' '
	fresh_repo &&
	damage_table "set($block, q(o))" &&
	verify_fails &&
	found error badReftableBlock "type of a block in this section at offset $block: found 111, expected 114"
'

test_expect_success RUST_REFTABLE 'a block that is too long' '
	fresh_repo &&
	damage_table "set($block + 1, qq(\\xff\\xff\\xff))" &&
	verify_fails &&
	found error badReftableBlock "block length at offset $block: found 16777215"
'

test_expect_success RUST_REFTABLE 'a restart that is not at a record' '
	fresh_repo &&
	damage_table "
		my \$end = $block + length_of_block($block);
		my \$n = unpack(q(n), substr(\$_, \$end - 2, 2));
		set(\$end - 2 - 3 * \$n, qq(\\0\\0\\x05));
	" &&
	verify_fails &&
	found error badReftableBlock "first restart offset at offset .*: found 5, expected 4"
'

test_expect_success RUST_REFTABLE 'padding that is not zero' '
	fresh_repo &&
	damage_table "
		my \$end = $block + length_of_block($block);
		die if \$end >= 2 * $block;
		set(2 * $block - 1, qq(\\x07));
	" &&
	verify_fails &&
	found error badReftableBlock "padding at offset $((2 * $block - 1)): found 7, expected 0"
'

test_expect_success RUST_REFTABLE 'a record that cannot be decoded' '
	fresh_repo &&
	damage_table "
		my \$at = index(\$_, q(refs/heads/many/), $block) - 1;
		set(\$at, chr(ord(substr(\$_, \$at, 1)) | 7));
	" &&
	verify_fails &&
	found error badReftableBlock "value type of a ref at offset"
'

test_expect_success RUST_REFTABLE 'refs in the wrong order' '
	fresh_repo &&
	damage_table "
		my \$at = index(\$_, q(refs/heads/many/), $block) or die;
		set(\$at, q(refs/aeads/many/));
	" &&
	verify_fails &&
	found error badReftableOrder "less than the previous one, first differing byte.*found 97, expected at least 105"
'

test_expect_success RUST_REFTABLE 'an index with another key' '
	fresh_repo &&
	damage_table "
		my \$at = index(\$_, q(refs/heads/many/), \$index);
		die if \$at < 0;
		set(\$at + 5, q(i));
	" &&
	verify_fails &&
	found error badReftableIndex "unlike the block.s last key, first differing byte"
'

test_expect_success RUST_REFTABLE 'an index that points elsewhere' '
	fresh_repo &&
	damage_table "
		my \$at = index(\$_, q(refs/heads/many/), \$index) + 19;
		set(\$at, chr(3));
	" &&
	verify_fails &&
	found error badReftableIndex "not that of the next block below"
'

test_expect_success RUST_REFTABLE 'an object that is missing in the object section' '
	fresh_repo &&
	damage_table "
		my \$at = index(\$_, pack(q(H*), q($oid)), $block);
		die if \$at < 0;
		set(\$at, qq(\\xfe\\xfd\\xfc));
	" &&
	verify_fails &&
	found error badReftableObjects "object that a ref mentions.*found 0, expected 1 (fefdfc"
'

test_expect_success RUST_REFTABLE 'an object that no ref points at' '
	fresh_repo &&
	damage_table "set(\$objects + 6, qq(\\0\\0))" &&
	verify_fails &&
	found error badReftableObjects "object that no ref mentions"
'

test_expect_success RUST_REFTABLE 'refs after the last update index' '
	fresh_repo &&
	damage_table "set(16, substr(\$_, 8, 8))" &&
	verify_fails &&
	found warning badReftableTableName "other update indexes than the header: .* expected 0x1 to 0x1$" &&
	found error badReftableUpdateIndex "update index of a ref at offset .* expected at most 1" &&
	found error badReftableUpdateIndex "further findings of this kind"
'

test_expect_success RUST_REFTABLE 'the first update index after the last' '
	fresh_repo &&
	damage_table "set(8, pack(q(Q>), 1000))" &&
	verify_fails &&
	found error badReftableUpdateIndex "least update index at offset 8: found 1000"
'

test_expect_success RUST_REFTABLE 'tables in the wrong order' '
	fresh_repo &&
	git -C repo branch new &&
	test_line_count = 2 $stack/tables.list &&
	sort -r $stack/tables.list >$stack/tables.list.new &&
	mv $stack/tables.list.new $stack/tables.list &&
	verify_fails &&
	found error badReftableUpdateIndex "not above the greatest one of the table before"
'

test_expect_success RUST_REFTABLE 'a log block that inflates to other data' '
	fresh_repo &&
	damage_table "set(\$logs + 1, pack(q(Cn), 0, length_of_block(\$logs) + 1))" &&
	verify_fails &&
	found error badReftableBlock "log block inflates to fewer bytes than declared"
'

test_expect_success RUST_REFTABLE 'a missing table' '
	fresh_repo &&
	rm -f $table &&
	verify_fails &&
	found error missingReftableTable "table that tables.list names does not exist" &&
	test_grep "stack of the main worktree is broken" err
'

test_expect_success RUST_REFTABLE 'a list of garbage' '
	fresh_repo &&
	echo "../$table_name" >>$stack/tables.list &&
	verify_fails &&
	found error badReftableList "tables.list:2: path separators" tables.list
'

test_expect_success RUST_REFTABLE 'an unlisted table is not an error' '
	fresh_repo &&
	cp $table $stack/0x000000000001-0x000000000001-00000000.ref &&
	git -C repo refs verify --strict 2>err &&
	cat >expect <<-\EOF &&
	warning: 0x000000000001-0x000000000001-00000000.ref: unlistedReftableFile: table that tables.list does not name
	EOF
	test_cmp expect err
'

test_expect_success RUST_REFTABLE 'a writer at work causes no findings' '
	fresh_repo &&
	cp $table $stack/0x000000000001-0x000000000001-00000000.ref &&
	>$stack/tables.list.lock &&
	verify_is_silent repo
'

test_expect_success RUST_REFTABLE 'old temporary and lock files are reported' '
	fresh_repo &&
	temp=0x000000000001-0x000000000001-00000000.temp.abcdef &&
	>$stack/$temp &&
	verify_is_silent repo &&
	test-tool chmtime =-200000 $stack/$temp &&
	git -C repo refs verify 2>err &&
	found warning unlistedReftableFile "55 hours old" $temp &&
	rm $stack/$temp &&
	>$stack/tables.list.lock &&
	test-tool chmtime =-200000 $stack/tables.list.lock &&
	git -C repo refs verify 2>err &&
	found warning unlistedReftableFile "55 hours old" tables.list.lock
'

test_expect_success FSCK_MESSAGES,RUST_REFTABLE 'severities can be configured' '
	fresh_repo &&
	damage_table "set(2 * $block - 1, qq(\\x07))" &&
	verify_fails &&
	git -C repo -c fsck.badReftableBlock=warn refs verify 2>err &&
	found warning badReftableBlock padding &&
	git -C repo -c fsck.badReftableBlock=ignore refs verify 2>err &&
	test_must_be_empty err
'

test_expect_success FSCK_REFERENCES,RUST_REFTABLE 'git fsck reports the same' '
	fresh_repo &&
	damage_table "set(2 * $block - 1, qq(\\x07))" &&
	test_must_fail git -C repo fsck 2>err &&
	found error badReftableBlock padding
'

test_expect_success RUST_REFTABLE 'a damaged worktree is distinguished from sound ones' '
	fresh_repo &&
	test_when_finished "rm -rf wt" &&
	git -C repo worktree add ../wt &&
	table=$(tables_of repo/.git/worktrees/wt/reftable) &&
	table_name=$(basename $table) &&
	verify_is_silent repo &&
	damage_table "set(\$f + \$h + 40, pack(q(N), 7)); # no repair" &&
	verify_fails &&
	cat >expect <<-EOF &&
	error: $table_name: badReftableFooter: checksum of the footer
	error: reftable stack for worktree ${SQ}wt${SQ} is broken
	EOF
	sed -e "s/ at offset .*//" err >actual &&
	test_cmp expect actual
'

test_done
