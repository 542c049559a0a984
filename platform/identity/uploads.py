"""Frames as they arrive in a request, judged by number and size before they are read into memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from identity.faces.pictures import MAX_BYTES, MAX_BYTES_TOGETHER, MAX_FRAMES
from identity.faces.problems import unusable

FIELD = "frames"


def read_frames(files: Sequence[UploadedFile[Any]]) -> list[bytes]:
    """Return the bytes of the uploaded frames; raises frames_missing, frames_too_many, image_too_big."""
    if not files:
        raise unusable("frames_missing", found=0, required=1)
    if len(files) > MAX_FRAMES:
        raise unusable("frames_too_many", found=len(files), required=MAX_FRAMES)
    sizes = [file.size or 0 for file in files]
    if max(sizes) > MAX_BYTES:
        raise unusable("image_too_big", found=max(sizes), required=MAX_BYTES)
    if sum(sizes) > MAX_BYTES_TOGETHER:
        raise unusable("image_too_big", found=sum(sizes), required=MAX_BYTES_TOGETHER)
    return [file.read() for file in files]
