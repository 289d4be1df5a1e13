# An overlay of nixpkgs with `reftable`, the C library and the program, and `git-reftable`,
# git with the backend. From the unpacked source release, which has the sources of the crates:
#
#   import <nixpkgs> { overlays = [ (import ./packaging/nix/overlay.nix { src = ./.; }) ]; }
{ src, gitVersion ? "2.55.0" }:

final: prev:
let
  version = "0.2.0";
  # The releases of scripts/git-versions that have a release tarball, and its SHA-256.
  gitSums = {
    "2.39.5" = "c58da92c378df4a986ca33266897a7397e86c22ee266a284d8c2432c39066b59";
    "2.47.3" = "9c2eb1250781b3e5bfef098572d07fdf132d67e6c065e4307332ade9819a1501";
    "2.55.0" = "457fdb04dc8728e007d4688695e6912e6f680727920f2a40bf11eacc17505357";
  };
  # The scripts look for bash in /usr/bin/env; cargo must not take the home directory.
  common = {
    inherit version src;
    nativeBuildInputs = [ final.cargo final.rustc final.perl ];
    postPatch = "patchShebangs scripts";
    preBuild = "export CARGO_HOME=$TMPDIR/cargo";
    enableParallelBuilding = true;
  };
  series = "git-patches/v${gitVersion}";
in
{
  reftable = final.stdenv.mkDerivation (common // {
    pname = "reftable";
    buildFlags = [ "lib-c" "cli" ];
    installFlags = [ "PREFIX=${placeholder "out"}" ];
    meta = {
      description = "git's reftable reference storage in memory-safe Rust";
      license = final.lib.licenses.mit;
      platforms = final.lib.platforms.linux;
      mainProgram = "reftable";
    };
  });

  # libreftable-git.a and reftable-git.h for one release of git.
  reftable-git-backend = final.stdenv.mkDerivation (common // {
    pname = "reftable-git-backend-${gitVersion}";
    buildFlags = [ "lib-git" "GIT_VERSION=${gitVersion}" ];
    installPhase = ''
      install -D -m 644 -t $out/lib build/lib/git-${gitVersion}/libreftable-git.a
      install -D -m 644 -t $out/lib build/lib/git-${gitVersion}/reftable-git.h
      install -D -m 644 -t $out/share/doc/reftable-git build/lib/THIRD-PARTY-NOTICES LICENSE
    '';
    meta.license = final.lib.licenses.mit;
  });

  # The patches of nixpkgs come first; its git should be the same or a near release.
  git-reftable = prev.git.overrideAttrs (old: {
    version = gitVersion;
    src = final.fetchurl {
      url = "mirror://kernel/software/scm/git/git-${gitVersion}.tar.xz";
      sha256 = gitSums.${gitVersion};
    };
    postPatch = ''
      for each in ${src}/${series}/*.patch; do
        patch -p1 <"$each"
      done
    '' + (old.postPatch or "");
    makeFlags = (old.makeFlags or [ ]) ++ [
      "REFTABLE_RUST_LIB=${final.reftable-git-backend}/lib/libreftable-git.a"
    ];
  });
}
