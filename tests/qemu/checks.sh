# shellcheck shell=bash
# What the scripts in the guest check with. Emulation is slow: everything that has to happen gets three minutes, and
# systemd's own time limits judge the rest.
set -u
passed=0 failed=0 skipped=0

check() { # check NAME COMMAND...
    local name=$1
    shift
    if "$@"; then
        echo "ok: $name"
        passed=$((passed + 1))
    else
        echo "FAILED: $name"
        failed=$((failed + 1))
        systemctl status eyelid --no-pager -n 15 || true
    fi
}
comes() { # comes COMMAND...: whether it succeeds within three minutes
    local end=$((SECONDS + 180))
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}
property() { systemctl show -P "$1" eyelid; }
is() { # is PROPERTY VALUE
    [ "$(property "$1")" = "$2" ]
}
main_pid() { property MainPID; }
# What the kernel says of the daemon: status_of FIELD
status_of() { awk -v field="$1:" '$1 == field { $1 = ""; print substr($0, 2) }' "/proc/$(main_pid)/status"; }
# Processes of the service other than the daemon.
captures() { grep -vx "$(main_pid)" /sys/fs/cgroup/system.slice/eyelid.service/cgroup.procs; }
a_capture() { captures > /dev/null; }
no_captures() { ! a_capture; }
log() { journalctl -u eyelid -o cat --no-pager; }
log_has() { log | grep -q "$1"; }
log_json() { journalctl -u eyelid _TRANSPORT=stdout -o json --no-pager; }
every_line() { # every_line JQ-CONDITION: whether it holds for all that the daemon logged, and that is something
    log_json | jq -se "length > 0 and all($1)" > /dev/null
}
some_line() { log_json | jq -se "any($1)" > /dev/null; }
snapshot() { curl -sS -f --max-time 100 -o "$1" http://127.0.0.1:3000/snapshot.jpg; }
is_jpeg() {
    [ "$(head -c 2 "$1" | od -An -tx1 | tr -d ' ')" = ffd8 ] && [ "$(tail -c 2 "$1" | od -An -tx1 | tr -d ' ')" = ffd9 ]
}
# Watches in the background until `unwatch`, and comes again whenever the camera or the daemon has gone. A stream: under
# emulation a browser's answer to a ping may come too late.
watch() {
    {
        trap '[ -z "${curl-}" ] || kill "$curl" 2> /dev/null; exit' TERM
        while :; do
            curl -sN -o /dev/null http://127.0.0.1:3000/stream.mjpg &
            curl=$!
            wait "$curl"
            sleep 0.5
        done
    } &
    watcher=$!
}
unwatch() {
    kill "$watcher"
    wait "$watcher"
}
# Systemd's limits for a machine that is emulated on one that is busy.
patient() {
    mkdir -p /run/systemd/system/eyelid.service.d
    printf '[Service]\nTimeoutStartSec=300\nTimeoutStopSec=120\n' > /run/systemd/system/eyelid.service.d/patient.conf
    systemctl daemon-reload
}
# The packages, with the configuration that the project ships in place of theirs, which listens to the network; stopped.
install_eyelid() {
    patient
    dpkg -i ./*.deb > /tmp/dpkg 2>&1 || { cat /tmp/dpkg; return 1; }
    systemctl stop eyelid
    cp config.toml /etc/eyelid/config.toml
}
# Ends the script with what it counted.
counted() {
    [ "$failed" = 0 ] || log | tail -n 60
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
}
