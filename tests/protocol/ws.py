"""Python's WebSocket client on the binary WebSocket."""

import json
import threading

from websockets.sync.client import connect

from harness import ADDRESS, DEADLINE, ask, run, size, watched


class Viewer:
    """A connection, and what it was told beside pictures."""

    def __init__(self, path):
        self.connection = connect(ADDRESS.replace("http", "ws", 1) + path, open_timeout=DEADLINE, compression=None)
        self.told = []

    def __enter__(self):
        self.socket = self.connection.__enter__()
        return self

    def __exit__(self, *gone):
        return self.connection.__exit__(*gone)

    def say(self, **wishes):
        self.socket.send(json.dumps(wishes))

    def next(self):
        """The next message: bytes, or an object."""
        message = self.socket.recv(timeout=DEADLINE)
        if isinstance(message, bytes):
            return message
        self.told.append(json.loads(message))
        return self.told[-1]

    def picture(self):
        while not isinstance(message := self.next(), bytes):
            pass
        return message

    def event(self, name, fits=lambda told: True):
        while isinstance(message := self.next(), bytes) or message["event"] != name or not fits(message):
            pass
        return message


def watches():
    with Viewer("/ws") as viewer:
        first = viewer.next()
        assert first["event"] == "state" and first["state"]["camera"] == "tank", first
        viewer.event("state", lambda told: told["state"]["state"] == "live")
        pictures = [viewer.picture() for _ in range(50)]
        assert {size(picture) for picture in pictures} == {(320, 240)}
        assert len(set(pictures)) == 50, "each picture is sent once"
        watched("tank")
    with Viewer("/cameras/pond/ws") as viewer:
        assert size(viewer.picture()) == (160, 120)


def is_told_the_times():
    with Viewer("/ws?times=true") as viewer:
        ids = []
        for _ in range(20):
            size(viewer.picture())
            told = viewer.told[-1]
            assert told["event"] == "picture" and abs(told["id"] / 1000 - told["taken_ms"]) < 1, told
            ids.append(told["id"])
        assert ids == sorted(set(ids)), ids


def sets_the_pace():
    with Viewer("/ws?ready=true&times=true") as viewer, Viewer("/ws") as other:
        last = 0
        for _ in range(10):
            viewer.picture()
            assert viewer.told[-1]["id"] > last
            last = viewer.told[-1]["id"]
            # While others get pictures, this one gets none: the answer to a question comes first.
            for _ in range(5):
                other.picture()
            viewer.say(question=1)
            while (message := viewer.next())["event"] != "error":
                assert message["event"] == "state", message
            viewer.say(ready=True)


def takes_fewer_a_second():
    with Viewer("/ws") as viewer, Viewer("/ws") as other:
        viewer.say(max_fps=0.5)
        # What comes behind the answer to this is sent at that rate.
        viewer.say(question=1)
        viewer.event("error")
        count = 0
        enough = threading.Event()

        def watch():
            nonlocal count
            while not enough.is_set():
                other.picture()
                count += 1

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            viewer.picture()
            before = count
            for _ in range(4):
                viewer.picture()
            seen = count - before
        finally:
            enough.set()
            thread.join()
        assert seen > 8, f"the other one got {seen} pictures, this one 4"


def is_told_what_is_wrong():
    with Viewer("/ws") as viewer:
        for wrong in ({"max_fps": 1000}, {"ready": False}, {"speed": 1}):
            viewer.say(**wrong)
            assert "0.1 to 60" in viewer.event("error")["hint"]
        viewer.picture()


def sees_without_being_a_viewer():
    with Viewer("/ws?lease=false") as page:
        assert page.next()["state"]["state"] == "idle"
        with Viewer("/ws") as viewer:
            size(viewer.picture())
            size(page.picture())
            watched("tank")
        page.event("state", lambda told: told["state"]["state"] == "idle")
        assert ask("/api/cameras/tank")["viewers"] == 0


run("websockets", {
    "watches": watches,
    "is told the times": is_told_the_times,
    "sets the pace": sets_the_pace,
    "takes fewer a second": takes_fewer_a_second,
    "is told what is wrong": is_told_what_is_wrong,
    "sees without being a viewer": sees_without_being_a_viewer,
})
