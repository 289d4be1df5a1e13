# Links the reftable backend in Rust into git. debian/rules includes this file.
#
# The library is compiled from the component reftable-rust of the source package, which has
# all crates, without a network. REFTABLE_RUST_LIB in the environment names one that was
# compiled elsewhere, for systems without a Rust compiler.

REFTABLE_BUILD = $(CURDIR)/debian/reftable
ifeq (,$(REFTABLE_RUST_LIB))
REFTABLE_BUILT = $(REFTABLE_BUILD)/lib/git-@RELEASE@/libreftable-git.a
else
REFTABLE_BUILT := $(REFTABLE_RUST_LIB)
endif
OPTS += REFTABLE_RUST_LIB=$(REFTABLE_BUILT)

build-stamp: $(REFTABLE_BUILD)/THIRD-PARTY-NOTICES

$(REFTABLE_BUILD)/lib/git-@RELEASE@/libreftable-git.a:
	reftable-rust/scripts/vendor --check reftable-rust/vendor
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL BUILD=$(REFTABLE_BUILD) \
	  CARGO_TARGET_DIR=$(REFTABLE_BUILD)/target CARGO_HOME=$(REFTABLE_BUILD)/cargo \
	  reftable-rust/scripts/build-lib @RELEASE@

$(REFTABLE_BUILD)/THIRD-PARTY-NOTICES: $(REFTABLE_BUILT)
	mkdir -p $(REFTABLE_BUILD)
	cp $(dir $<)../THIRD-PARTY-NOTICES $@

override_dh_auto_clean: reftable-clean

reftable-clean:
	rm -rf $(REFTABLE_BUILD)

# The checksums of crates cover files such as Cargo.toml.orig.
override_dh_clean: export DH_OPTIONS = -Xreftable-rust/
