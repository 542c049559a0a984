"""One small class in every stage, for tests that walk over everything (access, pages, queries)."""

import datetime
from dataclasses import dataclass

from classes.models import TrainingClass
from config.demo.cast import Cast
from config.demo.stages import STAGES, build
from courses.actions import load_catalogue
from exams.actions.bank import load_question_bank


@dataclass(frozen=True)
class World:
    """The cast and a class in each stage, by the stage's name."""

    cast: Cast
    classes: dict[str, TrainingClass]
    now: datetime.datetime

    def __getitem__(self, stage: str) -> TrainingClass:
        return self.classes[stage]


def build_world(cast: Cast, *, now: datetime.datetime, most: int = 3) -> World:
    """Make the demo's classes with few trainees; the first of the running class is the learner."""
    load_catalogue(at=now)
    load_question_bank()
    return World(
        cast=cast, classes={stage: build(cast, stage, now=now, most=most) for stage in STAGES}, now=now
    )
