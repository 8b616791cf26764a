#!/bin/bash
# Makes the packages for amd64 and arm64, with their checksums and a list of all that is in them, into dist/. See usage below.
set -euo pipefail
cd "$(dirname "$0")"
usage() {
    cat << 'U'
usage: sudo ./dist.sh [amd64 | arm64]...

Makes Debian packages of what is committed, for both architectures or those named, in a Debian 13 root folder of its own
($EYELID_CHROOT, else ~/.cache/eyelid/trixie; 3 GB). Needs root, Debian on x86-64 and Rust. Nothing of this
machine, its folders or its clock is to get into them.

dist/eyelid_VERSION_ARCH.deb            the daemon; linked with the glibc of Debian 12
dist/eyelid-libcamera_VERSION_ARCH.deb  for libcamera's cameras; needs Debian 13 with backports' libcamera
dist/eyelid_VERSION.cdx.json            what both are made of, as CycloneDX
dist/SHA256SUMS
U
}
case ${1-} in -*) usage; exit ;; esac
[ "$(id -u)" = 0 ] || { usage >&2; exit 2; }
[ $# -gt 0 ] || set -- amd64 arm64
for arch in "$@"; do
    case $arch in amd64 | arm64) ;; *) usage >&2; exit 2 ;; esac
done

commit=$(git rev-parse --short HEAD)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
root=${EYELID_CHROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/eyelid/trixie}
target=$PWD/target/dist
# What is committed, and nothing that lies about; as new files, so that Cargo builds an older commit anew too.
rm -rf "$target/source" dist
mkdir -p "$target/source/target" "$target/built" dist
git archive HEAD | tar -xm -C "$target/source"
ln -s ../../built "$target/source/target/libcamera"
source=$target/source
enter() { "$source/tests/libcamera/enter.sh" "$root" env SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" "$@"; }

"$source/tests/libcamera/chroot.sh" "$root"
enter tests/packages/install.sh
enter packaging/debian12.sh
for arch in "$@"; do
    [ "$arch" != arm64 ] || enter tests/libcamera/arm64-install.sh
    enter packaging/build.sh "$arch"
    cp "$source/target/package/$arch"/*.deb dist/
done
enter packaging/sbom.sh
cp "$source"/target/package/*.cdx.json dist/
(cd dist && sha256sum -- * > SHA256SUMS)
echo "of commit $commit:"
cat dist/SHA256SUMS
