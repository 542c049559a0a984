"""A class of 郑州启航创业培训学校 in the making, and files as a school would send them."""

import datetime
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from openpyxl import Workbook

from accounts.models import Person
from classes import actions
from classes.actions import ClassDetails
from classes.models import Filing, Lesson, TrainingClass
from classes.rosters import CATEGORY, HEADERS, ID_NUMBER, NAME, PHONE, SHEET
from classes.states import ClassState
from classes.timetables import LessonDraft
from config.demo.cast import TRAINEES, Cast, made_up_id_number
from courses.actions.versions import publish_version, set_outline, write_draft
from courses.models import Course
from courses.outlines import UnitDraft
from policy.terms import HourKind, TraineeCategory
from tests.cast import SHANGHAI

FIRST_DAY = datetime.date(2026, 9, 21)  # ten working days after the Monday on which tests begin
LESSON_HOUR = datetime.timedelta(minutes=45)

# 16 live + 4 homework and exam + 4 tutoring and quality: the least live hours that 24 allow.
GYB_PLAN: Sequence[tuple[int, str, str, int, str]] = (
    (0, "08:30", "live", 4, "认识创业：我适合创业吗"),
    (1, "08:30", "live", 4, "发现身边的商机"),
    (1, "14:30", "live", 4, "评价你的创业想法"),
    (3, "08:30", "live", 4, "创业的第一笔账"),
    (3, "14:30", "tutoring", 3, "分组创业咨询"),
    (4, "14:30", "homework", 2, "写一份《我的创业想法书》"),
    (5, "08:30", "quality", 1, "结业评估表与座谈"),
    (5, "09:30", "exam", 2, "线上结业考试"),
)


def draft(
    day: int, clock: str, kind: str, hours: int | str, title: str, first_day: datetime.date = FIRST_DAY
) -> LessonDraft:
    """A lesson `day` days after the first, exactly as long as its hours."""
    starts = datetime.datetime.combine(
        first_day + datetime.timedelta(days=day), datetime.time.fromisoformat(clock), SHANGHAI
    )
    return LessonDraft(
        starts_at=starts,
        ends_at=starts + float(hours) * LESSON_HOUR,
        kind=HourKind(kind),
        hours=Decimal(hours),
        title=title,
    )


def gyb_drafts(first_day: datetime.date = FIRST_DAY) -> list[LessonDraft]:
    return [draft(*row, first_day=first_day) for row in GYB_PLAN]


def weeks_later(weeks: int) -> dict[str, datetime.date]:
    """The dates of a class that takes the same people when they are free again."""
    first_day = FIRST_DAY + datetime.timedelta(weeks=weeks)
    return {"starts_on": first_day, "ends_on": first_day + datetime.timedelta(days=13)}


def trainee_row(number: int, **changes: Any) -> dict[str, Any]:
    """The cells of one made-up trainee by header."""
    cells = {
        NAME: TRAINEES[number] if number < len(TRAINEES) else f"李{chr(0x4E00 + number)}",
        ID_NUMBER: made_up_id_number(
            number, region="410122", born=datetime.date(1980 + number % 20, 5, 6)
        ).value,
        PHONE: f"1390000{number:04d}",
        CATEGORY: list(TraineeCategory)[number % 5].label,
    }
    return cells | {
        {"name": NAME, "id_number": ID_NUMBER, "phone": PHONE, "category": CATEGORY}[key]: value
        for key, value in changes.items()
    }


