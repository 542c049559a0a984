"""One class in every stage of its life, made by the same actions as real ones (DESIGN §5).

What lies in the past was done "at" its time: actions take the time from their caller, and only here,
where nothing
is paid, is that time made up. The evidence log shows it: `recorded_at` of every entry is when it was
really written.
"""

import datetime
import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from accounts.calendars import calendar
from accounts.models import User
from attendance.actions.checks import answer_check, call_roll, close_due_checks
from attendance.actions.sign_in import confirm_sign_in, issue_sign_in_code, sign_in_by_code, sign_out
from attendance.models import Check
from classes import actions as class_actions
from classes.actions import ClassDetails
from classes.actions.bookings import free
from classes.live.actions.interaction import post_message
from classes.live.actions.lessons import end_lesson, start_lesson
from classes.live.actions.presence import close_presence, open_presence, record_heartbeats
from classes.live.states import Closing
from classes.live.unwritten import Beat
from classes.models import Enrolment, Lesson, TrainingClass
from classes.states import LessonState
from classes.timetables import LessonDraft
from config.demo.cast import Cast
from config.demo.rosters import people, roster_file
from courses.models import Course
from exams.actions.attempts import save_answer, start_attempt, submit_attempt
from exams.actions.certificates import conclude_class
from exams.actions.coursework import submit_coursework
from exams.actions.papers import set_exam
from policy.terms import HourKind
from subsidies.actions.claims import draw_up_claim, open_notice, submit_claim

EDITION = "demo"
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
Minutes = float
STAGES = ("draft", "filed", "running", "finished", "claimed")

# (day from the first, hour, minute, kind, lesson hours, title): 16 live + 4 homework and exam + 4
# tutoring and quality.
GYB_PLAN: Sequence[tuple[int, int, int, HourKind, int, str]] = (
    (0, 8, 30, HourKind.LIVE, 4, "第 1 课　我适合创业吗"),
    (1, 8, 30, HourKind.LIVE, 4, "第 2 课　从身边找项目"),
    (2, 8, 30, HourKind.LIVE, 4, "第 3 课　顾客是谁"),
    (3, 14, 30, HourKind.TUTORING, 3, "辅导　把想法写成一页纸"),
    (4, 8, 30, HourKind.LIVE, 4, "第 4 课　创业的第一笔账：成本与利润"),
    (4, 14, 30, HourKind.HOMEWORK, 2, "作业　我的创业想法"),
    (5, 8, 30, HourKind.EXAM, 2, "结业考试"),
    (5, 14, 30, HourKind.QUALITY, 1, "质量评估　课程回访"),
)
LESSON_HOUR = datetime.timedelta(minutes=45)


@dataclass(frozen=True)
class Timing:
    """When a demo class happens.

    `first_day` of lessons, and `opens` if one lesson must be under way right now.
    """

    first_day: datetime.date
    live_now: datetime.datetime | None = None


def drafts(timing: Timing) -> list[LessonDraft]:
    """The plan as a timetable. With `live_now`, the second lesson runs at this moment."""
    found = []
    for day, hour, minute, kind, hours, title in GYB_PLAN:
        starts = datetime.datetime.combine(
            timing.first_day + datetime.timedelta(days=day), datetime.time(hour, minute), SHANGHAI
        )
        if timing.live_now and day == 1:
            starts = timing.live_now - datetime.timedelta(minutes=30)
        found.append(
            LessonDraft(
                starts_at=starts,
                ends_at=starts + hours * LESSON_HOUR,
                kind=kind,
                hours=Decimal(hours),
                title=title,
            )
        )
    return found


def make_class(
    cast: Cast, *, name: str, timing: Timing, roster: Sequence[tuple[str, str, str]], at: datetime.datetime
) -> TrainingClass:
    """A draft with staff, roster and timetable."""
    timetable = drafts(timing)
    training_class = class_actions.create_class(
        actor=cast.manager,
        details=ClassDetails(
            name=name,
            course=Course.objects.filter(course_type="GYB").order_by("pk")[0],
            mode="full_live",
            edition=EDITION,
            starts_on=timetable[0].starts_at.astimezone(SHANGHAI).date(),
            ends_on=timetable[-1].ends_at.astimezone(SHANGHAI).date(),
            lecturer=cast.trainer.person,
            assistant=cast.assistant.person,
        ),
        at=at,
    )
    class_actions.import_roster(
        training_class=training_class, content=roster_file(roster), actor=cast.manager, at=at
    )
    class_actions.set_timetable(training_class=training_class, drafts=timetable, actor=cast.manager, at=at)
    return training_class


