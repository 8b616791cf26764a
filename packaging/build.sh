#!/bin/bash
# In the root folder of tests/libcamera/chroot.sh, entered with its enter.sh: makes the packages for amd64 or arm64, into
# target/package/ARCHITECTURE. SOURCE_DATE_EPOCH is the time that they bear. With --debug, for tests: of the programs that
# tests build anyway, which takes seconds in place of minutes.
#
# The folders of the build are the same on every machine: /project, /target, and that of the crates, which is made so.
set -euo pipefail
arch=${1:?usage: build.sh amd64 or arm64 [--debug]}
packaging/prepare.sh
case $arch in
    amd64) triple=x86_64-unknown-linux-gnu ;;
    arm64)
        triple=aarch64-unknown-linux-gnu
        # Debian's compiler, which has the standard library for arm64 beside it, and the libcamera of tests/libcamera/arm64-install.sh.
        export PATH=/usr/sbin:/usr/bin:/sbin:/bin
        export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
        export PKG_CONFIG_ALLOW_CROSS=1 PKG_CONFIG_LIBDIR=/opt/eyelid/arm64/usr/lib/aarch64-linux-gnu/pkgconfig
        ;;
    *) echo "build.sh: there is no $arch" >&2; exit 2 ;;
esac
if [ "${2:-}" = --debug ]; then
    built=$CARGO_TARGET_DIR/debug
    export CARGO_TARGET_DIR=/target/package-debug
    release=$CARGO_TARGET_DIR/$triple/release
    mkdir -p "$release"
    # With an example, for which libraries have the features that tests give them: so those of the tests do.
    CARGO_TARGET_DIR=/target cargo build --locked --features libcamera --bin eyelid-libcamera --example licenses
    strip -o "$release/eyelid-libcamera" "$built/eyelid-libcamera"
    # The one without libcamera's features comes last: whoever comes after finds it so.
    CARGO_TARGET_DIR=/target cargo build --locked --bin eyelid --example licenses
    strip -o "$release/eyelid" "$built/eyelid"
else
    export CARGO_TARGET_DIR=/target/package
    flags=()
    for registry in /root/.cargo/registry/src/*/; do
        flags+=("--remap-path-prefix=${registry%/}=/crates")
    done
    export RUSTFLAGS="${flags[*]}"
    linker=${triple//-/_}
    linker=CARGO_TARGET_${linker^^}_LINKER
    env "$linker=/opt/eyelid/debian12/link-$arch" cargo build --locked --release --target $triple --bin eyelid
    # What needs a later glibc than Debian 12 has, 2.36, does not start there.
    newest=$(objdump -T "$CARGO_TARGET_DIR/$triple/release/eyelid" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
    [ "$(printf '%s\nGLIBC_2.36\n' "$newest" | sort -V | tail -n 1)" = GLIBC_2.36 ] || {
        echo "build.sh: eyelid needs $newest, which Debian 12 does not have" >&2
        exit 1
    }
    cargo build --locked --release --target $triple --features libcamera --bin eyelid-libcamera
fi

out=target/package/$arch
rm -rf "$out"
mkdir -p "$out"
pack() { # pack OPTION...
    /opt/eyelid/tools/bin/cargo-deb --quiet --no-build --no-strip --locked --target $triple --output "$out" "$@"
}
pack
pack --variant libcamera
