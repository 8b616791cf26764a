#!/bin/bash
# In the root folder of chroot.sh: what building for arm64, and running that under qemu-user, needs.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
prefix=/opt/eyelid/arm64
stamp=$prefix/complete
recipe=$(cat "$0" /opt/eyelid/shim/* | sha256sum | cut -d' ' -f1)
[ "$(cat "$stamp" 2>/dev/null)" != "$recipe" ] || exit 0

# The compiler is Debian's, because Debian has the standard library for arm64 beside it; a machine's own toolchain may
# have it not.
dpkg --add-architecture arm64
apt-get update -qq
apt-get install -y -qq -t trixie-backports rustc cargo libstd-rust-dev:arm64 gcc-aarch64-linux-gnu g++-aarch64-linux-gnu \
    qemu-user libcamera0.7:arm64 libcamera-ipa:arm64

# libcamera-dev can't be installed for two architectures at once, and its headers differ.
rm -rf $prefix
mkdir -p $prefix/deb
chown _apt $prefix/deb
(cd $prefix/deb && apt-get download -qq -t trixie-backports libcamera-dev:arm64)
dpkg -x $prefix/deb/*.deb $prefix
lib=lib/aarch64-linux-gnu
sed -i "s|^prefix=.*|prefix=$prefix/usr|; s|^includedir=.*|includedir=\${prefix}/include|; s|^libdir=.*|libdir=\${prefix}/$lib|" \
    $prefix/usr/$lib/pkgconfig/*.pc
for library in "$prefix/usr/$lib"/*.so; do
    ln -sf "/usr/$lib/$(readlink "$library")" "$library"
done
sh /opt/eyelid/shim/build.sh aarch64-linux-gnu-gcc

apt-get clean
echo "$recipe" > "$stamp"
