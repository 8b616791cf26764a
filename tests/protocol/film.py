"""Frames of real films, played by kind `replay`: FILM.py http://ADDRESS:PORT FOLDER

FOLDER has `frames/` with JPEGs, which the camera frames plays, and `film.mjpg`, which the camera film plays with a mask on
the left half of the upright picture, after a turn by 90 degrees clockwise.
"""

import pathlib
import sys
import time
import urllib.request

import cv2
import numpy

from harness import ADDRESS, DEADLINE, run

FOLDER = pathlib.Path(sys.argv[2])


def decoded(jpeg):
    return cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), cv2.IMREAD_COLOR)


def jpegs(film):
    """The JPEGs that stand one after another, as ffmpeg writes them: without thumbnails."""
    return [b"\xff\xd8\xff" + rest for rest in film.split(b"\xff\xd8\xff")[1:]]


def pictures(path):
    """The pictures of a stream, for a while."""
    with urllib.request.urlopen(ADDRESS + path, timeout=DEADLINE) as stream:
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            length = None
            while (line := stream.readline().strip()) or length is None:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            yield stream.read(length)


def frames():
    names = [path.name for path in (FOLDER / "frames").iterdir()]
    originals = {name: decoded((FOLDER / "frames" / name).read_bytes()) for name in names}
    assert len(originals) >= 12, originals.keys()
    missing = set(originals)
    for jpeg in pictures("/cameras/frames/stream.mjpg"):
        # ffmpeg signs what it encodes.
        assert b"Lavc" not in jpeg, "a comment is left"
        shown = decoded(jpeg)
        same = {name for name, original in originals.items() if numpy.array_equal(original, shown)}
        assert same, "it is none of the frames"
        missing -= same
        if not missing:
            return
    raise AssertionError(f"never shown: {missing}")


def film():
    originals = [cv2.rotate(decoded(jpeg), cv2.ROTATE_90_CLOCKWISE) for jpeg in jpegs((FOLDER / "film.mjpg").read_bytes())]
    height, width, _ = originals[0].shape
    half = width // 2
    seen = set()
    for jpeg in pictures("/cameras/film/stream.mjpg"):
        shown = decoded(jpeg)
        assert shown.shape == originals[0].shape, shown.shape
        # Encoding smears over its blocks only, and beside the edge of a mask there may be a little light.
        assert shown[:, : half - 16].max() <= 8, "it shows what is hidden"
        right = shown[:, half + 16 :].astype(int)
        off = [numpy.abs(right - original[:, half + 16 :]).mean() for original in originals]
        best = int(numpy.argmin(off))
        assert off[best] < 6, f"it is none of the film's pictures: {min(off)}"
        seen.add(best)
        if len(seen) >= 10:
            return
    raise AssertionError(f"only {len(seen)} different pictures")


run("film", {
    "a folder of frames is played as it is, but for its metadata": frames,
    "a film is turned and masked": film,
})
