#!/bin/bash
# Makes a Debian 13 root folder with libcamera 0.7 from backports and what building Eyelid against it needs, and gives
# libcamera's own "virtual" pipeline handler two cameras. Run as root on Debian. A complete root is used again.
set -euo pipefail
root=${1:?usage: chroot.sh ROOT_FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

recipe=$(cat "$0" "$here"/shim/* "$here"/virtual.yaml | sha256sum | cut -d' ' -f1)
stamp=$root/.eyelid-complete
if [ "$(cat "$stamp" 2>/dev/null)" = "$recipe" ]; then
    echo "chroot.sh: $root is complete"
    exit 0
fi
[ "$(id -u)" = 0 ] || { echo "chroot.sh: run as root: a Debian root folder can't be made without" >&2; exit 1; }
# The mounts below vanish with this process, whatever ends it.
[ "${EYELID_INSIDE:-}" = 1 ] || exec env EYELID_INSIDE=1 unshare --mount --propagation private "$0" "$@"

# The mirror that this machine uses, from either style of apt's sources.
mirror=$(for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
    [ ! -e "$file" ] || awk '/^URIs:/ { print $2 } /^deb / { print $($2 ~ /^\[/ ? 4 : 2) }' "$file"
done | head -n 1)
[ -n "$mirror" ] || { echo "chroot.sh: no Debian mirror found in /etc/apt" >&2; exit 1; }

command -v debootstrap >/dev/null || { apt-get update -qq; apt-get install -y -qq debootstrap; }
mkdir -p "$root"
if [ ! -e "$root/.eyelid-bootstrapped" ]; then
    debootstrap --variant=minbase --include=ca-certificates trixie "$root" "$mirror"
    touch "$root/.eyelid-bootstrapped"
fi

cat > "$root/etc/apt/sources.list.d/debian.sources" <<S
Types: deb
URIs: $mirror
Suites: trixie trixie-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
S
: > "$root/etc/apt/sources.list"
cat > "$root/etc/apt/apt.conf.d/99eyelid" <<'A'
APT::Install-Recommends "0";
Acquire::Languages "none";
Acquire::Retries "5";
A
echo force-unsafe-io > "$root/etc/dpkg/dpkg.cfg.d/eyelid"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"   # a mirror of crates may have a certificate of its own
mount -t proc proc "$root/proc"
in_root() { chroot "$root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"; }

in_root apt-get update -qq
in_root apt-get install -y -qq -t trixie-backports libcamera-dev libcamera-ipa \
    g++ cmake make nasm pkg-config libclang1-19 libclang-common-19-dev

# The virtual pipeline reads this file and no other.
mkdir -p "$root/usr/share/libcamera/pipeline/virtual" "$root/opt/eyelid"
cp "$here/virtual.yaml" "$root/usr/share/libcamera/pipeline/virtual/"
cp -r "$here/shim" "$root/opt/eyelid/"
in_root sh /opt/eyelid/shim/build.sh gcc

in_root apt-get clean
echo "$recipe" > "$stamp"
echo "chroot.sh: $root is ready"
