#!/bin/bash
# Runs service.sh, doctor.sh, v4l2.sh and gpio.sh as root in a guest of its own, with a real systemd and cameras of the kernel's; or those of
# them that are named. By software emulation, which works everywhere and takes some minutes. As root on Debian. Prints
# what they say, and fails if one of them fails twice. The guest installs the packages of the folder EYELID_PACKAGES, those
# of tests/packages/build.sh if it is not set.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
: "${EYELID_PACKAGES:=$PWD/target/package/amd64}"
guest=${XDG_CACHE_HOME:-$HOME/.cache}/eyelid/guest

skip() {
    echo "skipped: $*"
    exit 77
}
[ "$(uname -m)" = x86_64 ] || skip "the guest is one for x86-64, and it runs the program as it was built here"
command -v dpkg > /dev/null || skip "the guest is made with Debian's tools"
for package in mmdebstrap e2fsprogs qemu-system-x86; do
    dpkg -s "$package" > /dev/null 2>&1 && continue
    echo "installing $package"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" seabios > /dev/null ||
        skip "$package can't be installed"
done
# The mirror may just be out of reach, which is no fault of what is tested.
"$here/guest.sh" "$guest" || "$here/guest.sh" "$guest" || skip "the guest can't be made; see above"

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
cp config.toml "$EYELID_PACKAGES"/*.deb "$share/"

guest() {
    rm -f "$share/code" "$share/output"
    timeout -k 5 1500 qemu-system-x86_64 -M q35 -cpu max -accel tcg,thread=multi,tb-size=512 -m 1536 -smp 2 \
        -nodefaults -no-user-config -display none -no-reboot \
        -kernel "$guest/vmlinuz" -initrd "$guest/initrd" \
        -append 'root=/dev/vda rw console=ttyS0 loglevel=4 mitigations=off panic=-1 systemd.show_status=0' \
        -drive "file=$guest/guest.ext4,format=raw,if=none,id=d0,snapshot=on,cache=unsafe" \
        -device virtio-blk-pci,drive=d0 -object rng-random,filename=/dev/urandom,id=r0 -device virtio-rng-pci,rng=r0 \
        -fsdev "local,id=f0,path=$share,security_model=none" -device virtio-9p-pci,fsdev=f0,mount_tag=test \
        -serial "file:$share/console" < /dev/null 2> "$share/qemu" || echo "qemu ended with code $?"
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
