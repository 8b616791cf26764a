#!/bin/bash
# Socket.IO clients of other makers against the real daemon: JavaScript's in the versions 4 and 2, and Python's.
# Prints a line a test, "ok" or "not ok", and at the end "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1

eyelid=${EYELID:-${CARGO_TARGET_DIR:-target}/debug/eyelid}
python=${CARGO_TARGET_DIR:-target}/venv/bin/python3
[ -x "$python" ] || python=python3
[ -x "$eyelid" ] || { echo "$eyelid is missing: cargo build" >&2; exit 1; }
[ -d node_modules/socket.io-client ] || { echo 'the JavaScript clients are missing: npm ci' >&2; exit 1; }
"$python" -c 'import socketio' || { echo 'the Python client is missing: see tests/protocol/requirements.txt' >&2; exit 1; }

folder=$(mktemp -d -p /dev/shm) || exit 1
daemon=
trap 'kill $daemon 2> /dev/null; wait; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

cat > "$folder/config.toml" << 'C'
[[camera]]
name = "tank"
kind = "pattern"
size = "320x240"
interval = "50ms"
linger = "200ms"
[[camera]]
name = "pond"
kind = "pattern"
size = "160x120"
interval = "50ms"
linger = "200ms"
C
env -u RUNTIME_DIRECTORY XDG_RUNTIME_DIR="$folder" \
    "$eyelid" --config "$folder/config.toml" --listen 127.0.0.1:0 2> "$folder/log" &
daemon=$!

address=
for _ in $(seq 300); do
    address=$(sed -n 's|.*listening on \(http://.*\)|\1|p' "$folder/log")
    [ -z "$address" ] || break
    kill -0 "$daemon" 2> /dev/null || break
    sleep 0.1
done
[ -n "$address" ] || { cat "$folder/log" >&2; echo 'the daemon does not listen' >&2; exit 1; }

{
    node tests/protocol/clients.mjs "$address" || echo "not ok the JavaScript clients' tests end with 0: $?"
    "$python" tests/protocol/client.py "$address" || echo "not ok the Python client's tests end with 0: $?"
    if kill -0 "$daemon"; then echo -n ok; else echo -n not ok; fi
    echo ' the daemon lives after all of them'
} 2>&1 | tee "$folder/results"

passed=$(grep -c '^ok ' "$folder/results")
failed=$(grep -c '^not ok ' "$folder/results")
[ "$failed" = 0 ] || { echo 'the log of the daemon:'; cat "$folder/log"; }
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