def file_class(cast: Cast, training_class: TrainingClass, *, at: datetime.datetime, approve: bool) -> None:
    """Submit the filing, and have the officer approve it the next day."""
    filing = class_actions.submit_filing(training_class=training_class, actor=cast.manager, at=at)
    if approve:
        class_actions.decide_filing(
            filing=filing,
            approved=True,
            reason="",
            number=f"郑创备〔{at.year}〕{training_class.pk:04d} 号",
            actor=cast.officer,
            at=at + datetime.timedelta(hours=6),
        )


@dataclass(frozen=True)
class Sitting:
    """How one trainee was in a lesson: stretches of presence in minutes after its start."""

    stretches: tuple[tuple[Minutes, Minutes], ...]
    answers: bool = True


def sitting_of(n: int, length: Minutes) -> Sitting:
    """Most come on time and stay; some come late, lose the line, or miss a roll call; one hardly comes."""
    if n % 10 == 9:
        return Sitting(((length * 0.1, length * 0.45),), answers=False)
    if n % 7 == 3:
        return Sitting(((-4, length * 0.4), (length * 0.4 + 6.5, length + 2)))
    if n % 5 == 2:
        return Sitting(((3.5, length + 1),), answers=n % 2 == 0)
    return Sitting(((-5 - n % 3, length + 1.5),))


def hold_lesson(
    cast: Cast,
    lesson: Lesson,
    users: Sequence[tuple[Enrolment, User]],
    *,
    until: datetime.datetime | None = None,
) -> None:
    """Hold a lesson of the live room as it would have gone; `until` leaves it running at that moment."""
    start, end = lesson.starts_at, lesson.ends_at
    length = (end - start).total_seconds() / 60

    def at(minutes: Minutes) -> datetime.datetime:
        return start + datetime.timedelta(minutes=minutes)

    steps: list[tuple[datetime.datetime, int, Callable[[], object]]] = []
    order = itertools.count()

    def plan(moment: datetime.datetime, step: Callable[[], object]) -> None:
        steps.append((moment, next(order), step))

    checks: list[Check] = []
    asked_at = [at(length * share) for share in (0.3, 0.7)]
    told_at = [moment - datetime.timedelta(seconds=2) for moment in asked_at]
    plan(at(-10), lambda: start_lesson(actor=cast.trainer, lesson=lesson, at=at(-10)))
    for teacher in (cast.trainer, cast.assistant):
        for moment, step in _stay(teacher, lesson, at(-9.5), at(length + 2), until, told_at):
            plan(moment, step)
    for n, (enrolment, user) in enumerate(users):
        sitting = sitting_of(n, length)
        came = at(sitting.stretches[0][0] + 0.5)
        plan(came, lambda e=enrolment, u=user, m=came: _sign_in(cast, lesson, e, u, m))  # type: ignore[misc]
        for a, b in sitting.stretches:
            for moment, step in _stay(user, lesson, at(a), at(b), until, told_at):
                plan(moment, step)
        left = at(min(sitting.stretches[-1][1], length + 1))
        plan(left, lambda u=user, m=left: sign_out(lesson=lesson, actor=u, at=m))  # type: ignore[misc]
    for asked in asked_at:
        plan(asked, lambda m=asked: checks.append(call_roll(lesson=lesson, actor=cast.assistant, at=m)))  # type: ignore[misc]
        for n, (_enrolment, user) in enumerate(users):
            sitting = sitting_of(n, length)
            if sitting.answers and any(at(a) < asked < at(b) for a, b in sitting.stretches):
                moment = asked + datetime.timedelta(seconds=8 + n)
                plan(moment, lambda u=user, m=moment: answer_check(check=checks[-1], actor=u, at=m))  # type: ignore[misc]
        over = asked + datetime.timedelta(seconds=95)
        plan(over, lambda m=over: close_due_checks(at=m))  # type: ignore[misc]
    said = at(length * 0.2)
    plan(said, lambda: _chat(cast, lesson, users, said))
    plan(at(length + 3), lambda: end_lesson(actor=cast.trainer, lesson=lesson, at=at(length + 3)))
    for moment, _n, step in sorted(steps, key=lambda item: item[:2]):
        if until is None or moment <= until:
            step()


