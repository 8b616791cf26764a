#!/bin/sh
# Builds the shims beside this with compiler $1 to where LD_PRELOAD='/opt/eyelid/$LIB/NAME.so' finds them.
set -eu
folder=/opt/eyelid/lib/$("$1" -dumpmachine)
mkdir -p "$folder"
for source in "$(dirname "$0")"/*.c; do
    "$1" -shared -fPIC -O2 -Wall -Werror -o "$folder/$(basename "$source" .c).so" "$source"
done
