#!/bin/bash
# Runs in the guest, as root: the service as the packages install it, upgrade it and purge it. Ends with "N passed, M failed".
# shellcheck source=tests/qemu/checks.sh
. ./checks.sh

echo "$(systemctl --version | head -n 1), $(uname -r)"
patient
check 'the packages are installed' sh -c 'dpkg -i ./*.deb > /tmp/dpkg 2>&1'
cat /tmp/dpkg
check 'the service runs' is ActiveState active
check 'and will after a reboot' systemctl is-enabled eyelid
check 'the last line says where to open it' grep -E 'http://[^ ]+:3000' <(tail -n 1 /tmp/dpkg)
check 'it listens to the network' grep -q ' 00000000000000000000000000000000:0BB8 .* 0A ' /proc/net/tcp6
pid=$(main_pid)
check 'installed over itself' dpkg -i ./*.deb
another_runs() { is ActiveState active && [ "$(main_pid)" != "$pid" ]; }
check 'it is started anew' another_runs
systemctl stop eyelid
cp config.toml /etc/eyelid/config.toml
# Small pictures, and time to make them.
sed -i 's/^kind = .*/kind = "pattern"/; s/^size = .*/size = "640x480"/; s/^interval = .*/interval = "1s"/;
    s/^start_timeout = .*/start_timeout = "60s"/; s/^stall_timeout = .*/stall_timeout = "60s"/' /etc/eyelid/config.toml

check 'it starts, and says READY=1' systemctl start eyelid
check 'it is active' is ActiveState active
echo "   status: $(property StatusText)"
check 'it has a status text' [ -n "$(property StatusText)" ]
check 'it answers' curl -sS -f -o /dev/null http://127.0.0.1:3000/healthz
check 'no camera is on' no_captures

check 'it is not root' [ "$(status_of Uid | cut -f 1)" != 0 ]
check 'it has group video' grep -qw "$(getent group video | cut -d : -f 3)" <(status_of Groups)
check 'it has no capability' [ "$(status_of CapEff)" = 0000000000000000 ]
check 'system calls are filtered' [ "$(status_of Seccomp)" = 2 ]
check 'it gains no privileges' [ "$(status_of NoNewPrivs)" = 1 ]
check 'its runtime folder is its own' [ "$(stat -Lc %a /run/eyelid)" = 700 ]
check 'and on tmpfs' [ "$(stat -Lfc %T /run/eyelid)" = tmpfs ]
check 'the journal knows priorities' every_line '.PRIORITY | . != null and . != ""'
check 'and no line carries its priority as text' every_line '.MESSAGE | test("^<[0-7]>") | not'
check 'nor a time' every_line '.MESSAGE | test("^[0-9]{4}-") | not'

check 'a snapshot starts the camera' snapshot /tmp/one.jpg
check 'and is a JPEG' is_jpeg /tmp/one.jpg
check 'then the camera goes off' comes no_captures

watch
check 'a viewer turns the camera on' comes a_capture
check 'the rolling file is there' comes test -s /run/eyelid/camera/image_stream.jpg
check 'it stops with a viewer connected' systemctl stop eyelid
check 'by itself' is Result success
check 'with exit code 0' is ExecMainStatus 0
check 'nothing is left of its runtime folder' [ ! -e /run/eyelid ]
unwatch

systemctl start eyelid
watch
comes a_capture
capture=$(captures | head -n 1)
kill -KILL "$(main_pid)"
check 'killed, it starts again' comes is NRestarts 1
check 'and its capture has gone' comes test ! -e "/proc/$capture"
unwatch

# A shorter limit than the unit's, not to wait for half a minute more; emulation makes it none too long.
mkdir -p /run/systemd/system/eyelid.service.d
printf '[Service]\nWatchdogSec=15\n' > /run/systemd/system/eyelid.service.d/watchdog.conf
systemctl daemon-reload
systemctl restart eyelid
sleep 35
check 'it outlives its watchdog' is NRestarts 0
watch
comes a_capture
capture=$(captures | head -n 1)
kill -STOP "$(main_pid)"
check 'hung, the watchdog kills it and it starts again' comes is NRestarts 1
check 'it was the watchdog' log_has 'Watchdog timeout'
check 'and its capture has gone' comes test ! -e "/proc/$capture"
check 'it is active again' comes is ActiveState active
unwatch

sed -i 's/^quality = .*/quality = 800/' /etc/eyelid/config.toml
config_error() { curl -sS -f http://127.0.0.1:3000/api/status | jq -e '.config.error != null' > /dev/null; }
check 'a configuration that is wrong is refused' comes config_error
check 'and that is logged as an error' some_line '.PRIORITY == "3" and (.MESSAGE | test("camera.quality"))'
check 'and the old one goes on' snapshot /tmp/two.jpg
sed -i 's/^quality = .*/quality = 80/' /etc/eyelid/config.toml

if dpkg -s eyelid-libcamera > /dev/null 2>&1; then
    sed -i 's/^kind = .*/kind = "libcamera"/' /etc/eyelid/config.toml
    # The virtual camera is for tests: libcamera takes it only when told. It gets its buffers from devices that a
    # Raspberry Pi gives to group video and Debian does not.
    ls -lR /dev/dma_heap /dev/udmabuf
    chgrp video /dev/udmabuf /dev/dma_heap/*
    chmod 660 /dev/udmabuf /dev/dma_heap/*
    printf '[Service]\nEnvironment=LIBCAMERA_PIPELINES_MATCH_LIST=virtual\n' \
        > /run/systemd/system/eyelid.service.d/libcamera.conf
    systemctl daemon-reload
    systemctl restart eyelid
    check 'libcamera takes a picture in the sandbox' snapshot /tmp/three.jpg
    check 'and it is a JPEG' is_jpeg /tmp/three.jpg
    check 'then that camera goes off too' comes no_captures
fi

systemctl start eyelid
check 'it has a folder for its state' [ -d /var/lib/private/eyelid ]
check 'the packages are purged' dpkg -P eyelid-libcamera eyelid
check 'which stops the service' is ActiveState inactive
check 'and leaves no unit' is LoadState not-found
nothing_is_left() {
    local path
    for path in /usr/bin/eyelid* /usr/lib/systemd/system/eyelid* /etc/systemd/system/{,*/}eyelid* /etc/eyelid \
        /var/lib/{,private/}eyelid /run/{,private/}eyelid; do
        if [ -e "$path" ] || [ -L "$path" ]; then
            echo "there is $path"
            return 1
        fi
    done
}
check 'nor anything else' nothing_is_left
rm -rf /run/systemd/system/eyelid.service.d
systemctl daemon-reload
counted
