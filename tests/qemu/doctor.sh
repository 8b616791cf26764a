#!/bin/bash
# Runs in the guest, as root: what `eyelid doctor` says of the service with a camera of the kernel's test driver vivid, and what
# `eyelid erase` leaves of it. Ends with "N passed, M failed".
# shellcheck source=tests/qemu/checks.sh
. ./checks.sh

[ -e /usr/bin/eyelid ] || dpkg -i ./*.deb > /tmp/dpkg 2>&1
# The virtual camera of libcamera is one too.
! dpkg -s eyelid-libcamera > /dev/null 2>&1 || dpkg -r eyelid-libcamera > /dev/null
systemctl stop eyelid
cp config.toml /etc/eyelid/config.toml
sed -i 's/^kind = .*/kind = "v4l2"/; s/^size = .*/size = "640x480"/; s/^interval = .*/interval = "1s"/;
    s/^start_timeout = .*/start_timeout = "60s"/; s/^stall_timeout = .*/stall_timeout = "60s"/' /etc/eyelid/config.toml
# The folder that is shared has a config.toml too.
cd / || exit 1

examine() { eyelid doctor --json > /tmp/doctor.json 2> /tmp/doctor.errors; }
judged() { # judged KEY VERDICT [REGEX]: of the last examination
    jq -e --arg key "$1" --arg verdict "$2" --arg what "${3-}" \
        '.checks[] | select(.key == $key) | .verdict == $verdict and (.what | test($what))' /tmp/doctor.json > /dev/null
}
becomes() { # becomes KEY VERDICT [REGEX]
    examine
    judged "$@"
}

check 'without a camera the examination ends with code 1' eval '! examine'
check 'and says that it is missing' judged cameras bad
judged cameras bad || cat /tmp/doctor.json
modprobe vivid n_devs=1 num_inputs=1 input_types=0 node_types=0x1
check 'with one it says which' comes becomes cameras good 'vivid'
check 'an installed service that does not run is a warning' judged service warning 'does not run'
check 'and so is a port where nobody answers' judged port warning
patient
systemctl start eyelid
check 'a service that runs is good' comes becomes service good 'runs .enabled.'
check 'and its port' judged port good 'eyelid answers'
check 'the service may use the devices' judged devices good 'the service may use'
check 'the camera is used by nobody' judged camera-users good 'no program uses'
check 'its run folder is in memory' judged run-folder good '^/run/eyelid, in memory'
check 'its state folder has room' judged state-folder good '^/var/lib/eyelid'
check 'nothing is bad' [ "$(jq -r .worst /tmp/doctor.json)" != bad ]
cat /tmp/doctor.errors
check 'nothing is said beside the report' [ ! -s /tmp/doctor.errors ]
watch
comes a_capture
check 'while somebody watches eyelid uses the camera' comes becomes camera-users good 'used by eyelid'
judged camera-users good 'used by eyelid' || cat /tmp/doctor.json

check 'nothing is erased while the service runs' eval '! eyelid erase --all --yes > /tmp/erase 2>&1'
check 'and it says why' grep -q 'runs and uses /run/eyelid; stop it first' /tmp/erase
unwatch
systemctl stop eyelid
kept() { find /var/lib/private/eyelid -type f; }
check 'the service has kept something' grep -q ledger.jsonl <(kept)
check 'erase lists it' grep -q '^/var/lib/eyelid/cameras/camera/ledger.jsonl: ' <(eyelid erase)
check 'and removes nothing by that' grep -q ledger.jsonl <(kept)
check 'erase --all removes it' eyelid erase --all --yes
check 'all of it' [ -z "$(kept)" ]
check 'and the service starts again' systemctl start eyelid
check 'and takes pictures' snapshot /tmp/after.jpg

systemctl stop eyelid
modprobe -r vivid
rm -rf /run/systemd/system/eyelid.service.d
systemctl daemon-reload
counted
