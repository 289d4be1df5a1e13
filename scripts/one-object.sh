# shellcheck shell=bash
# shellcheck disable=SC2154 # the script that sources it has set top
# Prepares a Rust static library for being linked into a C program. Source it after lib.sh.

# The patterns in the file $1 as ld's, for sections that begin with $2.
ld_patterns() {
	sed -n "/^[^#]/s/.*/\t*($2*&*)/p" "$top/scripts/$1"
}

# Writes the object $2: the object $1, laid out so that git starts with few page faults.
#
# The kernel maps a program's code in windows of 64 KiB, each for a page fault. So what a
# lookup of a ref calls is in one place, .text.hot, which linkers place near the entry
# point. Elsewhere, but in one place too, is what a change of a ref calls. Then come the other
# functions of this crate, those of other crates, most of which (zlib, the standard library) a
# short command does not call, and those that the compiler takes for unlikely. ld sorts its
# input by the order of the patterns.
#
# The few zeroed variables are at the end of .data, on a page that is written anyway. As
# .bss, they would be at the end of git's: a page that is read, then written for them alone.
lay_out() {
	local object=$1 ordered=$2 script=${2%/*}/order.ld
	{
		echo 'SECTIONS {'
		echo '.text.hot : {'
		ld_patterns start-functions .text.
		echo '}'
		echo '.text : {'
		ld_patterns change-functions .text._
		cat <<-'SCRIPT'
			*(.text._*8reftable*)
			*(.text .text.[!u]*)
			*(.text.unlikely .text.unlikely.*)
		}
		.data.rel.ro : { *(.data.rel.ro .data.rel.ro.*) }
		.data : {
			*(.data .data.*)
			*(.bss .bss.*)
		}
		}
		SCRIPT
	} >"$script"
	ld -r -T "$script" -o "$ordered" "$object"
}

# Writes the archive $3 of one object: what the names listed in the file $2 need from
# the static library $1, and from the compiler's unwinder, with all other names local.
# So it can be linked beside other Rust libraries, brings nothing that is not used, and
# does not have libgcc_s loaded at every start of a program. If $4 is `laid-out`, it is laid
# out for git.
one_object() {
	local library=$1 wanted=$2 archive=$3 layout=${4:-} names unwinder directory
	mapfile -t names <"$wanted"
	unwinder=$(${CC:-cc} -print-file-name=libgcc_eh.a)
	test -f "$unwinder" || unwinder=
	directory=$(mktemp -d "$TMPDIR/reftable-object.XXXXXX")
	# No section groups: of two with one name, for instance that of Rust's personality
	# routine, a linker keeps the first, and another library cannot use a local name in it.
	ld -r --gc-sections --force-group-allocation "${names[@]/#/--undefined=}" -o "$directory/all.o" "$library" \
		${unwinder:+"$unwinder"}
	# Removes the compiler's bitcode first: a plugin of nm may stumble over it.
	objcopy --remove-section=.llvmbc --remove-section=.llvmcmd "$directory/all.o"
	if test "$layout" = laid-out
	then
		lay_out "$directory/all.o" "$directory/ordered.o"
		mv "$directory/ordered.o" "$directory/all.o"
	fi
	# Drops names that only removed parts of Rust's own library wanted, such as
	# getaddrinfo: the linker would warn about them.
	nm --undefined-only "$directory/all.o" | awk '{ print $NF }' >"$directory/undefined"
	objcopy --keep-global-symbols="$wanted" \
		--strip-unneeded-symbols="$directory/undefined" "$directory/all.o" "$directory/reftable.o"
	rm -f "$archive"
	ar rcsD "$archive" "$directory/reftable.o"
	rm -rf "$directory"
}
