#!/bin/bash
# In the root folder of chroot.sh: builds both programs and the tests for arm64 and, unless $1 is build, runs them.
set -euo pipefail
# The compiler of arm64-install.sh, not the machine's.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin CARGO_TARGET_DIR=/target/arm64
export CARGO_BUILD_TARGET=aarch64-unknown-linux-gnu
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export PKG_CONFIG_ALLOW_CROSS=1 PKG_CONFIG_LIBDIR=/opt/eyelid/arm64/usr/lib/aarch64-linux-gnu/pkgconfig
cargo test --locked --features libcamera --test libcamera --no-run
[ "${1:-}" != build ] || exit 0

# An emulated processor is too slow for the tests of pace, and a user namespace of root alone has no other user.
cargo test --locked --features libcamera --test libcamera -- --include-ignored --test-threads 2 \
    --skip pictures_come_at_the_interval --skip a_seldom_picture --skip without_a_camera
