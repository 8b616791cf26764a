#!/bin/bash
# In the root folder of tests/libcamera/chroot.sh: the C library of Debian 12 for amd64 and arm64, and linkers that take it.
# A program that is linked with it runs on Debian 12 and Raspberry Pi OS bookworm too.
set -euo pipefail
prefix=/opt/eyelid/debian12
stamp=$prefix/complete
recipe=$(sha256sum < "$0")
[ "$(cat "$stamp" 2> /dev/null)" != "$recipe" ] || exit 0

rm -rf $prefix
mkdir -p $prefix/lists/partial
mirror=$(awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/debian.sources)
echo "deb [arch=amd64,arm64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm main" \
    > $prefix/sources.list
apt12() {
    apt-get -qq -o Dir::Etc::SourceList=$prefix/sources.list -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists=$prefix/lists -o Dir::State::status=/dev/null "$@"
}
apt12 update
for arch in amd64 arm64; do
    mkdir -p $prefix/$arch/deb
    chown _apt $prefix/$arch/deb
    (cd $prefix/$arch/deb && apt12 download libc6:$arch libc6-dev:$arch libgcc-s1:$arch)
    for package in "$prefix/$arch/deb"/*.deb; do
        dpkg -x "$package" $prefix/$arch
    done
    rm -r $prefix/$arch/deb
done
# Else it points at that of this root folder.
ln -sf ../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 $prefix/amd64/lib64/
# A compiler looks into its own system's folders first, unless told.
linker() { # linker ARCHITECTURE TRIPLE COMPILER
    local lib=$prefix/$1/usr/lib/$2
    printf '#!/bin/sh\nexec %s --sysroot=%s -B%s -L%s "$@"\n' "$3" $prefix/"$1" "$lib/" "$lib" > $prefix/link-"$1"
}
linker amd64 x86_64-linux-gnu gcc
linker arm64 aarch64-linux-gnu aarch64-linux-gnu-gcc
chmod +x $prefix/link-*
rm -r $prefix/lists
echo "$recipe" > $stamp
