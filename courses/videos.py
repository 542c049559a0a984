"""A video for watching on demand: judged by ffprobe when it arrives, so that every phone plays it."""

import json
import subprocess
from pathlib import Path
from typing import Any

from policy.messages import gettext_noop
from policy.refusals import Refusal

MOST_BYTES = 2 * 1024 * 1024 * 1024
LONGEST_MS = 4 * 3600 * 1000
MOST_CAPTION_BYTES = 1024 * 1024
TOOL_TIMEOUT = 60  # seconds


def duration_ms(path: Path) -> int:
    """How long an MP4 with H.264 pictures (and AAC sound, if any) plays, in milliseconds.

    Raises Refusal `video_not_mp4`, `video_codec`, `video_too_long` (all 400).
    """
    probed = _probe(path)
    streams = probed.get("streams", [])
    pictures = [one.get("codec_name") for one in streams if one.get("codec_type") == "video"]
    sounds = [one.get("codec_name") for one in streams if one.get("codec_type") == "audio"]
    try:
        length = round(float(probed["format"]["duration"]) * 1000)
    except (KeyError, ValueError):
        raise _not_mp4() from None
    if not pictures or length <= 0:
        raise _not_mp4()
    if set(pictures) != {"h264"} or not set(sounds) <= {"aac"}:
        raise Refusal(
            "video_codec",
            gettext_noop("视频是 %(found)s，有的手机放不了。要 H.264 画面、AAC 声音。"),
            found=[*pictures, *sounds],
            required=["h264", "aac"],
            params={"found": [*pictures, *sounds]},
            next_step=gettext_noop("请在剪辑软件里导出为 MP4（H.264、AAC），再传一次。"),
            status=400,
        )
    if length > LONGEST_MS:
        raise Refusal(
            "video_too_long",
            gettext_noop("一段视频最长 %(most)s 小时。"),
            found=length // 1000,
            required=LONGEST_MS // 1000,
            params={"most": LONGEST_MS // 3_600_000},
            next_step=gettext_noop("请按课分成几段再传。"),
            status=400,
        )
    return length


def judge_captions(content: bytes) -> None:
    """Raise Refusal `captions_not_vtt` (400) unless this is a WebVTT file of at most 1 MB."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ""
    if len(content) > MOST_CAPTION_BYTES or not text.startswith("WEBVTT") or "-->" not in text:
        raise Refusal(
            "captions_not_vtt",
            gettext_noop("字幕要是 WebVTT 文件（.vtt，UTF-8，1 MB 以内）。"),
            found=len(content),
            required="WebVTT",
            next_step=gettext_noop("请在字幕软件里另存为 .vtt，再传一次；没有字幕可以不传。"),
            status=400,
        )


def _probe(path: Path) -> dict[str, Any]:
    # The demuxer is named and only files are allowed: what was sent cannot make ffprobe fetch anything.
    command = ("ffprobe", "-v", "error", "-protocol_whitelist", "file", "-f", "mov", "-print_format", "json",
               "-show_entries", "format=duration:stream=codec_type,codec_name", str(path))  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=TOOL_TIMEOUT)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        raise _not_mp4() from None
    found: dict[str, Any] = json.loads(done.stdout or "{}")
    return found


def _not_mp4() -> Refusal:
    return Refusal(
        "video_not_mp4",
        gettext_noop("这个文件不是能播放的 MP4 视频。"),
        found=False,
        required="MP4",
        next_step=gettext_noop("请导出为 MP4（H.264、AAC），再传一次。"),
        status=400,
    )
