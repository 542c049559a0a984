"""What a face costs: one frame from JPEG bytes to a vector, against the way everybody starts with.

    python bench/faces.py [seconds]

Prints one JSON line: milliseconds per frame of `face_locations` + `face_encodings` on the picture as the
camera sends it (the start of every tutorial), of both engines of the platform, and how many times faster
each is; then how far apart the closest strangers and the farthest pictures of one person are. The frame is
a portrait set into 1280 × 720. One process, one thread: workers scale by processes.
"""

import io
import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "platform"))

import numpy as np
from PIL import Image

from identity.faces.dlib_engine import DlibEngine
from identity.faces.judging import find_face, permille
from identity.faces.pictures import read_picture
from identity.faces.port import FaceEngine, Vector
from identity.faces.sface import SFaceEngine

FACES = Path(__file__).resolve().parents[1] / "tests" / "faces"


def camera_frame() -> bytes:
    """A portrait as a 1280 × 720 camera would show it."""
    scene = Image.new("RGB", (1280, 720), (150, 155, 150))
    portrait = Image.open(FACES / "person_b_1.jpg").convert("RGB").resize((515, 648))
    scene.paste(portrait, (380, 60))
    data = io.BytesIO()
    scene.save(data, "JPEG", quality=90)
    return data.getvalue()


def naive(frame: bytes) -> None:
    import face_recognition

    picture = np.asarray(Image.open(io.BytesIO(frame)).convert("RGB"))
    boxes = face_recognition.face_locations(picture)
    face_recognition.face_encodings(picture, boxes)


def vector(engine: FaceEngine, data: bytes) -> Vector:
    picture = read_picture(data)
    return engine.embed(picture, find_face(engine, picture))


def milliseconds(work: Callable[[], object], seconds: float) -> float:
    work()
    times, begin = [], time.perf_counter()
    while time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2] * 1000


def margins(engine: FaceEngine) -> dict[str, int]:
    """Per mille: the highest score of strangers and the lowest of one person, among the six portraits."""
    vectors = {file.name: vector(engine, file.read_bytes()) for file in sorted(FACES.glob("*.jpg"))}
    scores: dict[bool, list[int]] = {True: [], False: []}
    for a, b in itertools.combinations(vectors, 2):
        same = a.startswith("person") and a[:8] == b[:8]
        scores[same].append(permille(engine.compare(vectors[a], vectors[b])))
    return {"closest_strangers": max(scores[False]), "farthest_of_one_person": min(scores[True])}


def main(seconds: float) -> None:
    sface, dlib = SFaceEngine(), DlibEngine()
    frame = camera_frame()
    base = milliseconds(lambda: naive(frame), seconds)
    result: dict[str, object] = {"naive_ms": round(base, 1)}
    for name, engine in (("sface", sface), ("dlib", dlib)):
        cost = milliseconds(lambda engine=engine: vector(engine, frame), seconds)  # type: ignore[misc]
        result[name] = {"ms": round(cost, 1), "times_faster": round(base / cost, 1), **margins(engine)}
    print(json.dumps(result))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0)
