# shellcheck shell=bash
# Prepares a Rust static library for being linked into a C program. Source it after lib.sh.

# Writes the object $2: the object $1 with the functions of this crate next to each other,
# apart from those of other crates, most of which (zlib, the standard library) a short
# command does not call. The kernel maps a program's code in windows of 64 KiB, each for a
# page fault; this spares `git rev-parse` six. ld sorts its input by the order of the
# patterns, and other linkers keep .text.hot together, too.
own_functions_together() {
	local object=$1 ordered=$2 script=${2%/*}/order.ld
	cat >"$script" <<-'SCRIPT'
	SECTIONS {
	.text.unlikely : { *(.text.unlikely .text.unlikely.*) }
	.text.hot : { *(.text.*8reftable*) }
	.text : { *(.text .text.*) }
	}
	SCRIPT
	ld -r -T "$script" -o "$ordered" "$object"
}

# Writes the archive $3 of one object: what the names listed in the file $2 need from
# the static library $1, and from the compiler's unwinder, with all other names local.
# So it can be linked beside other Rust libraries, brings nothing that is not used, and
# does not have libgcc_s loaded at every start of a program. If $4 is `together`, the
# functions of this crate are next to each other.
one_object() {
	local library=$1 wanted=$2 archive=$3 order=${4:-} names unwinder directory
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
	if test "$order" = together
	then
		own_functions_together "$directory/all.o" "$directory/ordered.o"
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
