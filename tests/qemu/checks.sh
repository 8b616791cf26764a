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
# Watches for as long as it takes: Socket.IO by polling, as old clients do.
watch() {
    local base='http://127.0.0.1:3000/socket.io/?EIO=4&transport=polling' sid
    sid=$(curl -sS -f "$base" | sed 's/.*"sid":"\([^"]*\)".*/\1/') || return
    curl -sS -f -o /dev/null -d '40' "$base&sid=$sid"
    curl -sS -f -o /dev/null -d '42["start-stream"]' "$base&sid=$sid"
    # Packets of one answer are separated by the control character RS; 2 is a ping and 3 its answer.
    while curl -sS -f -o /tmp/polled "$base&sid=$sid"; do
        if tr '\036' '\n' < /tmp/polled | grep -qx 2; then curl -sS -f -o /dev/null -d 3 "$base&sid=$sid"; fi
    done 2> /dev/null
}
# Ends the script with what it counted.
counted() {
    [ "$failed" = 0 ] || log | tail -n 60
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
}
