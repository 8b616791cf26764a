"""OpenCV reads the MJPEG stream, as programs that count cars and fish do."""

import cv2

from harness import ADDRESS, run, watched

COUNT = 100


def read(path, size):
    capture = cv2.VideoCapture(ADDRESS + path)
    try:
        assert capture.isOpened(), f"{path} can't be opened"
        pictures = set()
        for number in range(COUNT):
            read, picture = capture.read()
            assert read, f"no picture {number}"
            height, width, _ = picture.shape
            assert (width, height) == size, picture.shape
            pictures.add(picture.tobytes())
        # A picture is sent again when no new one comes for 5 s.
        assert len(pictures) > COUNT / 2, f"{len(pictures)} different pictures"
        watched("tank" if path == "/stream.mjpg" else "pond")
    finally:
        capture.release()


run("OpenCV", {
    f"reads {COUNT} pictures": lambda: read("/stream.mjpg", (320, 240)),
    "reads another camera": lambda: read("/cameras/pond/stream.mjpg", (160, 120)),
})
