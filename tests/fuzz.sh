#!/bin/bash
# Builds all fuzz targets and runs each for some seconds, with cargo-fuzz and libFuzzer: `tests/fuzz.sh [SECONDS
# [TARGET...]]`. No sanitizer, which only a nightly Rust has: the project has no unsafe code, and what is looked for are
# panics and contradictions. What was found lies in target/fuzz/found/.
set -u
cd "$(dirname "$0")/.." || exit 1

seconds=${1:-15}
case $seconds in
    *[!0-9]* | 0) echo 'usage: tests/fuzz.sh [SECONDS [TARGET...]]' >&2; exit 2 ;;
esac
shift
VERSION=0.13.2
target=${CARGO_TARGET_DIR:-$PWD/target}
tools=$target/tools
found=$target/fuzz/found

skip() {
    echo "skipped: $*"
    exit 77
}

command -v c++ > /dev/null || skip 'libFuzzer is C++, and there is no compiler for it: apt-get install g++'
tool=$tools/fuzz-$VERSION
PATH=$tool/bin:$PATH
# A wheel has the program as its makers' packagers built it, for most machines; building it takes a minute.
if ! cargo fuzz --version 2> /dev/null | grep -qx "cargo-fuzz $VERSION"; then
    { python3 -m venv "$tool" && "$tool/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
        --only-binary :all: -r tests/fuzz.txt && cargo fuzz --version > /dev/null; } ||
        cargo install --quiet --locked --force --root "$tool" cargo-fuzz --version "$VERSION" ||
        skip "cargo-fuzz $VERSION can't be installed"
fi
host=$(rustc -vV | sed -n 's/^host: //p')
case $host in
    x86_64-unknown-linux-gnu | aarch64-unknown-linux-gnu) ;;
    *) skip "libFuzzer was not tried on $host" ;;
esac
# The lock file of the project holds for its dependencies here too.
cp Cargo.lock fuzz/Cargo.lock || exit 1
(cd fuzz && CARGO_TARGET_DIR=$target/fuzz cargo fuzz build --sanitizer none) || exit 1

# What each target begins with.
seeds() {
    case $1 in
        decode | jpeg) echo fuzz/seeds/jpeg ;;
        *) echo "fuzz/seeds/$1" ;;
    esac
}

passed=0 failed=0
mkdir -p "$found" || exit 1
[ $# -gt 0 ] || set -- fuzz/fuzz_targets/*.rs
for source in "$@"; do
    name=$(basename "$source" .rs)
    corpus=$target/fuzz/corpus/$name
    mkdir -p "$corpus" || exit 1
    [ "$name" != config ] || cp config.toml "$corpus/shipped.toml" || exit 1
    words=()
    [ ! -e "fuzz/dictionaries/$name" ] || words=("-dict=fuzz/dictionaries/$name")
    echo "fuzzing $name for $seconds s"
    if "$target/fuzz/$host/release/$name" -max_total_time="$seconds" -max_len=8192 -verbosity=0 "${words[@]}" \
        -print_final_stats=1 -artifact_prefix="$found/$name-" "$corpus" "$(seeds "$name")"; then
        passed=$((passed + 1))
    else
        echo "$name failed; once more, with what it found: $target/fuzz/$host/release/$name $found/$name-…"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
