"""Python's Socket.IO client."""

import threading
import time
import urllib.request

import socketio

from harness import ADDRESS, DEADLINE, run


class Client:
    """What a client has been told."""

    def __init__(self, namespace="/"):
        self.namespace = namespace
        self.io = socketio.Client(reconnection=False)
        self.changed = threading.Condition()
        self.pictures = []
        self.states = []
        self.io.on("liveStream", lambda url: self.add(self.pictures, url), namespace=namespace)
        self.io.on("state", lambda state: self.add(self.states, state), namespace=namespace)

    def add(self, to, what):
        with self.changed:
            to.append(what)
            self.changed.notify_all()

    def connect(self, transports, auth=None):
        self.io.connect(ADDRESS, transports=transports, namespaces=[self.namespace], auth=auth, wait_timeout=DEADLINE)

    def until(self, what, is_true):
        with self.changed:
            assert self.changed.wait_for(is_true, DEADLINE), f"not within {DEADLINE} s: {what}"

    def until_state(self, state):
        self.until(f"the state {state}", lambda: any(told["state"] == state for told in self.states))

    def ask(self, event):
        return self.io.call(event, namespace=self.namespace, timeout=DEADLINE)


def fetch(url):
    with urllib.request.urlopen(ADDRESS + url, timeout=DEADLINE) as answer:
        assert answer.headers["Content-Type"] == "image/jpeg", answer.headers
        picture = answer.read()
    assert picture.startswith(b"\xff\xd8\xff") and picture.endswith(b"\xff\xd9"), url


def watch(client, camera, page):
    """Watches from start to stop."""
    client.until("a state", lambda: client.states)
    assert client.states[0]["camera"] == camera, client.states
    client.states.clear()
    assert not client.pictures
    started = client.ask("start-stream")
    assert started["ok"] is True and started["state"]["camera"] == camera, started
    client.until("five pictures", lambda: len(client.pictures) >= 5)
    client.until_state("live")
    urls = client.pictures[-5:]
    assert urls == sorted(set(urls)) and all(url.startswith("image_stream.jpg?_t=") for url in urls), urls
    for url in urls:
        fetch(page + url)
    client.states.clear()
    assert client.ask("stop-stream")["ok"] is True
    client.until_state("idle")
    client.pictures.clear()
    assert abs(client.ask("clock")["now"] / 1000 - time.time()) < 60
    assert not client.pictures, "pictures after it has asked for no more"


def over(transports, ends):
    def run():
        client = Client()
        try:
            client.connect(transports)
            watch(client, "tank", "/")
            assert client.io.transport() == ends, client.io.transport()
        finally:
            client.io.disconnect()

    return run


def another_camera():
    client = Client("/pond")
    try:
        client.connect(None)
        watch(client, "pond", "/cameras/pond/")
    finally:
        client.io.disconnect()


def an_observer():
    observer, viewer = Client(), Client()
    try:
        observer.connect(None, auth={"watch": False})
        viewer.connect(None)
        viewer.ask("start-stream")
        viewer.until("a picture", lambda: viewer.pictures)
        observer.until_state("live")
        observer.ask("clock")
        assert not observer.pictures and observer.states[-1]["viewers"] == 1, observer.states[-1]
    finally:
        viewer.io.disconnect()
        observer.states.clear()
        observer.until_state("idle")
        observer.io.disconnect()


def no_such_camera():
    client = Client("/lake")
    try:
        client.connect(None)
    except socketio.exceptions.ConnectionError:
        return
    finally:
        client.io.disconnect()
    raise AssertionError("it was let in")


run("python-socketio", {
    "watches over polling": over(["polling"], "polling"),
    "watches over websocket": over(["websocket"], "websocket"),
    "watches over polling, then an upgrade": over(None, "websocket"),
    "watches another camera in its namespace": another_camera,
    "is told states as an observer, and gets no pictures": an_observer,
    "is told when there is no such camera": no_such_camera,
})
