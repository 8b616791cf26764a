#!/bin/bash
# build.sh [--debug]: makes the packages for amd64 into target/package/amd64, in the root folder of run.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${EYELID_CHROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/eyelid/trixie}
enter=$here/../libcamera/enter.sh
"$here/../libcamera/chroot.sh" "$root"
"$enter" "$root" tests/packages/install.sh
# A time of its own: a clone without its history has none of a commit.
"$enter" "$root" env SOURCE_DATE_EPOCH=1767225600 packaging/build.sh amd64 "$@"
