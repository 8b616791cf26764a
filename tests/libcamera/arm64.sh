#!/bin/bash
# Builds eyelid and eyelid-libcamera for arm64, as a Raspberry Pi runs them, with Debian's cross compilers, and tests
# them on the virtual camera under qemu-user. Run as root on x86-64.
#
# $EYELID_CHROOT is the root folder to use or make; 2 to 8 minutes and 1.5 GB beside those of run.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${EYELID_CHROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/eyelid/trixie}

"$here/chroot.sh" "$root"
"$here/enter.sh" "$root" tests/libcamera/arm64-install.sh
"$here/enter.sh" "$root" tests/libcamera/arm64-test.sh build
if ! EYELID_ARM64=1 "$here/enter.sh" "$root" true; then
    echo "skipped: it builds for arm64, but can't run here: that takes Linux 6.7 with binfmt_misc and user namespaces"
    exit 77
fi
EYELID_ARM64=1 "$here/enter.sh" "$root" tests/libcamera/arm64-test.sh | "$here/summary.sh" arm64
