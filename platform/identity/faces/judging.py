"""From a burst of frames to vectors, and from two sets of vectors to a verdict.

Several frames on both sides are what pays (facts in docs/decisions/0004-face-engines.md): a score is the
mean over every pair of an enrolled and a shown frame. That keeps the centre of the single-pair
distribution, for which the bands were measured, and narrows it; averaging the vectors instead would move
it, for dlib towards false accepts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from identity.faces.pictures import read_picture
from identity.faces.port import VECTOR_LENGTH, Face, FaceEngine, Outcome, Picture, Vector
from identity.faces.problems import unusable
from policy.refusals import Refusal

DARK = 30  # mean brightness (0-255) of a face; measured: score 0.76 falls to 0.67 at 22
COMPANION = 0.5  # a second face at least half as large is a second person, a smaller one a poster


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an engine says of a burst; `best_frame` is the index of the frame nearest to the template."""

    outcome: Outcome
    score_permille: int
    best_frame: int


@dataclass(frozen=True, slots=True)
class Burst:
    """The usable frames of a burst, all of one person; `indices` are their places in what was sent."""

    vectors: tuple[Vector, ...]
    indices: tuple[int, ...]


def read_burst(engine: FaceEngine, frames: Sequence[bytes]) -> Burst:
    """Read every frame, leave out those that cannot be used, and make sure that the rest show one person.

    Raises the commonest problem of the frames (`identity.faces.problems`) when none can be used,
    several_faces when a second face in any frame is at least half as large (`COMPANION`), and frames_differ
    when two frames are not of one person.
    """
    vectors: list[Vector] = []
    indices: list[int] = []
    problems: list[Refusal] = []
    for index, frame in enumerate(frames):
        try:
            picture = read_picture(frame)
            face = find_face(engine, picture)
        except Refusal as problem:
            if problem.code == "several_faces":
                raise  # never let somebody pass by the frames in which the other one looked away
            problems.append(problem)
            continue
        vectors.append(engine.embed(picture, face))
        indices.append(index)
    if not vectors:
        if not problems:
            raise unusable("frames_missing", found=0, required=1)
        commonest = Counter(problem.code for problem in problems).most_common(1)[0][0]
        raise next(problem for problem in problems if problem.code == commonest)
    for a, b in combinations(vectors, 2):
        # Nobody changes within seconds: below the grey band there are two people in the burst.
        if (score := permille(engine.compare(a, b))) < engine.policy.grey_permille:
            raise unusable("frames_differ", found=score, required=engine.policy.grey_permille)
    return Burst(tuple(vectors), tuple(indices))


def find_face(engine: FaceEngine, picture: Picture) -> Face:
    """Return the one face of a picture; raises no_face, several_faces, face_too_small or image_too_dark."""
    faces = engine.detect(picture)
    if not faces:
        # In the dark no face is found: say what can be changed.
        if (brightness := _brightness(picture)) < DARK:
            raise unusable("image_too_dark", found=brightness, required=DARK)
        raise unusable("no_face", found=0, required=1)
    face = faces[0]
    companions = [other for other in faces[1:] if other.size >= COMPANION * face.size]
    if companions:
        raise unusable("several_faces", found=1 + len(companions), required=1)
    if face.size < engine.policy.least_face_px:
        raise unusable("face_too_small", found=face.size, required=engine.policy.least_face_px)
    inside = picture[face.top : face.top + face.height, face.left : face.left + face.width]
    if (brightness := _brightness(inside)) < DARK:
        raise unusable("image_too_dark", found=brightness, required=DARK)
    return face


def judge(engine: FaceEngine, *, shown: Burst, enrolled: Sequence[Vector]) -> Judgement:
    """Compare a burst with an enrolled template of the same engine."""
    by_frame = [
        sum(engine.compare(vector, known) for known in enrolled) / len(enrolled) for vector in shown.vectors
    ]
    score = permille(sum(by_frame) / len(by_frame))
    nearest = max(range(len(by_frame)), key=by_frame.__getitem__)
    return Judgement(engine.policy.outcome(score), score, shown.indices[nearest])


def permille(score: float) -> int:
    """An engine's score as a whole number, cut off downwards and kept within -1000 to 1000."""
    return max(-1000, min(1000, math.floor(score * 1000)))


def pack(vectors: Sequence[Vector]) -> bytes:
    """Vectors as bytes: little-endian float32, 512 bytes each."""
    return b"".join(np.asarray(vector, dtype="<f4").tobytes() for vector in vectors)


def unpack(data: bytes) -> list[Vector]:
    """The vectors that `pack` wrote."""
    return [row.astype(np.float32) for row in np.frombuffer(data, dtype="<f4").reshape(-1, VECTOR_LENGTH)]


def _brightness(picture: Picture) -> int:
    """Mean luma (ITU-R BT.601) of a picture or part of one, 0 to 255."""
    red, green, blue = picture.reshape(-1, 3).mean(axis=0)
    return int(0.299 * red + 0.587 * green + 0.114 * blue)
