#!/bin/bash
# Runs each fuzz target for a minute, with cargo-fuzz and libFuzzer. No sanitizer, which only a nightly Rust has: the
# project has no unsafe code, and what is looked for are panics and contradictions. What was found lies in
# target/fuzz/found/.
set -u
cd "$(dirname "$0")/.." || exit 1

SECONDS_EACH=60
VERSION=0.13.2
target=${CARGO_TARGET_DIR:-$PWD/target}
tools=$target/tools
found=$target/fuzz/found

skip() {
    echo "skipped: $*"
    exit 77
}

command -v c++ > /dev/null || skip 'libFuzzer is C++, and there is no compiler for it: apt-get install g++'
PATH=$tools/bin:$PATH
if ! cargo fuzz --version 2> /dev/null | grep -qx "cargo-fuzz $VERSION"; then
    cargo install --quiet --locked --root "$tools" cargo-fuzz --version "$VERSION" ||
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

passed=0 failed=0
mkdir -p "$found" || exit 1
for source in fuzz/fuzz_targets/*.rs; do
    name=$(basename "$source" .rs)
    mkdir -p "$target/fuzz/corpus/$name" || exit 1
    echo "fuzzing $name for $SECONDS_EACH s"
    if "$target/fuzz/$host/release/$name" -max_total_time="$SECONDS_EACH" -max_len=8192 -verbosity=0 \
        -print_final_stats=1 -artifact_prefix="$found/$name-" "$target/fuzz/corpus/$name" fuzz/seeds; then
        passed=$((passed + 1))
    else
        echo "$name failed; once more, with what it found: $target/fuzz/$host/release/$name $found/$name-…"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
