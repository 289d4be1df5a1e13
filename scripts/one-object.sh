# shellcheck shell=bash
# Makes a Rust static library fit to be linked into a C program. Source it after lib.sh.

# Writes the archive $3 of one object: what the names listed in the file $2 need from
# the static library $1, and from the compiler's unwinder, with all other names local.
# So it can be linked beside other Rust libraries, brings nothing that is not used, and
# does not have libgcc_s loaded at every start of a program.
one_object() {
	local library=$1 wanted=$2 archive=$3 names unwinder folder
	mapfile -t names <"$wanted"
	unwinder=$(${CC:-cc} -print-file-name=libgcc_eh.a)
	test -f "$unwinder" || unwinder=
	folder=$(mktemp -d "$TMPDIR/reftable-object.XXXXXX")
	ld -r --gc-sections "${names[@]/#/--undefined=}" -o "$folder/all.o" "$library" \
		${unwinder:+"$unwinder"}
	# The compiler's own bitcode first: nm may have a plugin that stumbles over it.
	objcopy --remove-section=.llvmbc --remove-section=.llvmcmd "$folder/all.o"
	# Names that only left-out parts of Rust's own library wanted, such as getaddrinfo,
	# go too: the linker would warn of them.
	nm --undefined-only "$folder/all.o" | awk '{ print $NF }' >"$folder/undefined"
	objcopy --keep-global-symbols="$wanted" \
		--strip-unneeded-symbols="$folder/undefined" "$folder/all.o" "$folder/reftable.o"
	rm -f "$archive"
	ar rcsD "$archive" "$folder/reftable.o"
	rm -rf "$folder"
}
