"""Roll calls and random questions: opening, answering, closing (F20, F21)."""

import datetime
import random
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts.editions import edition
from accounts.models import User
from attendance.models import Check, CheckAnswer, CheckTarget
from attendance.permissions import require_trainee
from attendance.states import CheckKind
from classes.live.actions import announce
from classes.live.protocol import Event
from classes.models import Enrolment, Lesson
from classes.permissions import require_teach
from classes.states import EnrolmentState, LessonState
from policy.refusals import Refusal

# An answer that reached the server in time may still be on its way through it when the check is due.
GRACE = datetime.timedelta(seconds=2)
LONGEST_CHECK = 600  # seconds
MOST_OPTIONS = 6


def call_roll(*, lesson: Lesson, actor: User, at: datetime.datetime, seconds: int | None = None) -> Check:
    """Ask everybody who is in the room to answer within `seconds`, or within what the edition says.

    Raises Refusal: not_the_staff (403), lesson_not_open, check_running, nobody_present,
    check_time_odd (400), edition_unset.
    """
    return _open(
        lesson=lesson,
        kind=CheckKind.ROLL_CALL,
        seconds=seconds,
        everyone=True,
        actor=actor,
        at=at,
    )


def ask_question(
    *,
    lesson: Lesson,
    prompt: str,
    options: Sequence[str],
    correct: int,
    actor: User,
    at: datetime.datetime,
    seconds: int | None = None,
    everyone: bool = False,
) -> Check:
    """Put a question with one right answer to one trainee in the room picked by lot, or to everybody there.

    Raises as `call_roll`, and question_incomplete (400).
    """
    prompt, options = prompt.strip(), [option.strip() for option in options]
    if (
        not prompt
        or not 2 <= len(options) <= MOST_OPTIONS
        or not all(options)
        or len(set(options)) < len(options)
        or not 0 <= correct < len(options)
    ):
        raise Refusal(
            "question_incomplete",
            gettext_noop("题目要有题干、2 到 %(most)s 个不同的选项和一个正确答案。"),
            found=len(options),
            required=f"2–{MOST_OPTIONS}",
            rule="F21",
            next_step=gettext_noop("请补全题目再提问。"),
            params={"most": MOST_OPTIONS},
            status=400,
        )
    return _open(
        lesson=lesson,
        kind=CheckKind.QUESTION,
        seconds=seconds,
        everyone=everyone,
        actor=actor,
        at=at,
        prompt=prompt,
        options=options,
        correct=correct,
    )


def answer_check(
    *, check: Check, actor: User, at: datetime.datetime, option: int | None = None
) -> CheckAnswer:
    """Answer a check by the server's clock. The first answer stands; answering again returns it.

    Raises Refusal: trainee_required (403), check_not_asked (403), check_over, option_unknown (400).
    """
    with transaction.atomic():
        check = (
            Check.objects.select_for_update(of=("self",))
            .select_related("lesson__training_class")
            .get(pk=check.pk)
        )
        enrolment = require_trainee(actor, check.lesson.training_class)
        target = CheckTarget.objects.filter(asked_in=check, enrolment=enrolment).first()
        if target is None:
            raise Refusal(
                "check_not_asked",
                gettext_noop("这一次没有点到您，不用应答。"),
                found=False,
                required=True,
                rule="F20",
                next_step=gettext_noop("继续上课就好。"),
                status=403,
            )
        if (already := CheckAnswer.objects.filter(target=target).first()) is not None:
            return already
        if at > check.due_at or check.closed_at is not None:
            raise Refusal(
                "check_over",
                gettext_noop("应答时间已经过了。"),
                found=at,
                required=check.due_at,
                rule="F20",
                next_step=gettext_noop("请继续上课；少算的时间在“我的学时”里可以看到原因。"),
            )
        if (check.kind == CheckKind.ROLL_CALL and option is not None) or (
            check.kind == CheckKind.QUESTION and (option is None or not 0 <= option < len(check.options))
        ):
            raise Refusal(
                "option_unknown",
                gettext_noop("没有这个选项。"),
                found=option,
                required=len(check.options),
                rule="F21",
                next_step=gettext_noop("请从列出的选项里选一个。"),
                status=400,
            )
        correct = None if option is None else option == check.correct
        answer = CheckAnswer.objects.create(target=target, answered_at=at, option=option, correct=correct)
        announce(
            lesson=check.lesson,
            type=Event.CHECK_ANSWERED,
            data={"check": check.pk, "person": enrolment.person_id},
            actor=actor,
            at=at,
        )
        audit.record(
            "attendance.check_answered",
            actor_id=actor.pk,
            subject=f"{check.subject}/person/{enrolment.person_id}",
            facts={"check": check.pk, "option": option, "correct": correct},
            at=at,
        )
    return answer


def close_due_checks(*, at: datetime.datetime, lesson: Lesson | None = None) -> list[Check]:
    """Close every check whose time is over, or one lesson's; who has not answered has missed it."""
    due = Check.objects.filter(closed_at__isnull=True, due_at__lte=at - GRACE)
    if lesson is not None:
        due = due.filter(lesson=lesson)
    return [closed for pk in due.values_list("pk", flat=True) if (closed := _close(pk, at)) is not None]


