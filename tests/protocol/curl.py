"""curl, and what programs do that are hardly more than it."""

import json
import re
import subprocess
import time

from harness import ADDRESS, ask, off, run, size, watched

PATIENCE = 120


class Answer:
    """What curl got."""

    def __init__(self, path, *options):
        command = ["curl", "-sS", "-i", "--max-time", str(PATIENCE), *options, ADDRESS + path]
        done = subprocess.run(command, capture_output=True, check=True)
        head, self.body = done.stdout.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


class Stream:
    """A curl that reads a stream, and is ended in the middle of it."""

    def __init__(self, path):
        command = ["curl", "-sS", "-N", "--max-time", str(PATIENCE), ADDRESS + path]
        self.curl = subprocess.Popen(command, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.curl.kill()
        self.curl.wait()
        self.curl.stdout.close()

    def part(self):
        """The next part: its headers and its picture."""
        line = self.curl.stdout.readline()
        while line == b"\r\n":
            line = self.curl.stdout.readline()
        assert line.startswith(b"--"), line
        headers = {}
        while (line := self.curl.stdout.readline()) != b"\r\n":
            name, value = line.decode().rstrip("\r\n").split(": ", 1)
            headers[name.lower()] = value
        return headers, self.curl.stdout.read(int(headers["content-length"]))


def takes_a_picture(path, expected):
    answer = Answer(path)
    assert answer.status == 200 and answer.headers["content-type"] == "image/jpeg", answer.headers
    assert size(answer.body) == expected, size(answer.body)
    assert re.fullmatch(r"\d+\.\d{6}", answer.headers["x-timestamp"]), answer.headers
    assert abs(float(answer.headers["x-timestamp"]) - time.time()) < 3600
    assert "GMT" in answer.headers["last-modified"], answer.headers


def is_spared_a_picture_that_it_has():
    with Stream("/cameras/still/stream.mjpg") as stream:
        _, picture = stream.part()
        watched("still")
        for path in ("/cameras/still/snapshot.jpg", "/cameras/still/image_stream.jpg"):
            first = Answer(path)
            assert first.body == picture, "an hour has not passed"
            again = Answer(path, "-H", f"If-None-Match: {first.headers['etag']}")
            assert (again.status, again.body) == (304, b""), again.headers
            other = Answer(path, "-H", 'If-None-Match: "another"')
            assert (other.status, other.body) == (200, first.body), other.headers


def takes_a_smaller_picture():
    for width, expected in ((160, (160, 120)), (64, (64, 48))):
        answer = Answer(f"/snapshot.jpg?width={width}")
        assert answer.status == 200 and size(answer.body) == expected, (answer.headers, size(answer.body))
    answer = Answer("/snapshot.jpg?width=x")
    assert answer.status == 400 and "width" in json.loads(answer.body)["hint"], answer.body


def takes_a_picture_from_memory():
    first = Answer("/cameras/still/snapshot.jpg")
    off()
    again = Answer("/cameras/still/snapshot.jpg?max_age=1h")
    assert (again.status, again.body) == (200, first.body), again.headers
    assert ask("/api/cameras/still")["state"] == "idle", "it is not started for that"
    answer = Answer("/snapshot.jpg?max_age=soon")
    assert answer.status == 400 and "max_age" in json.loads(answer.body)["hint"], answer.body


def reads_a_stream(path, expected):
    with Stream(path) as stream:
        times = []
        for _ in range(2):
            headers, picture = stream.part()
            assert headers["content-type"] == "image/jpeg", headers
            assert size(picture) == expected, size(picture)
            times.append(headers["x-timestamp"])
        assert times == sorted(times), times


def does_no_harm_to_the_websocket():
    started = ask("/api/status")["uptime_s"]
    for _ in range(10):
        answer = Answer("/ws")
        assert answer.status == 426 and json.loads(answer.body)["hint"], answer.body
    # An opening, and then nothing that a WebSocket would say.
    opening = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    opening += ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
    for path in ("/ws", "/cameras/pond/ws"):
        command = ["curl", "-sS", "-N", "--http1.1", "--max-time", str(PATIENCE), ADDRESS + path]
        command += [option for header in opening for option in ("-H", header)]
        curl = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert curl.stdout.read(1), "not a byte"
        curl.kill()
        curl.wait()
        curl.stdout.close()
    assert ask("/api/status")["uptime_s"] >= started, "it is the same daemon"


run("curl", {
    "takes a picture": lambda: takes_a_picture("/snapshot.jpg", (320, 240)),
    "takes a picture of another camera": lambda: takes_a_picture("/cameras/pond/snapshot.jpg", (160, 120)),
    "takes a picture at mjpg-streamer's address": lambda: takes_a_picture("/?action=snapshot", (320, 240)),
    "takes a picture at µStreamer's address": lambda: takes_a_picture("/snapshot", (320, 240)),
    "takes a smaller picture": takes_a_smaller_picture,
    "takes a picture from memory": takes_a_picture_from_memory,
    "is spared a picture that it has": is_spared_a_picture_that_it_has,
    "reads a stream": lambda: reads_a_stream("/stream.mjpg", (320, 240)),
    "reads a stream at mjpg-streamer's address": lambda: reads_a_stream("/?action=stream", (320, 240)),
    "reads a stream at µStreamer's address": lambda: reads_a_stream("/stream", (320, 240)),
    "does no harm to the WebSocket": does_no_harm_to_the_websocket,
})
