#!/bin/bash
# systemd/eyelid.service: systemd must understand all of it, and its sandbox must be tight. Nothing is installed: a
# copy of the unit is looked at in a root folder of its own. Ends with "N passed, M failed".
set -u
cd "$(dirname "$0")/.." || exit 1
unit=systemd/eyelid.service
passed=0 failed=0

stage=$(mktemp -d) || exit 1
trap 'rm -rf "$stage"' EXIT

# result NAME CONDITION-STATUS OUTPUT
result() {
    if [ "$2" = 0 ]; then
        echo "ok: $1"
        passed=$((passed + 1))
    else
        echo "FAILED: $1"
        echo "$3"
        failed=$((failed + 1))
    fi
}

# A root folder with the machine's own units, for those that ours refers to, and the daemon where ours says.
stage_unit() {
    rm -rf "${stage:?}"/*
    mkdir -p "$stage/etc/systemd/system" "$stage/usr/lib/systemd" "$stage/usr/local/bin"
    cp -r /usr/lib/systemd/system "$stage/usr/lib/systemd/"
    printf '#!/bin/sh\n' > "$stage/usr/local/bin/eyelid"
    chmod +x "$stage/usr/local/bin/eyelid"
    cp "$unit" "$stage/etc/systemd/system/eyelid.service"
}

# Its exit code says nothing of unknown keys, so whatever it prints is a failure.
verify() {
    systemd-analyze verify --root="$stage" eyelid.service 2>&1
}

# 17 is an exposure of 1.7.
secure() {
    systemd-analyze security --offline=true --no-pager --threshold=17 "$stage/etc/systemd/system/eyelid.service" 2>&1
}

stage_unit
output=$(verify) && [ -z "$output" ]
result "systemd-analyze verify has nothing to say" $? "$output"

output=$(secure)
result "exposure is 1.7 at most ($(echo "$output" | sed -n 's/.*exposure level for [^:]*: //p'))" $? "$output"

# The checks themselves: would they see a mistake?
echo 'NoSuchKey=1' >> "$stage/etc/systemd/system/eyelid.service"
output=$(verify)
[ -n "$output" ]
result "verify sees an unknown key" $? "it said nothing"

stage_unit
rm "$stage/usr/local/bin/eyelid"
output=$(verify)
[ -n "$output" ]
result "verify sees a missing program" $? "it said nothing"

stage_unit
sed -i '/^SystemCallFilter=/d; /^RestrictNamespaces=/d' "$stage/etc/systemd/system/eyelid.service"
! output=$(secure)
result "the threshold sees a weaker sandbox" $? "$output"

# Promises of the documentation.
for line in Type=notify KillMode=mixed TimeoutStopSec=10 RuntimeDirectoryMode=0700 RuntimeDirectoryPreserve=restart StateDirectory=eyelid StateDirectoryMode=0700 'ExecStart=/usr/local/bin/eyelid run'; do
    grep -qx "$line" "$unit"
    result "the unit says $line" $? "not found in $unit"
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
