#!/bin/bash
# In the root folder of tests/libcamera/chroot.sh: lists what the packages are made of, as CycloneDX, into
# target/package. SOURCE_DATE_EPOCH is the time that it bears.
set -euo pipefail
: "${SOURCE_DATE_EPOCH:?it has to be set}"
tool=/opt/eyelid/tools/bin/cargo-cyclonedx
[ -x $tool ] || CARGO_TARGET_DIR=/target/tools cargo install --quiet --locked --root /opt/eyelid/tools cargo-cyclonedx --version 0.5.9
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
$tool cyclonedx --quiet --format json --spec-version 1.5 --features libcamera --target aarch64-unknown-linux-gnu \
    --no-build-deps --override-filename sbom
mkdir -p target/package
mv sbom.json "target/package/eyelid_$version.cdx.json"
