#!/bin/bash
# Makes what the packages have beside the programs, into target/package. SOURCE_DATE_EPOCH is the time that it bears.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${SOURCE_DATE_EPOCH:?it has to be set}"
out=target/package
rm -rf $out/{eyelid,eyelid-libcamera,changelog,config.toml,eyelid.service,third-party-licenses.gz}
mkdir -p $out

cargo build --quiet --locked --example manual --example licenses
examples=${CARGO_TARGET_DIR:-target}/debug/examples
"$examples/manual" $out
"$examples/licenses" | gzip -9n > $out/third-party-licenses.gz

# Whoever installs a package wants to look from another machine, which the shipped file does not let in.
sed 's/^listen = .*/listen = "[::]:3000"/' config.toml > $out/config.toml
sed 's|/usr/local/bin/|/usr/bin/|' systemd/eyelid.service > $out/eyelid.service
grep -q '^listen = "\[::\]:3000"$' $out/config.toml
grep -q '^ExecStart=/usr/bin/eyelid ' $out/eyelid.service

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
maintainer=$(sed -n 's/^maintainer = "\(.*\)"/\1/p' Cargo.toml)
# Under the name of each package, as Debian wants it.
cat > $out/changelog << C
eyelid ($version-1) unstable; urgency=medium

  * What is new is in changelog.gz.

 -- $maintainer  $(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")
C
