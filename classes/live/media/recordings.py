"""Janus's raw recordings (`.mjr`, one per stream and segment) made into files that browsers play and seek
in.
"""

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# Janus names a file room, feed, microseconds, kind, number; one not closed, or never closed, ends in .tmp.
_NAME = re.compile(r"videoroom-.+-user-(?P<feed>.+)-(?P<us>\d{13,})-(?P<kind>audio|video)-\d+\.mjr(\.tmp)?")
_MAGIC = b"MJR00002"
_RAW = {"vp8": "webm", "vp9": "webm", "h264": "mp4", "opus": "opus"}
# The streams of one segment begin within milliseconds of each other; the next segment of a feed much later.
_SAME_SEGMENT = 2_000_000  # microseconds
TOOL_TIMEOUT = 600  # seconds


@dataclass(frozen=True)
class Stream:
    """One raw file: picture or sound of one segment."""

    path: Path
    codec: str
    first_frame: int  # microseconds since the epoch


@dataclass(frozen=True)
class Segment:
    """What one publisher sent without a break: a picture, a sound, or both."""

    feed: str
    video: Stream | None
    audio: Stream | None

    @property
    def streams(self) -> list[Stream]:
        return [stream for stream in (self.video, self.audio) if stream]

    @property
    def first_frame(self) -> int:
        return min(stream.first_frame for stream in self.streams)

    @property
    def started_at(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.first_frame)

    @property
    def filename(self) -> str:
        suffix = "mp4" if self.video and self.video.codec == "h264" else "webm"
        return f"{self.feed}-{self.first_frame}.{suffix}"


def segments(folder: Path) -> list[Segment]:
    """The segments whose raw files lie in a folder, oldest first. A file without a single frame is left
    out.
    """
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.mjr")) + sorted(folder.glob("*.mjr.tmp")):
        match = _NAME.fullmatch(path.name)
        header = _header(path)
        if not match or header is None or header.get("c") not in _RAW:
            continue
        opened, kind = int(match["us"]), match["kind"]
        for one in found:
            near = abs(one["opened"] - opened) < _SAME_SEGMENT
            if one["feed"] == match["feed"] and near and kind not in one:
                break
        else:
            one = {"feed": match["feed"], "opened": opened}
            found.append(one)
        one[kind] = Stream(path, header["c"], header["u"])
    return sorted(
        (Segment(one["feed"], one.get("video"), one.get("audio")) for one in found),
        key=lambda segment: segment.first_frame,
    )


def are_written(folder: Path) -> bool:
    """Whether Janus has finished with every file of a folder."""
    return not any(folder.glob("*.mjr.tmp"))


def _header(path: Path) -> dict[str, Any] | None:
    """A raw file's own description: codec `c`, first frame `u` in microseconds; None where there is none."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            return None
        length = int.from_bytes(file.read(2), "big")
        try:
            header = json.loads(file.read(length))
        except ValueError:
            return None
    return header if isinstance(header, dict) and isinstance(header.get("u"), int) else None


def convert(segment: Segment, target: Path) -> None:
    """Write one playable file: streams unpacked, aligned by their first frames, copied without re-
    encoding.
    """
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        inputs: list[str] = []
        maps: list[str] = []
        for number, stream in enumerate(segment.streams):
            raw = Path(scratch) / f"{number}.{_RAW[stream.codec]}"
            source = Path(scratch) / f"{number}.mjr"  # the tool insists on the name's ending
            source.symlink_to(stream.path.resolve())
            _run("janus-pp-rec", str(source), str(raw))
            offset = (stream.first_frame - segment.first_frame) / 1_000_000
            inputs += ["-itsoffset", f"{offset:.3f}", "-i", str(raw)]
            maps += ["-map", str(number)]
        # The index at the front lets a browser seek before it has the whole file.
        front = ["-movflags", "+faststart"] if target.suffix == ".mp4" else ["-cues_to_front", "1"]
        _run("ffmpeg", "-v", "error", "-y", *inputs, *maps, "-c", "copy", *front, str(target))


def duration_ms(path: Path) -> int:
    """How long a file plays, in milliseconds, as ffprobe reads it."""
    said = _run("ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path))
    return round(float(said.strip()) * 1000)


def _run(*command: str) -> str:
    """Run a tool; raises subprocess.CalledProcessError, TimeoutExpired or FileNotFoundError."""
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=TOOL_TIMEOUT)
    return done.stdout
