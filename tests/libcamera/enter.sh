#!/bin/bash
# Runs a command in the root folder that chroot.sh made: with this project at /project, the machine's own Rust
# toolchain and crates, and a build folder of its own. With EYELID_ARM64=1, arm64 programs run there too. Run as root.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: enter.sh ROOT_FOLDER COMMAND [ARGUMENT...]" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "enter.sh: run as root" >&2; exit 1; }
root=$(cd "$1" && pwd)
project=$(cd "$(dirname "$0")/../.." && pwd)

# The mounts and all processes vanish with this one, whatever ends it. A user namespace has its own binfmt_misc
# (since Linux 6.7): what is registered below is so for nobody else on this machine.
if [ "${EYELID_INSIDE:-}" != 1 ]; then
    own=(--mount --propagation private --pid --fork --kill-child)
    [ "${EYELID_ARM64:-}" != 1 ] || own+=(--user --map-root-user)
    exec env EYELID_INSIDE=1 unshare "${own[@]}" "$0" "$@"
fi
shift

sysroot=$(cd "$project" && rustc --print sysroot)
cargo_home=${CARGO_HOME:-$HOME/.cargo}
mkdir -p "$project/target/libcamera" "$cargo_home/registry" "$root"/{project,opt/rust,target,root/.cargo/registry,dev/shm}
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount --bind "$project" "$root/project"
mount --bind "$project/target/libcamera" "$root/target"
mount --bind "$sysroot" "$root/opt/rust"
mount --bind "$cargo_home/registry" "$root/root/.cargo/registry"
if [ -e "$cargo_home/config.toml" ]; then
    touch "$root/root/.cargo/config.toml"
    mount --bind "$cargo_home/config.toml" "$root/root/.cargo/config.toml"
fi
cp /etc/resolv.conf /etc/hosts "$root/etc/"

if [ "${EYELID_ARM64:-}" = 1 ]; then
    mount -t binfmt_misc binfmt_misc "$root/proc/sys/fs/binfmt_misc"
    # An ELF file, 64 bit, little endian, a program or a library, for machine 0xb7. The kernel reads the escapes itself.
    magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
    mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    printf '%s' ":aarch64:M::$magic:$mask:/usr/bin/qemu-aarch64:" > "$root/proc/sys/fs/binfmt_misc/register"
fi

exec chroot "$root" env -i HOME=/root LC_ALL=C.UTF-8 PATH=/opt/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    CARGO_TARGET_DIR=/target CARGO_PROFILE_DEV_DEBUG=0 CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}" \
    LIBCAMERA_PIPELINES_MATCH_LIST=virtual LIBCAMERA_LOG_LEVELS="${LIBCAMERA_LOG_LEVELS:-*:FATAL}" \
    sh -c 'cd /project && exec "$@"' sh "$@"
