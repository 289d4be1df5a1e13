# The formula of the program `reftable`, and on Linux of the C library. Whoever publishes a
# release sets the address of its archive and the sum in reftable-VERSION.tar.xz.sha256.
class Reftable < Formula
  desc "Inspect, verify and repair the reftables of git repositories"
  homepage "https://reftable.invalid/"
  url "https://reftable.invalid/reftable-0.2.0.tar.xz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "MIT"

  depends_on "rust" => :build

  # The archive has the sources of the crates, and the configuration by which cargo uses them.
  def install
    system "cargo", "install", *std_cargo_args(path: "cli")
    man1.install Dir["share/*.1"]
    bash_completion.install "share/reftable.bash" => "reftable"
    zsh_completion.install "share/_reftable"
    fish_completion.install "share/reftable.fish"
    # It is made with GNU's linker and objcopy.
    system "make", "install-lib", "PREFIX=#{prefix}" if OS.linux?
  end

  test do
    system "git", "init", "--ref-format=reftable", "repository"
    system bin/"reftable", "-C", "repository", "verify"
  end
end