def roster_file(
    rows: Sequence[dict[str, Any]],
    *,
    headers: Sequence[str] = HEADERS,
    dress: Callable[[Any], None] | None = None,
) -> bytes:
    """The rows as an .xlsx; `dress` may do to the sheet whatever people do to sheets."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = SHEET
    sheet.append(list(headers))
    for row in rows:
        sheet.append([row.get(header) for header in headers])
    if dress:
        dress(sheet)
    return saved(book)


def saved(book: Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@dataclass
class School:
    """What a manager does, in one word each; every step through the actions."""

    cast: Cast
    at: datetime.datetime
    course: Course

    def mixed_course(self, offline: int = 17, live: int = 5) -> Course:
        """A course whose outline is a mixed plan, lawful unless told otherwise: 17 offline, 5 live, 1
        homework, 1 on demand.
        """
        course = Course.objects.create(name="GYB 线上+线下", course_type="GYB", origin="platform")
        version = write_draft(course, copied=None, notes="", actor=None, at=self.at)
        units = [
            UnitDraft(kind=HourKind(kind), hours=Decimal(hours), title=title)
            for kind, hours, title in (
                ("offline", offline, "线下课"),
                ("live", live, "直播课"),
                ("homework", 1, "作业"),
                ("on_demand", 1, "点播课"),
            )
        ]
        set_outline(version=version, units=units, notes="", actor=None, at=self.at)
        publish_version(version=version, actor=None, at=self.at)
        return course

    def details(self, **changes: Any) -> ClassDetails:
        values: dict[str, Any] = {
            "name": "2026 年第 7 期创业意识培训班",
            "course": self.course,
            "mode": "full_live",
            "edition": "demo",
            "starts_on": FIRST_DAY,
            "ends_on": FIRST_DAY + datetime.timedelta(days=13),
            "lecturer": self.cast.trainer.person,
            "assistant": self.cast.assistant.person,
        } | changes
        return ClassDetails(**values)

    def create(self, **changes: Any) -> TrainingClass:
        return actions.create_class(details=self.details(**changes), actor=self.cast.manager, at=self.at)

    def enrol(self, training_class: TrainingClass, count: int = 3, first: int = 0) -> None:
        actions.import_roster(
            training_class=training_class,
            content=roster_file([trainee_row(n) for n in range(first, first + count)]),
            actor=self.cast.manager,
            at=self.at,
        )

    def take_as_approved(self, training_class: TrainingClass) -> None:
        """As if its filing had been approved, for tests that ask only who sees it then."""
        TrainingClass.objects.filter(pk=training_class.pk).update(state=ClassState.APPROVED)
        training_class.refresh_from_db()

    def schedule(self, training_class: TrainingClass, drafts: Sequence[LessonDraft]) -> list[Lesson]:
        return actions.set_timetable(
            training_class=training_class, drafts=drafts, actor=self.cast.manager, at=self.at
        )

    def ready(self, **changes: Any) -> TrainingClass:
        """A class that passes every finding, not filed yet."""
        training_class = self.create(**changes)
        self.enrol(training_class)
        self.schedule(training_class, gyb_drafts(training_class.starts_on))
        return training_class

    def mostly_online(self) -> TrainingClass:
        """A mixed class in which only 16 of 24 hours are offline (H11), and everything else is lawful."""
        training_class = self.create(mode="mixed", course=self.mixed_course(offline=16, live=6))
        self.enrol(training_class)
        plan = [(day, clock, 4) for day in (0, 1) for clock in ("08:00", "13:00")]
        drafts = [draft(day, clock, "offline", hours, "线下课") for day, clock, hours in plan]
        drafts += [
            draft(2, "08:00", "live", 6, "直播课"),
            draft(3, "08:00", "homework", 1, "作业"),
            draft(3, "10:00", "on_demand", 1, "点播课"),
        ]
        self.schedule(training_class, drafts)
        return training_class

    def filed(self, **changes: Any) -> Filing:
        return actions.submit_filing(
            training_class=self.ready(**changes), actor=self.cast.manager, at=self.at
        )

    def decide(self, filing: Filing, *, approved: bool = True, **changes: Any) -> Filing:
        sent = {
            "number": "郑创备〔2026〕0412 号" if approved else "",
            "reason": "" if approved else "直播少 1 课时",
        }
        return actions.decide_filing(
            filing=filing,
            approved=approved,
            actor=self.cast.officer,
            at=self.at + datetime.timedelta(hours=2),
            **(sent | changes),
        )

    def approved(self, **changes: Any) -> TrainingClass:
        filing = self.decide(self.filed(**changes))
        return filing.training_class

    @property
    def learner(self) -> Person:
        assert self.cast.learner.person is not None
        return self.cast.learner.person
