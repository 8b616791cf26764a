#!/bin/bash
# Builds with libcamera in a Debian 13 root folder, and tests there on libcamera's own virtual camera: lints, unit
# tests, eyelid-libcamera, and the daemon with it. Run as root on Debian.
#
# $EYELID_CHROOT is the root folder to use or make; 2 to 5 minutes and 1 GB the first time.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${EYELID_CHROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/eyelid/trixie}

"$here/chroot.sh" "$root"
"$here/enter.sh" "$root" tests/libcamera/test.sh | "$here/summary.sh" libcamera
