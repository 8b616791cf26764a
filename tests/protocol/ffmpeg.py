"""ffmpeg reads the MJPEG stream."""

import subprocess

from harness import ADDRESS, run

COUNT = 100
PATIENCE = 300


def read(path, size, *options):
    """Reads pictures to the last, decoded, with the digest of each."""
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-f", "mpjpeg", *options, "-i", ADDRESS + path]
    command += ["-frames:v", str(COUNT), "-fps_mode", "passthrough", "-pix_fmt", "gray", "-f", "framemd5", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0 and not done.stderr, (done.returncode, done.stderr)
    lines = done.stdout.splitlines()
    # A picture a line: stream, dts, pts, duration, bytes, digest.
    pictures = [line.split(",") for line in lines if not line.startswith("#")]
    assert len(pictures) == COUNT, f"{len(pictures)} pictures"
    width, height = size
    assert any(line.split() == ["#dimensions", "0:", f"{width}x{height}"] for line in lines), lines[:8]
    assert all(int(picture[4]) == width * height for picture in pictures), pictures
    # A picture is sent again when no new one comes for 5 s.
    assert len({picture[5] for picture in pictures}) > COUNT / 2, "the pictures are the same"


run("ffmpeg", {
    f"reads {COUNT} pictures": lambda: read("/stream.mjpg", (320, 240)),
    "keeps to the boundary that it is told": lambda: read("/stream.mjpg", (320, 240), "-strict_mime_boundary", "1"),
    "reads another camera at mjpg-streamer's address": lambda: read("/?action=stream_1", (160, 120)),
})