def _open(
    *,
    lesson: Lesson,
    kind: CheckKind,
    seconds: int | None,
    everyone: bool,
    actor: User,
    at: datetime.datetime,
    prompt: str = "",
    options: Sequence[str] = (),
    correct: int | None = None,
) -> Check:
    close_due_checks(at=at, lesson=lesson)
    with transaction.atomic():
        lesson = (
            Lesson.objects.select_for_update(of=("self",), no_key=True)
            .select_related("training_class")
            .get(pk=lesson.pk)
        )
        require_teach(actor, lesson.training_class)
        _judge_opening(lesson)
        due_at = at + datetime.timedelta(seconds=_answer_time(lesson, kind, seconds))
        present = _present_trainees(lesson, at)
        asked = present if everyone or not present else [random.SystemRandom().choice(present)]
        if not asked:
            raise Refusal(
                "nobody_present",
                gettext_noop("课堂里现在没有学员，点名和提问没有人能应答。"),
                found=0,
                required=1,
                rule="F20",
                next_step=gettext_noop("等学员进课堂以后再点名。"),
            )
        check = Check.objects.create(
            lesson=lesson,
            kind=kind,
            prompt=prompt,
            options=list(options),
            correct=correct,
            opened_at=at,
            due_at=due_at,
            opened_by=actor,
        )
        CheckTarget.objects.bulk_create(
            CheckTarget(asked_in=check, enrolment=enrolment) for enrolment in asked
        )
        announce(
            lesson=lesson,
            type=Event.CHECK_OPENED,
            data={
                "check": check.pk,
                "kind": check.kind,
                "prompt": check.prompt,
                "options": check.options,
                "opened_at": at.isoformat(),
                "due_at": due_at.isoformat(),
                "asked": [enrolment.person_id for enrolment in asked],
            },
            actor=actor,
            at=at,
        )
        audit.record(
            "attendance.check_opened",
            actor_id=actor.pk,
            subject=check.subject,
            facts={
                "check": check.pk,
                "kind": kind,
                "due_at": due_at,
                "prompt": check.prompt,
                "options": check.options,
                "correct": correct,
                "asked": [enrolment.pk for enrolment in asked],
            },
            at=at,
        )
    return check


def _judge_opening(lesson: Lesson) -> None:
    if not lesson.is_roomed or lesson.state != LessonState.OPEN:
        raise Refusal(
            "lesson_not_open",
            gettext_noop("这节课没有在上，不能点名和提问。"),
            found=LessonState(lesson.state),
            required=LessonState.OPEN,
            rule="F20",
            next_step=gettext_noop("请讲师或助教先开始上课。"),
        )
    running = Check.objects.filter(lesson=lesson, closed_at__isnull=True).first()
    if running is not None:
        raise Refusal(
            "check_running",
            gettext_noop("上一次点名或提问还没有截止。"),
            found=running.due_at,
            required=False,
            rule="F20",
            next_step=gettext_noop("请等它截止再发起下一次。"),
        )


def _answer_time(lesson: Lesson, kind: CheckKind, seconds: int | None) -> int:
    if seconds is None:
        name = "roll_call_answer" if kind == CheckKind.ROLL_CALL else "question_answer"
        return edition(lesson.training_class.edition).seconds(name)
    if not 1 <= seconds <= LONGEST_CHECK:
        raise Refusal(
            "check_time_odd",
            gettext_noop("限时要在 1 到 %(most)s 秒之间。"),
            found=seconds,
            required=f"1–{LONGEST_CHECK}",
            rule="F20",
            next_step=gettext_noop("请改好限时再发起。"),
            params={"most": LONGEST_CHECK},
            status=400,
        )
    return seconds


def _present_trainees(lesson: Lesson, at: datetime.datetime) -> list[Enrolment]:
    """Trainees whose signal the server has had lately: whoever lost the line is not asked."""
    silent_since = at - datetime.timedelta(seconds=settings.PRESENCE_TIMEOUT_SECONDS)
    return list(
        Enrolment.objects.filter(
            training_class_id=lesson.training_class_id,
            state=EnrolmentState.ACTIVE,
            person__open_presence__lesson=lesson,
            person__open_presence__last_seen_at__gte=silent_since,
        ).order_by("pk")
    )


def _close(pk: int, at: datetime.datetime) -> Check | None:
    with transaction.atomic():
        check = Check.objects.select_for_update(of=("self",)).select_related("lesson").get(pk=pk)
        if check.closed_at is not None:
            return None
        check.closed_at = at
        check.save(update_fields=["closed_at"])
        missed = list(
            check.targets.filter(answer__isnull=True)
            .order_by("pk")
            .values_list("enrolment_id", "enrolment__person_id")
        )
        answered = check.targets.filter(answer__isnull=False).count()
        announce(
            lesson=check.lesson,
            type=Event.CHECK_CLOSED,
            data={"check": check.pk, "answered": answered, "missed": [person_id for _, person_id in missed]},
            actor=None,
            at=at,
        )
        audit.record(
            "attendance.check_closed",
            actor_id=None,
            subject=check.subject,
            facts={
                "check": check.pk,
                "kind": CheckKind(check.kind),
                "answered": answered,
                "missed_count": len(missed),
                "missed": [enrolment_id for enrolment_id, _ in missed],
            },
            at=at,
        )
    return check