def _stay(
    user: User,
    lesson: Lesson,
    since: datetime.datetime,
    until: datetime.datetime,
    cut: datetime.datetime | None,
    told_at: Sequence[datetime.datetime],
) -> Iterator[tuple[datetime.datetime, Callable[[], object]]]:
    """One stretch of presence, beating every five seconds, written down at `told_at` and at the end."""
    connection = uuid.uuid4()
    yield since, lambda: open_presence(actor=user, lesson=lesson, connection=connection, at=since)
    last = until if cut is None else min(until, cut)
    for moment in [*(moment for moment in told_at if since < moment < last), last]:
        beat = Beat(
            connection=connection,
            seen_at=moment,
            count=max(1, (moment - since) // datetime.timedelta(seconds=5)),
            longest_gap_ms=5200,
        )
        yield moment, lambda beat=beat: record_heartbeats([beat])  # type: ignore[misc]
    if last == until:
        yield (
            until + datetime.timedelta(seconds=1),
            lambda: close_presence(connection=connection, closing=Closing.LEFT, at=until),
        )


def _sign_in(cast: Cast, lesson: Lesson, enrolment: Enrolment, user: User, at: datetime.datetime) -> None:
    """By the way without a face, which counts the same.

    Acode from the assistant, who then sees the trainee.
    """
    code = issue_sign_in_code(lesson=lesson, enrolment=enrolment, actor=cast.assistant, at=at)
    asked = sign_in_by_code(lesson=lesson, code=code, actor=user, at=at)
    confirm_sign_in(sign_in=asked, actor=cast.assistant, at=at + datetime.timedelta(seconds=20))


TALK = (
    "羊肉一涨价，利润就没了。",
    "房租一年三万六，摊到每碗咋算？",
    "俺家卖馍，一天三百个，成本主要是面和人工。",
    "自己的工资要不要算进成本？",
    "我想在村口开个早餐店，房子是自家的，房租还算吗？",
)


def _chat(cast: Cast, lesson: Lesson, users: Sequence[tuple[Enrolment, User]], at: datetime.datetime) -> None:
    for n, (text, (_enrolment, user)) in enumerate(zip(TALK, users, strict=False)):
        post_message(
            lesson=lesson, actor=user, text=text, key=uuid.uuid4(), at=at + datetime.timedelta(seconds=20 * n)
        )


def trainees_of(training_class: TrainingClass) -> list[tuple[Enrolment, User]]:
    """The class's trainees with their accounts, 王小满 first where she is in it."""
    enrolments = training_class.enrolments.select_related("person__user").order_by("pk")
    return [(enrolment, enrolment.person.user) for enrolment in enrolments]


def sit_exam(lesson: Lesson, users: Iterable[tuple[Enrolment, User]]) -> None:
    """Everybody answers; every tenth does not know enough."""
    exam = lesson.exam
    for n, (_enrolment, user) in enumerate(users):
        at = lesson.starts_at + datetime.timedelta(minutes=2, seconds=n)
        attempt = start_attempt(actor=user, exam=exam, at=at)
        wrong = 12 if n % 10 == 8 else n % 6
        for place, question in enumerate(exam.paper):
            right = list(question["correct"])
            chosen = right if place >= wrong else [(right[0] + 1) % len(question["options"])]
            at += datetime.timedelta(seconds=45)
            save_answer(actor=user, attempt=attempt, question=place, chosen=chosen, revision=place + 1, at=at)
        submit_attempt(actor=user, attempt=attempt, at=at + datetime.timedelta(minutes=3))


def hand_in_homework(lesson: Lesson, users: Iterable[tuple[Enrolment, User]]) -> None:
    for n, (_enrolment, user) in enumerate(users):
        if n % 10 != 9:
            submit_coursework(
                actor=user,
                lesson=lesson,
                text="我想在村口开一家早餐店，卖胡辣汤、油馍头和包子。顾客是赶早上工的人和学生，"
                f"每天大约 {80 + n} 份，平均每份卖 6 元，成本 3 元 6 角。",
                at=lesson.starts_at + datetime.timedelta(minutes=20 + n),
            )


def complete(cast: Cast, training_class: TrainingClass) -> None:
    """Hold all lessons, exam and coursework of an approved class whose time has passed."""
    users = trainees_of(training_class)
    lessons = list(training_class.lessons.order_by("starts_at"))
    for lesson in lessons:
        if lesson.kind == HourKind.EXAM:
            set_exam(
                actor=cast.trainer,
                training_class=training_class,
                lesson=lesson,
                at=lesson.starts_at - datetime.timedelta(days=1),
            )
    for lesson in lessons:
        if lesson.is_roomed:
            hold_lesson(cast, lesson, users)
        elif lesson.kind == HourKind.EXAM:
            sit_exam(lesson, users)
        elif lesson.kind == HourKind.HOMEWORK:
            hand_in_homework(lesson, users)


def _working_days_before(day: datetime.date, count: int) -> datetime.date:
    working = calendar()
    while count:
        day -= datetime.timedelta(days=1)
        count -= working.is_working_day(day)
    return day


def _at(day: datetime.date, hour: int = 10) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(hour), SHANGHAI)


