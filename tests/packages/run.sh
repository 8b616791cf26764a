#!/bin/bash
# Makes the packages for amd64, of programs built for tests, and tests them in a Debian 13 root folder: installing,
# upgrading, removing, purging, and what lintian says. Run as root on Debian.
#
# $EYELID_CHROOT is the root folder to use or make; it stays as it is, as the packages are installed into a layer above
# it, in memory.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${EYELID_CHROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/eyelid/trixie}
enter=$here/../libcamera/enter.sh

if [ "${EYELID_LAYER:-}" != 1 ]; then
    "$here/build.sh" --debug
    exec env EYELID_LAYER=1 unshare --mount --propagation private "$0"
fi
layer=$(mktemp -d)
trap 'umount -l "$layer"; rmdir "$layer"' EXIT
mount -t tmpfs tmpfs "$layer"
mkdir "$layer"/{upper,work,root}
mount -t overlay -o "lowerdir=$root,upperdir=$layer/upper,workdir=$layer/work" overlay "$layer/root" || {
    echo 'skipped: this system has no overlay file systems'
    exit 77
}
"$enter" "$layer/root" tests/packages/test.sh
