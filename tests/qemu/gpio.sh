#!/bin/bash
# Runs in the guest, as root: switches of the service at GPIO lines and in its runtime folder. The lines are those of
# gpio-sim, the kernel's own chip without hardware. Ends with "N passed, M failed".
# shellcheck source=tests/qemu/checks.sh
. ./checks.sh

install_eyelid || exit 1
state() { curl -sS -f "http://127.0.0.1:3000/api/cameras/$1"; }
state_is() { state "$1" | jq -e "$2" > /dev/null; } # state_is CAMERA JQ-CONDITION
refuses() { ! snapshot /tmp/none.jpg 2> /dev/null; }
serve() { # serve SWITCH...: the service with a camera for each switch, the first one "cam0"
    systemctl stop eyelid
    : > /etc/eyelid/config.toml
    local number=0 switch
    for switch in "$@"; do
        printf '[[camera]]\nname = "cam%s"\nkind = "pattern"\nsize = "320x180"\ninterval = "1s"\nlinger = "0s"\n' $number
        printf 'start_timeout = "60s"\nstall_timeout = "60s"\n[camera.privacy]\nswitch = "%s"\n' "$switch"
        number=$((number + 1))
    done > /etc/eyelid/config.toml
    systemctl start eyelid
}

echo '-- a file in the runtime folder'
serve /run/eyelid/off
check 'a snapshot starts the camera' snapshot /tmp/one.jpg
watch
check 'so does a viewer' comes a_capture
touch /run/eyelid/off
check 'the file is there, and the camera goes off' comes no_captures
check 'and says so' comes state_is cam0 '.blocked.by == "switch" and .state == "idle"'
systemctl restart eyelid
check 'it outlasts a restart' [ -e /run/eyelid/off ]
check 'and is heeded from the beginning' state_is cam0 '.blocked.by == "switch"'
kill -KILL "$(main_pid)"
check 'killed, the service starts again' comes is NRestarts 1
check 'and heeds it' comes state_is cam0 '.blocked.by == "switch"'
check 'no camera is on' no_captures
rm /run/eyelid/off
check 'the file is gone, and the camera is on again' comes a_capture
unwatch
touch /run/eyelid/off
systemctl stop eyelid
check 'a stop leaves nothing of the runtime folder' [ ! -e /run/eyelid ]

echo '-- a line'
if ! modprobe gpio-simulated; then
    echo 'skipped: this guest has no gpio-sim'
    skipped=$((skipped + 1))
    rm -rf /run/systemd/system/eyelid.service.d
    counted
    exit
fi
[ -d /sys/kernel/config/gpio-sim ] || mount -t configfs none /sys/kernel/config
sim=/sys/kernel/config/gpio-sim/eyelid
mkdir -p $sim/bank
echo 8 > $sim/bank/num_lines
echo 1 > $sim/live
name() { cat $sim/bank/chip_name; }
line() { echo "pull-$2" > "/sys/devices/platform/$(cat $sim/dev_name)/$(name)/sim_gpio$1/pull"; } # line NUMBER up|down
chip=$(name)

serve "$chip:3" "$chip:4:low"
check 'a line that Eyelid may not read counts as on' state_is cam0 '.blocked.by == "switch"'
check 'and the page says what to do' state_is cam0 '.hint | test("SupplementaryGroups=gpio")'
check 'so there is no picture' refuses
check 'and no camera is on' no_captures

# What docs/operations.md says; this small system has no groupadd.
echo 'g gpio -' | systemd-sysusers -
echo 'SUBSYSTEM=="gpio", KERNEL=="gpiochip*", GROUP="gpio", MODE="0660"' > /etc/udev/rules.d/60-gpio.rules
udevadm control --reload
udevadm trigger --subsystem-match=gpio
udevadm settle
printf '[Service]\nSupplementaryGroups=gpio\n' > /run/systemd/system/eyelid.service.d/gpio.conf
systemctl daemon-reload
systemctl restart eyelid
check 'the chip is of group gpio' [ "$(stat -c %G "/dev/$chip")" = gpio ]
check 'in that group it may read the line' comes state_is cam0 '.blocked == null'
check 'and the one that is on while low' comes state_is cam1 '.blocked == null'
check 'a snapshot starts the camera' snapshot /tmp/two.jpg
check 'and is a JPEG' is_jpeg /tmp/two.jpg
watch
check 'so does a viewer' comes a_capture
line 3 up
check 'the line is high, and the camera goes off' comes no_captures
check 'and says so' comes state_is cam0 '.blocked.by == "switch" and .state == "idle" and (.reason | test("^switched off by gpiochip"))'
check 'the other camera is not concerned' state_is cam1 '.blocked == null'
check 'there is no picture' refuses
line 3 down
check 'the line is low, and the camera is on again' comes a_capture
line 4 down
check 'the other line is low, and its camera may not run' comes state_is cam1 '.blocked.by == "switch"'
line 4 up
check 'it is high, and the camera may' comes state_is cam1 '.blocked == null'
flicker() {
    for _ in $(seq 50); do
        line 3 up
        line 3 down
    done
    line 3 up
}
flicker
check 'of a line that flickers the last counts' comes state_is cam0 '.blocked.by == "switch"'
check 'and the camera is off' comes no_captures
line 3 down
check 'or on' comes a_capture
echo 0 > $sim/live
check 'the chip is gone, and the camera goes off' comes no_captures
check 'and says so' comes state_is cam0 '.blocked.by == "switch" and (.reason | test("the camera stays off"))'
echo 1 > $sim/live
if [ "$(name)" = "$chip" ]; then
    check 'it is there again, and so is the camera' comes a_capture
fi
unwatch

systemctl stop eyelid
rm -rf /run/systemd/system/eyelid.service.d
systemctl daemon-reload
counted
