#!/bin/bash
# machine.sh ARCHITECTURE GUEST SHARE [OPTION...]: becomes a virtual machine of guest.sh's guest in the folder GUEST, with the
# folder SHARE as its /test and the OPTIONs of QEMU besides: its disk, at least. The environment's WORDS go to its kernel.
# By software emulation, which works everywhere. The arm64 one has the processor of a Raspberry Pi 4, but no board of one.
set -euo pipefail
arch=${1:?usage: machine.sh ARCHITECTURE GUEST SHARE [OPTION...]} guest=$2 share=$3
shift 3
case $arch in
    amd64) machine=(qemu-system-x86_64 -M q35 -cpu max) console=ttyS0 ;;
    arm64) machine=(qemu-system-aarch64 -M virt -cpu cortex-a72) console=ttyAMA0 ;;
    *) echo "machine.sh: there is no $arch" >&2; exit 2 ;;
esac
exec "${machine[@]}" -accel tcg,thread=multi,tb-size=512 -m 1536 -smp 2 -nodefaults -no-user-config -display none \
    -kernel "$guest/vmlinuz" -initrd "$guest/initrd" \
    -append "root=/dev/vda rw console=$console loglevel=4 mitigations=off panic=-1 systemd.show_status=0 ${WORDS-}" \
    -device virtio-blk-pci,drive=disk -object rng-random,filename=/dev/urandom,id=random -device virtio-rng-pci,rng=random \
    -fsdev "local,id=share,path=$share,security_model=none" -device virtio-9p-pci,fsdev=share,mount_tag=test \
    -serial "file:$share/console" "$@" < /dev/null
