"""Measuring an engine on pairs of pictures: how often it takes two people for one, and one for two.

The bands of `FacePolicy` come from tables like this; measure on one's own pictures before changing them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from identity.faces.judging import Burst, judge, read_burst
from identity.faces.port import FaceEngine
from policy.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sides of one comparison, each one or more pictures of a person."""

    first: tuple[bytes, ...]
    second: tuple[bytes, ...]
    same: bool


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores in per mille by truth; `unusable` counts, by problem, the pairs that could not be compared."""

    genuine: tuple[int, ...]
    impostor: tuple[int, ...]
    unusable: dict[str, int]


@dataclass(frozen=True, slots=True)
class Rates:
    """How many pairs of each kind a threshold gets wrong: exact counts, never rounded."""

    threshold_permille: int
    false_rejects: int
    genuine: int
    false_accepts: int
    impostors: int


def score_pairs(engine: FaceEngine, pairs: Iterable[Pair]) -> Scores:
    """Compare every pair as a check would."""
    genuine: list[int] = []
    impostor: list[int] = []
    unusable: dict[str, int] = {}

    @lru_cache(maxsize=512)  # a picture is usually part of many pairs
    def read(frames: tuple[bytes, ...]) -> Burst:
        return read_burst(engine, frames)

    for pair in pairs:
        try:
            enrolled, shown = read(pair.first), read(pair.second)
        except Refusal as problem:
            unusable[problem.code] = unusable.get(problem.code, 0) + 1
            continue
        score = judge(engine, shown=shown, enrolled=enrolled.vectors).score_permille
        (genuine if pair.same else impostor).append(score)
    return Scores(tuple(genuine), tuple(impostor), unusable)


def rates(scores: Scores, thresholds: Iterable[int]) -> list[Rates]:
    """Count the mistakes at each threshold; a score equal to the threshold is accepted."""
    return [
        Rates(
            threshold_permille=threshold,
            false_rejects=sum(score < threshold for score in scores.genuine),
            genuine=len(scores.genuine),
            false_accepts=sum(score >= threshold for score in scores.impostor),
            impostors=len(scores.impostor),
        )
        for threshold in thresholds
    ]
