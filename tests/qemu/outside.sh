#!/bin/bash
# outside.sh [--arm64] [CUTS]: the service in a virtual machine as it is installed and lived with, seen from outside: outside.test.mjs, with
# so many power cuts (3). As root on Debian, with Node.js and the project's npm packages. Prints what Node's test runner
# prints.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
# shellcheck source=tests/qemu/prepare.sh
. "$here/prepare.sh"
arch=amd64
if [ "${1-}" = --arm64 ]; then
    arch=arm64
    shift
fi
export CUTS=${1:-3}
prepare $arch
# Only the daemon: what it takes pictures with is in the kernel.
PACKAGES=$(echo "$packages"/eyelid_*_$arch.deb)
export ARCH=$arch GUEST=$guest PACKAGES
node --test --test-reporter=spec "$here/outside.test.mjs"
