# shellcheck shell=bash
# Makes a Rust static library fit to be linked into a C program. Source it after lib.sh.

# Names of symbols as people write them: without what differs from one compiler to the
# next. A name that is none of Rust's stays what it is.
plain_names() {
	c++filt | sed -E 's/::h[0-9a-f]{16}$//; s/\[[0-9a-f]+\]//g'
}

# Writes the object $3: the object $1 with the functions that the list $2 names in one
# section, .text.hot, which linkers keep together, and in the list's order. The kernel maps
# a program's code in windows of 64 KiB, each for a page fault: a short process that calls
# sixty functions from all over the library pays for a dozen.
hot_functions_first() {
	local object=$1 list=$2 ordered=$3 folder=${3%/*}
	objdump -hw "$object" | awk '$2 ~ /^\.text\../ { print $2 }' >"$folder/sections"
	sed -E 's/^\.text\.(unlikely\.|hot\.)?//' "$folder/sections" | plain_names |
		paste - "$folder/sections" | awk -F '\t' '
			NR == FNR { if (!($0 in rank)) rank[$0] = NR; next }
			$1 in rank { print rank[$1] "\t" $2 }' "$list" - |
		sort -s -n >"$folder/hot"
	{
		echo 'SECTIONS {'
		echo '.text.hot : {'
		cut -f 2 "$folder/hot" | sed 's/.*/*(&)/'
		echo '}'
		echo '.text.unlikely : { *(.text.unlikely .text.unlikely.*) }'
		echo '.text : { *(.text .text.*) }'
		echo '}'
	} >"$folder/order.ld"
	ld -r -T "$folder/order.ld" -o "$ordered" "$object"
}

# Writes the archive $3 of one object: what the names listed in the file $2 need from
# the static library $1, and from the compiler's unwinder, with all other names local.
# So it can be linked beside other Rust libraries, brings nothing that is not used, and
# does not have libgcc_s loaded at every start of a program. The functions in the list $4,
# if there is one, come first.
one_object() {
	local library=$1 wanted=$2 archive=$3 hot=${4:-} names unwinder folder
	mapfile -t names <"$wanted"
	unwinder=$(${CC:-cc} -print-file-name=libgcc_eh.a)
	test -f "$unwinder" || unwinder=
	folder=$(mktemp -d "$TMPDIR/reftable-object.XXXXXX")
	# No groups: of two with one name, for instance that of Rust's personality routine, a
	# linker keeps the first one, and another library cannot use a local name in it.
	ld -r --gc-sections --force-group-allocation "${names[@]/#/--undefined=}" -o "$folder/all.o" "$library" \
		${unwinder:+"$unwinder"}
	# The compiler's own bitcode first: nm may have a plugin that stumbles over it.
	objcopy --remove-section=.llvmbc --remove-section=.llvmcmd "$folder/all.o"
	if test -n "$hot"
	then
		hot_functions_first "$folder/all.o" "$hot" "$folder/ordered.o"
		mv "$folder/ordered.o" "$folder/all.o"
	fi
	# Names that only left-out parts of Rust's own library wanted, such as getaddrinfo,
	# go too: the linker would warn of them.
	nm --undefined-only "$folder/all.o" | awk '{ print $NF }' >"$folder/undefined"
	objcopy --keep-global-symbols="$wanted" \
		--strip-unneeded-symbols="$folder/undefined" "$folder/all.o" "$folder/reftable.o"
	rm -f "$archive"
	ar rcsD "$archive" "$folder/reftable.o"
	rm -rf "$folder"
}
