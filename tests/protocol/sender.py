"""Cameras that send their pictures: the sketch of docs/esp32, compiled for this machine with stand-ins for Arduino's
libraries, and the bytes of the sketch of old.
"""

import hashlib
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from urllib.parse import urlparse

from harness import ADDRESS, ask, run, until

FOLDER = sys.argv[2]
HOST, PORT = urlparse(ADDRESS).hostname, urlparse(ADDRESS).port
TOKEN = "a token for tests"
with open(f"{FOLDER}/frames/1.jpg", "rb") as frame:
    PICTURE = frame.read()


def of_old(body, token=TOKEN):
    """Sends what the sketch of old sends, all of it before it listens, and gives all that comes back."""
    head = "--LMR\r\nContent-Disposition: form-data; name=\"img\"; filename=\"esp32-cam.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"
    tail = "\r\n--LMR--\r\n"
    with socket.create_connection((HOST, PORT), timeout=60) as line:
        line.sendall(
            f"POST /upload HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Length: {len(head) + len(body) + len(tail)}\r\n"
            "Content-Type: multipart/form-data; boundary=LMR\r\nConnection: close\r\n\r\n".encode()
        )
        line.sendall(head.encode())
        for at in range(0, len(body), 1024):
            line.sendall(body[at : at + 1024])
        line.sendall(tail.encode())
        answer = b""
        while piece := line.recv(4096):
            answer += piece
    head, body = answer.decode().split("\r\n\r\n", 1)
    first, *lines = head.split("\r\n")
    return int(first.split()[1]), {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}, body


def the_sketch_of_old_is_understood():
    status, headers, body = of_old(PICTURE)
    assert (status, body) == (200, "Success"), (status, body)
    assert (headers["x-viewers"], headers["retry-after"], headers["x-next-ms"]) == ("0", "2", "2000"), headers
    status, _, body = of_old(PICTURE, "another")
    assert status == 401 and body.count("\n") == 1 and "token" in body, (status, body)
    status, _, body = of_old(PICTURE[:-100])
    assert status == 422 and "cut off" in body, (status, body)


def snapshot(picture):
    """A viewer who waits for one picture."""
    with urllib.request.urlopen(f"{ADDRESS}/cameras/gate/snapshot.jpg", timeout=60) as answer:
        picture.append(answer.read())


def a_picture_of_the_sketch_of_old_gets_to_a_viewer():
    seen = []
    viewer = threading.Thread(target=snapshot, args=[seen], daemon=True)
    viewer.start()
    until("a viewer that the sender is told of", lambda: of_old(PICTURE)[1]["x-viewers"] == "1" or seen)
    until("the snapshot", lambda: of_old(PICTURE) and seen)
    assert seen[0].endswith(b"\xff\xd9") and len(seen[0]) > len(PICTURE) // 2, len(seen[0])


class Sketch:
    """The sketch of docs/esp32, running."""

    def __init__(self, token=TOKEN):
        program = f"{FOLDER}/sketch"
        if not os.path.exists(program):
            here = os.path.dirname(os.path.abspath(__file__))
            options = ["-std=c++17", "-Wall", "-Wextra", "-Werror", f"-I{here}/arduino", f"{here}/arduino/main.cpp"]
            subprocess.run(["c++", *options, "-o", program], check=True)
        settings = {"SERVER": HOST, "PORT": str(PORT), "UPLOAD": "/cameras/gate/upload", "TOKEN": token}
        self.said = []
        self.process = subprocess.Popen(
            [program], env={**os.environ, **settings, "PICTURE": f"{FOLDER}/frames/1.jpg"}, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=lambda: self.said.extend(iter(self.process.stdout.readline, "")), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def says(self, text, after=0):
        until(f"the line {text!r} of {self.said}", lambda: any(text in line for line in self.said[after:]))


def our_sketch_sleeps_and_wakes_with_those_who_watch():
    with Sketch() as sketch:
        sketch.says("0 watch, the next picture in 2000 ms")
        sketch.says("asleep")
        assert not any("camera on" in line for line in sketch.said), sketch.said
        seen = []
        snapshot(seen)
        assert hashlib.sha256(seen[0]).digest() == hashlib.sha256(clean()).digest(), "another picture"
        sketch.says("camera on")
        sketch.says("camera off")
        until("the camera off", lambda: ask("/api/cameras/gate")["state"] == "idle")
        sketch.says("asleep", after=max(n for n, line in enumerate(sketch.said) if "camera off" in line))


def clean():
    """The picture as the daemon passes it on when it does nothing to it: without comments."""
    out, at = PICTURE[:2], 2
    while PICTURE[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(PICTURE[at + 2 : at + 4], "big")
        if PICTURE[at + 1] != 0xFE:
            out += PICTURE[at:end]
        at = end
    return out + PICTURE[at:]


def our_sketch_prints_why_it_is_refused():
    with Sketch("another") as sketch:
        sketch.says("401: the token is missing or wrong")


run("sender", {
    "of old is understood": the_sketch_of_old_is_understood,
    "of old gets a picture to a viewer": a_picture_of_the_sketch_of_old_gets_to_a_viewer,
    "of ours sleeps and wakes with those who watch": our_sketch_sleeps_and_wakes_with_those_who_watch,
    "of ours prints why it is refused": our_sketch_prints_why_it_is_refused,
})
