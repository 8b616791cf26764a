#!/bin/bash
# Runs in the guest, as root, as its run.sh: does what is asked from outside. NAME.ask is a script; what it prints goes to NAME.said,
# and then its exit code to NAME.code. Ends with the machine.
cd /test || exit 1
while :; do
    for ask in *.ask; do
        name=${ask%.ask}
        if [ ! -e "$ask" ] || [ -e "$name.begun" ]; then
            continue
        fi
        touch "$name.begun"
        (cd / && bash "/test/$ask" > "/test/$name.said" 2>&1)
        echo $? > "$name.part"
        mv "$name.part" "$name.code"
    done
    sleep 0.2
done
