#!/bin/bash
# arm64.sh [FOLDER]: the arm64 packages in FOLDER (dist, where dist.sh puts them) in a virtual machine of that architecture: service.sh
# and doctor.sh inside, and outside.sh with 20 power cuts. Under emulation it takes about an hour, so it is no part of the test
# command. As root on Debian, with Node.js and the project's npm packages.
set -u
cd "$(dirname "$0")/../.." || exit 1
EYELID_PACKAGES=$(cd "${1:-dist}" && pwd) || exit 1
export EYELID_PACKAGES
failed=0
tests/qemu/run.sh --arm64 service doctor || failed=1
tests/qemu/outside.sh --arm64 20 || failed=1
exit $failed
