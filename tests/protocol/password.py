"""Programs that know nothing but Basic authentication, with an app password.

The last of all: from here on the daemon asks for a password.
"""

import base64
import json
import subprocess
import sys

from harness import ADDRESS, HEADERS, run, size, watched

COUNT = 20
PATIENCE = 300
SOCKET = sys.argv[2] + "/eyelid/eyelid.sock"


def owner(method, path, body=None):
    """What the daemon answers to its owner, over the local socket."""
    command = ["curl", "-sS", "--fail-with-body", "--unix-socket", SOCKET, "-X", method, "http://localhost" + path]
    if body is not None:
        command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def app(name):
    """A new app password, and its id."""
    made = owner("POST", "/api/apps", {"name": name})
    return made["password"], made["id"]


def curl(*options):
    """Status, head and body of what curl gets for a picture."""
    command = ["curl", "-sS", "-i", "--max-time", str(PATIENCE), *options, ADDRESS + "/snapshot.jpg"]
    done = subprocess.run(command, capture_output=True, check=True)
    head, body = done.stdout.split(b"\r\n\r\n", 1)
    return int(head.split()[1]), head.decode().lower(), body


def takes_a_picture(password):
    status, head, _ = curl()
    assert status == 401 and "www-authenticate: basic " in head, head
    for credential in ("curl:" + password, "any name:" + password):
        status, head, body = curl("-u", credential)
        assert status == 200 and size(body) == (320, 240), head
        assert "cache-control: no-store" in head, head
    status, head, _ = curl("-u", "curl:wrong")
    assert status == 401, head


def ffmpeg(password, *options):
    """An ffmpeg that reads the stream."""
    address = ADDRESS.replace("://", f"://ffmpeg:{password}@") + "/stream.mjpg"
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-i", address, *options, "-f", "framemd5", "-"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def reads_pictures(password):
    lines, errors = ffmpeg(password, "-frames:v", str(COUNT)).communicate(timeout=PATIENCE)
    pictures = [line for line in lines.splitlines() if not line.startswith("#")]
    assert len(pictures) == COUNT, (lines, errors)


def is_refused():
    reader = ffmpeg("wrong", "-frames:v", "1")
    _, errors = reader.communicate(timeout=PATIENCE)
    assert reader.returncode != 0 and "401" in errors, (reader.returncode, errors)


def loses_the_stream():
    password, name = app("for a moment")
    reader = ffmpeg(password)
    watched("tank")
    owner("DELETE", f"/api/apps/{name}")
    reader.communicate(timeout=PATIENCE)
    status, head, _ = curl("-u", "curl:" + password)
    assert status == 401, head


code = owner("GET", "/api/setup")["links"][0].split("#")[1]
owner("POST", "/api/setup", {"code": code, "password": "seaweed and snails"})
PASSWORD, _ = app("programs")
HEADERS["Authorization"] = "Basic " + base64.b64encode(f"harness:{PASSWORD}".encode()).decode()

run("curl", {"takes a picture with an app password, and none without": lambda: takes_a_picture(PASSWORD)})
run("ffmpeg", {
    f"reads {COUNT} pictures with an app password": lambda: reads_pictures(PASSWORD),
    "is refused with another": is_refused,
    "loses the stream when its password is revoked": loses_the_stream,
})
