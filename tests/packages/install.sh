#!/bin/bash
# In the root folder of tests/libcamera/chroot.sh: what making and looking at packages needs.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
tools=/opt/eyelid/tools
stamp=$tools/complete
recipe=$(sha256sum < "$0")
[ "$(cat "$stamp" 2> /dev/null)" != "$recipe" ] || exit 0

apt-get update -qq
apt-get install -y -qq dpkg-dev lintian man-db mandoc > /dev/null
CARGO_TARGET_DIR=/target/tools cargo install --quiet --locked --root $tools cargo-deb --version 3.8.0
rm -rf /target/tools
apt-get clean
echo "$recipe" > "$stamp"
