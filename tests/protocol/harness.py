"""What the tests of each client have in common. Each is a program: CLIENT.py http://ADDRESS:PORT

The daemon has the cameras tank (the first, 320x240), pond (160x120) and still (320x240, a picture an hour).
"""

import json
import sys
import time
import traceback
import urllib.request

import cv2
import numpy

ADDRESS = sys.argv[1]
DEADLINE = 60
# What the harness's own requests carry.
HEADERS = {}


def ask(path):
    """The JSON at a path."""
    request = urllib.request.Request(ADDRESS + path, headers=HEADERS)
    with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
        return json.load(answer)


def until(what, check):
    """Waits until `check` returns something true, and returns that."""
    deadline = time.monotonic() + DEADLINE
    while True:
        if found := check():
            return found
        assert time.monotonic() < deadline, f"not within {DEADLINE} s: {what}"
        time.sleep(0.02)


def off():
    """Waits until all cameras are off: each client's leaving ends its lease."""
    until("all cameras off", lambda: all(camera["state"] == "idle" for camera in ask("/api/cameras")["cameras"]))


def watched(camera, viewers=1):
    """Waits until a camera is live, with so many viewers."""

    def check():
        state = ask(f"/api/cameras/{camera}")
        return state["state"] == "live" and state["viewers"] == viewers

    until(f"{camera} live with {viewers} viewers", check)


def size(jpeg):
    """Width and height of a picture, which must be a whole JPEG that can be decoded."""
    assert jpeg.startswith(b"\xff\xd8\xff") and jpeg.endswith(b"\xff\xd9"), (jpeg[:4], jpeg[-4:], len(jpeg))
    picture = cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), cv2.IMREAD_COLOR)
    assert picture is not None, f"{len(jpeg)} bytes that are no picture"
    height, width, _ = picture.shape
    return width, height


def run(client, tests):
    """Runs the tests by their names, each from a daemon whose cameras are off to one whose cameras are off."""
    for name, test in tests.items():
        try:
            test()
            off()
            print(f"ok {client} {name}", flush=True)
        except Exception:  # whatever a client may throw is a failure of this test alone
            print(f"not ok {client} {name}: {traceback.format_exc()}", flush=True)
