#!/bin/bash
# In the root folder of chroot.sh: what run.sh promises.
set -euo pipefail
cargo clippy --locked --all-targets --all-features -- -D warnings
cargo test --locked --features libcamera --lib -- capture::encode:: capture::libcamera::
cargo test --locked --features libcamera --test libcamera -- --include-ignored --test-threads 2
