"""The port every face engine fits: detect, embed, compare, and the bands that were measured for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[
    np.uint8
]  # height × width × 3, RGB, upright, at most WORKING_WIDTH wide (identity.faces.pictures)
Vector = NDArray[np.float32]  # what an engine keeps of a face; only vectors of one engine_id may be compared
Outcome = Literal["accept", "grey", "reject"]

VECTOR_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Face:
    """Where a face is in a picture, in its pixels; `landmarks` are as many points as the engine gives."""

    left: int
    top: int
    width: int
    height: int
    landmarks: tuple[tuple[float, float], ...] = ()

    @property
    def size(self) -> int:
        """The shorter side, in pixels."""
        return min(self.width, self.height)


@dataclass(frozen=True, slots=True)
class FacePolicy:
    """The bands of one engine, in per mille of its own score, and the least face it can be trusted with.

    Scores of different engines mean different things: a policy belongs to the engine it was measured on.
    """

    accept_permille: int
    grey_permille: int
    least_face_px: int

    def outcome(self, score_permille: int) -> Outcome:
        """Accept from `accept_permille` up, reject below `grey_permille`, and leave the rest to a person."""
        if score_permille >= self.accept_permille:
            return "accept"
        return "grey" if score_permille >= self.grey_permille else "reject"


class FaceEngine(Protocol):
    """An engine: stateless to its callers, safe to share between threads."""

    @property
    def engine_id(self) -> str:
        """Names networks and preprocessing: another id, another space of vectors."""

    @property
    def policy(self) -> FacePolicy: ...

    def detect(self, image: Picture) -> list[Face]:
        """Every face in the picture, the largest first."""

    def embed(self, image: Picture, face: Face) -> Vector:
        """The face as a vector of VECTOR_LENGTH numbers."""

    def compare(self, a: Vector, b: Vector) -> float:
        """How alike two faces are; higher is more alike, 1 is the same picture."""