# The demo's first class of each stage is the school's 9th to 5th of the year.
NUMBERS = {"draft": 9, "filed": 8, "running": 7, "finished": 6, "claimed": 5}
# How many people are in it, and the first of them.
ROSTERS = {
    "draft": (18, 40),
    "filed": (20, 60),
    "running": (30, 0),
    "finished": (12, 80),
    "claimed": (30, 100),
}


def build_live(cast: Cast, *, now: datetime.datetime, most: int = 30) -> TrainingClass:
    """Return the class with a lesson under way at this moment, or make one: a timetable that was approved
    does not move to another day, in a demo neither.
    """
    for nth in itertools.count():
        found = build(cast, "running", now=now, most=most, nth=nth)
        if found.lessons.filter(state=LessonState.OPEN, ends_at__gt=now).exists():
            break
        # Nobody here holds the rest of a class that ran on an earlier day: its people are free for today's.
        free(found)
    return found


def build(cast: Cast, stage: str, *, now: datetime.datetime, most: int = 30, nth: int = 0) -> TrainingClass:
    """Make the nth further class that stands at `stage` at this moment, with at most so many trainees.

    The class of an earlier run is returned. 王小满 is in every running one; the other stages have people of
    their own, so that nobody is paid for twice.
    """
    today = now.astimezone(SHANGHAI).date()
    name = f"{today.year} 年第 {NUMBERS[stage] + len(NUMBERS) * nth} 期创业意识培训班"
    existing = TrainingClass.objects.filter(institution=cast.school, name=name).first()
    if existing:
        return existing
    size, serial = ROSTERS[stage]
    rows = people(min(size, most), first=serial if stage == "running" else serial + 100 * nth)
    if stage in ("draft", "filed"):
        day = today + datetime.timedelta(days=38 if stage == "draft" else 28)
        training_class = make_class(cast, name=name, timing=Timing(day), roster=rows, at=now)
        if stage == "filed":
            file_class(cast, training_class, at=now, approve=False)
        return training_class
    if stage == "running":
        timing = Timing(today - datetime.timedelta(days=1), live_now=now.replace(second=0, microsecond=0))
    else:
        timing = Timing(today - datetime.timedelta(days=21 if stage == "finished" else 45))
    filed_at = _at(_working_days_before(timing.first_day, 8))
    training_class = make_class(cast, name=name, timing=timing, roster=rows, at=filed_at)
    file_class(cast, training_class, at=filed_at, approve=True)
    if stage == "running":
        users = trainees_of(training_class)
        first, second = training_class.lessons.order_by("starts_at")[:2]
        hold_lesson(cast, first, users)
        hold_lesson(cast, second, users, until=now)
        return training_class
    complete(cast, training_class)
    over = max(lesson.ends_at for lesson in training_class.lessons.all()) + datetime.timedelta(hours=3)
    conclude_class(actor=cast.manager, training_class=training_class, at=over)
    if stage == "claimed":
        claim = draw_up_claim(
            actor=cast.manager, training_class=training_class, at=over + datetime.timedelta(days=2)
        )
        submit_claim(actor=cast.manager, claim=claim, at=over + datetime.timedelta(days=2, hours=1))
        open_notice(actor=cast.officer, claim=claim, at=now)
    return training_class
