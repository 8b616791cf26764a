#!/bin/bash
# run.sh [--arm64] [SCRIPT...]: runs service.sh, doctor.sh, v4l2.sh and gpio.sh, or those of them that are named, as root in a
# guest of its own, with a real systemd and cameras of the kernel's. It takes some minutes, with --arm64 some tens of them. As
# root on Debian. Prints what they say, and fails if one of them fails twice.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
# shellcheck source=tests/qemu/prepare.sh
. "$here/prepare.sh"
arch=amd64 limit=1500
if [ "${1-}" = --arm64 ]; then
    arch=arm64 limit=5400
    shift
fi
prepare $arch

share=$(mktemp -d)
trap 'rm -rf "$share"' EXIT
[ $# -gt 0 ] || set -- service doctor v4l2 gpio
for script in "$@"; do
    cp "$here/$script.sh" "$share/"
    echo "echo '== $script'; bash ./$script.sh || failed=1"
done > "$share/run.sh"
# shellcheck disable=SC2016 # for the guest's shell
echo 'exit ${failed:-0}' >> "$share/run.sh"
cp "$here/checks.sh" "$here/feed.py" "$share/"
cp config.toml "$packages"/*_$arch.deb "$share/"

guest() {
    rm -f "$share/code" "$share/output"
    timeout -k 5 $limit "$here/machine.sh" $arch "$guest" "$share" -no-reboot \
        -drive "file=$guest/guest.ext4,format=raw,if=none,id=disk,snapshot=on,cache=unsafe" \
        2> "$share/qemu" || echo "qemu ended with code $?"
    [ "$(cat "$share/code" 2> /dev/null)" = 0 ]
}

# An emulated machine on a busy one can be slower than any patience. What fails twice is no matter of that.
if ! guest; then
    [ ! -e "$share/output" ] || sed 's/^/first try: /' "$share/output"
    echo 'run.sh: this has failed, or did not come to its end; once more'
    guest || true
fi
if [ ! -e "$share/code" ]; then
    tail -n 20 "$share/qemu" "$share/console"
    echo "run.sh: the guest did not come to its end" >&2
    exit 1
fi
cat "$share/output"
exit "$(cat "$share/code")"
