#!/bin/bash
# Runs in the guest, as root: V4L2 cameras, which are the kernel's test driver vivid and, for JPEGs, v4l2loopback. Ends with
# "N passed, M failed".
# shellcheck source=tests/qemu/checks.sh
. ./checks.sh

VIVID=vivid.0
unplug() { echo $VIVID > /sys/bus/platform/drivers/vivid/unbind; }
link=/dev/v4l/by-path/platform-$VIVID-video-index0
node() { readlink -f $link; }
replug() { echo $VIVID > /sys/bus/platform/drivers/vivid/bind; }

configure() { # configure KEY VALUE...: into the camera's entry, strings in quotes of TOML's
    while [ $# -gt 0 ]; do
        sed -i "0,/^$1 = .*/s||$1 = $2|" /etc/eyelid/config.toml
        shift 2
    done
}
serve() { # serve KEY VALUE...: the service with this camera and nobody watching
    systemctl stop eyelid
    configure "$@"
    systemctl start eyelid
}
state() { curl -sS -f http://127.0.0.1:3000/api/cameras/camera; }
state_is() { state | jq -e "$1" > /dev/null; } # state_is JQ-CONDITION
log_has_not() { ! log_has "$1"; }
refuses() { ! snapshot /tmp/none.jpg 2> /dev/null; }
size_is() { # size_is FILE WxH: of a whole JPEG
    python3 - "$@" << 'P'
import sys
data, at, size = open(sys.argv[1], "rb").read(), 2, None
assert data[:2] == b"\xff\xd8" and data[-2:] == b"\xff\xd9", "no whole JPEG"
while size is None:
    marker, length = data[at + 1], int.from_bytes(data[at + 2:at + 4], "big")
    if 0xC0 <= marker <= 0xC3:
        size = "%dx%d" % (int.from_bytes(data[at + 7:at + 9], "big"), int.from_bytes(data[at + 5:at + 7], "big"))
    at += 2 + length
if size != sys.argv[2]:
    sys.exit(f"it is {size}")
P
}
takes() { # takes WxH: a snapshot of that size
    rm -f /tmp/taken.jpg
    snapshot /tmp/taken.jpg && size_is /tmp/taken.jpg "$1"
}

rolling=/run/direct/camera/image_stream.jpg
# A capture process by itself, as root, its requests through a pipe.
begin() { # begin ARGUMENT...
    rm -rf /run/direct /tmp/requests
    mkfifo /tmp/requests
    : > /tmp/events
    eyelid capture --output=$rolling "$@" < /tmp/requests > /tmp/events 2> /tmp/errors &
    capture=$!
    exec 7> /tmp/requests
}
ask() { echo "$1" >&7; }
event() { jq -se "map(select(.event == \"$1\")) | last | $2" /tmp/events > /dev/null; } # event NAME JQ-CONDITION
has_event() { [ -s /tmp/events ] && event "$@"; }
has_picture() { [ -s $rolling ]; }
# Whether it ends by itself, with exit code 1.
fails() {
    exec 7>&-
    wait "$capture"
    [ $? = 1 ]
}
# Whether it stops when asked, with exit code 0.
end() {
    exec 7>&-
    wait "$capture"
}
control() { jq -s "map(select(.event == \"controls\")) | last | .controls[] | select(.id == \"$1\") | $2" /tmp/events; }
# driver_has CONTROL VALUE [DEVICE]
driver_has() { [ "$(v4l2-ctl -d "${3-/dev/video0}" -C "$1" | sed 's/.*: //')" = "$2" ]; }
set_over_the_web() { # set_over_the_web JSON
    curl -sS -f -o /dev/null -X PATCH -H 'Content-Type: application/json' -d "$1" \
        http://127.0.0.1:3000/api/cameras/camera/controls
}

install_eyelid || exit 1
configure start_timeout '"60s"' stall_timeout '"60s"' linger '"0s"'
modprobe vivid n_devs=1 node_types=0x1 || exit 1
comes test -e $link

# The virtual camera of libcamera, which service.sh has seen, would come before a webcam.
! dpkg -s eyelid-libcamera > /dev/null 2>&1 || dpkg -r eyelid-libcamera > /dev/null

echo '-- what there is'
eyelid cameras > /tmp/cameras.toml
check 'eyelid cameras finds it' [ $? = 0 ]
cat /tmp/cameras.toml
check 'with its sizes and rates' grep -q '^# YUYV: .*1280x720 ([0-9.]* a second)' /tmp/cameras.toml
check 'by a path that stays' grep -q "^device = '/dev/v4l/by-path/" /tmp/cameras.toml
check 'and the entry is a configuration' eyelid check --config /tmp/cameras.toml
check 'kind auto would take it' grep -q 'vivid, through kind v4l2' <(eyelid check --config /etc/eyelid/config.toml)

echo '-- the service'
serve kind '"auto"' size '"1280x720"' interval '"200ms"'
check 'no camera is on' no_captures
check 'auto takes a picture in the sandbox' takes 1280x720
check 'then the camera goes off' comes no_captures
check 'and is free' v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=2 --stream-to=/dev/null
check 'it was the camera and not the test picture' log_has_not 'test picture'

echo '-- formats and sizes'
for format in YUYV NV12 GREY; do
    begin --kind=v4l2 --device=/dev/video0 --format=$format --size=640x360
    check "it takes $format, and says so" comes has_event streaming ".device | test(\"$format 640x360, [0-9.]+ a second\")"
    check 'in pictures' comes has_picture
    check 'of that size' size_is "$rolling" 640x360
    check 'and stops' end
done
begin --kind=v4l2 --device=/dev/video0 --format=H264
check 'a format that it lacks is told, with those that it has' comes has_event error '.hint | test("it has .*YUYV")'
check 'and that is the end' fails
begin --kind=v4l2 --device=vivid --size=650x350 --interval=20ms
check 'of an odd size it takes the nearest, by its name' comes has_event streaming '.width == 640 and .height == 360'
check 'and says so' has_event streaming '.notice | test("gives 640x360 instead of 650x350")'
end
begin --kind=v4l2 --device='webcam of my neighbour'
check 'an unknown name is told, with those that there are' \
    comes has_event error '.hint | test("vivid \\(/dev/video0\\)")'
check 'and that is the end' fails
begin --kind=v4l2 --device=/dev/null
check 'so is what is no camera' comes has_event error '.reason == "/dev/null is no V4L2 device"'
check 'and that is the end' fails

echo '-- controls'
begin --kind=v4l2 --device=/dev/video0 --size=320x180 --interval=100ms
check 'it offers controls' comes has_event controls '.controls | length > 5'
check 'with their limits' has_event controls '.controls | any(.id == "brightness" and .type == "integer" and .min == 0 and .max == 255 and .group == "image")'
check 'menus too' has_event controls '.controls | any(.type == "choice" and (.choices | length > 1))'
check 'switches too' has_event controls '.controls | any(.type == "boolean")'
default=$(control brightness .default)
ask '{"request":"set","serial":1,"controls":{"brightness":200,"horizontal_flip":true}}'
check 'it sets them' comes has_event controls '.answers == 1 and (.controls | any(.id == "brightness" and .value == 200))'
check 'in the driver' driver_has brightness 200
check 'switches too' driver_has horizontal_flip 1
ask '{"request":"set","serial":2,"controls":{"brightness":null,"horizontal_flip":null}}'
check 'null is the default' comes has_event controls '.answers == 2'
check 'in the driver' driver_has brightness "$default"
ask '{"request":"set","serial":3,"controls":{"brightness":9999,"no_such_thing":1}}'
check 'what can not be set is no harm' comes has_event controls '.answers == 3'
check 'and is logged' grep -q 'brightness can.t be 9999' /tmp/errors
check 'pictures come' comes has_picture
ask '{"request":"stop"}'
check 'it stops when asked' end
begin --kind=v4l2 --device=/dev/video0 --size=320x180
comes has_event streaming true
check 'its input closed, it stops too' end

echo '-- trouble'
v4l2-ctl -d /dev/video0 --stream-mmap --stream-to=/dev/null > /dev/null 2>&1 &
other=$!
in_use() { ! v4l2-ctl -d /dev/video0 --set-fmt-video=width=1280,height=720 > /dev/null 2>&1; }
check 'another program uses the camera' comes in_use
begin --kind=v4l2 --device=/dev/video0 --size=320x180
check 'then it ends' fails
check 'and names that program' event error ".reason == \"camera is used by another program: v4l2-ctl (pid $other)\""
serve kind '"v4l2"' device '"/dev/video0"' size '"320x180"'
check 'so the service takes none' refuses
check 'and says why' log_has 'camera is used by another program'
kill "$other"
wait "$other" 2> /dev/null
check 'that program gone, the camera is there again' comes takes 320x180

begin --kind=v4l2 --device=vivid --size=320x180 --interval=50ms
comes has_picture
broken() {
    v4l2-ctl -d /dev/video0 -c inject_v4l2_buf_flag_error=1 > /dev/null 2>&1
    grep -q 'broken so far' /tmp/errors
}
check 'broken pictures are counted' comes broken
rm -f $rolling
check 'and whole ones come after them' comes has_picture
unplug
check 'unplugged, it ends' fails
check 'and says why' event error '.reason | test("was unplugged|does not answer any more")'
replug
comes test -e $link

serve device '"vivid"' linger '"1s"' interval '"500ms"'
watch
check 'the service has a viewer' comes state_is '.state == "live"'
check 'a control is set over the web' comes set_over_the_web '{"brightness": 42}'
check 'in the driver' driver_has brightness 42
unplug
check 'unplugged, it says so' comes state_is '.reason // "" | test("unplugged|no camera \"vivid\"|does not answer")'
# Another device takes the number meanwhile, so that the camera comes back as another one.
modprobe v4l2loopback video_nr=0 card_label=other exclusive_caps=1 2> /dev/null
replug
check 'plugged in again, it is found by its name' comes state_is '.state == "live"'
state | jq -c .source
has_it_again() { driver_has brightness 42 "$(node)"; }
check 'with what was set' comes has_it_again
[ ! -e /sys/module/v4l2loopback ] || check 'under its new number' comes state_is '.source.device // "" | test("/dev/video1")'
systemctl stop eyelid
check 'it stops with a viewer connected' is Result success
unwatch

echo '-- on demand'
serve device '"vivid"' linger '"0s"' interval '"50ms"'
# Whether the daemon has no capture, found out without a process: emulation is slow to start one.
daemon_is_alone() { [ "$(< /sys/fs/cgroup/system.slice/eyelid.service/cgroup.procs)" = "$daemon" ]; }
on_demand() {
    local cycle
    daemon=$(main_pid)
    for cycle in $(seq 100); do
        rm -f /tmp/taken.jpg
        if ! { snapshot /tmp/taken.jpg && [ -s /tmp/taken.jpg ] && comes daemon_is_alone; }; then
            echo "in cycle $cycle"
            return 1
        fi
    done
    is_jpeg /tmp/taken.jpg
}
began=$SECONDS
check 'a hundred times on and off' on_demand
echo "   $((SECONDS - began)) s"
systemctl stop eyelid
check 'then the device is free' v4l2-ctl -d "$(node)" --stream-mmap --stream-count=2 --stream-to=/dev/null

echo '-- a camera that makes JPEGs'
if modprobe v4l2loopback 2> /dev/null; then
    # The camera's pictures: one whole, the same without Huffman tables, one cut off.
    begin --kind=pattern --size=320x240
    comes has_picture
    cat $rolling > /tmp/whole.jpg
    end
    python3 - << 'P'
data = open("/tmp/whole.jpg", "rb").read()
at, bare = 2, data[:2]
while data[at + 1] != 0xDA:
    end = at + 2 + int.from_bytes(data[at + 2:at + 4], "big")
    bare += b"" if data[at + 1] == 0xC4 else data[at:end]
    at = end
open("/tmp/bare.jpg", "wb").write(bare + data[at:])
open("/tmp/padded.jpg", "wb").write(data + bytes(1000))
open("/tmp/torn.jpg", "wb").write(data[:-500])
P
    feed() { # feed FILE...
        [ -z "${feeder-}" ] || { kill "$feeder"; wait "$feeder" 2> /dev/null; }
        : > /tmp/feeding
        python3 ./feed.py /dev/video0 320x240 "$@" > /tmp/feeding &
        feeder=$!
        comes test -s /tmp/feeding
    }
    taken() { # taken PICTURE...: what is made of a camera that gives these
        rm -f /tmp/taken.jpg
        feed "$@"
        begin --kind=v4l2 --device=/dev/video0 --size=320x240
        # cp refuses a file that is replaced meanwhile.
        comes has_picture && cat $rolling > /tmp/taken.jpg
        end
    }
    check 'it takes its picture' taken /tmp/whole.jpg
    check 'byte for byte' cmp /tmp/whole.jpg /tmp/taken.jpg
    check 'as MJPG' has_event streaming ".device | test(\"other \\\\(/dev/video0\\\\), MJPG 320x240\")"
    check 'of one with padding' taken /tmp/padded.jpg
    check 'the padding is left out' cmp /tmp/whole.jpg /tmp/taken.jpg
    check 'of one without Huffman tables' taken /tmp/bare.jpg
    check 'they are added, and the data stays as it is' python3 -c '
scan = lambda name: open(name, "rb").read().split(b"\xff\xda", 1)
(head, data), (whole, same) = scan("/tmp/taken.jpg"), scan("/tmp/whole.jpg")
assert data == same and b"\xff\xc4" in head and b"\xff\xc4" not in scan("/tmp/bare.jpg")[0]'
    check 'of whole and broken ones' taken /tmp/torn.jpg /tmp/whole.jpg
    check 'the whole ones are taken' cmp /tmp/whole.jpg /tmp/taken.jpg
    serve device '"/dev/video0"' size '"320x240"'
    check 'in the service too' takes 320x240
    check 'byte for byte' cmp /tmp/whole.jpg /tmp/taken.jpg
    comes no_captures
    kill "$feeder"
    wait "$feeder" 2> /dev/null
else
    echo 'skipped: this guest has no v4l2loopback'
    skipped=$((skipped + 1))
fi

systemctl stop eyelid
counted
