#!/usr/bin/env python3
"""feed.py DEVICE WIDTHxHEIGHT JPEG...: is the camera behind a v4l2loopback device, one that makes JPEGs: gives the files
in turn, ten a second, until it is ended."""

import fcntl
import os
import struct
import sys
import time

VIDIOC_S_FMT = 0xC0D05605
VIDEO_OUTPUT = 2
FIELD_NONE = 1
COLORSPACE_JPEG = 7

device, size, *names = sys.argv[1:]
width, height = map(int, size.split("x"))
pictures = [open(name, "rb").read() for name in names]
largest = 2 * max(map(len, pictures)) + 65536
pix = struct.pack("=8I", width, height, int.from_bytes(b"MJPG", "little"), FIELD_NONE, 0, largest, COLORSPACE_JPEG, 0)
output = os.open(device, os.O_RDWR)
fcntl.ioctl(output, VIDIOC_S_FMT, bytearray(struct.pack("=II", VIDEO_OUTPUT, 0) + pix.ljust(200, b"\0")))
print("feeding", flush=True)
while True:
    for picture in pictures:
        os.write(output, picture)
        time.sleep(0.1)
