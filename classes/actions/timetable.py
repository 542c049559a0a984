"""Setting the timetable of a class that is not filed."""

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import rfc8785
from django.db import transaction
from django.db.models import ProtectedError

import audit
from accounts.editions import edition as find_edition
from accounts.models import User
from classes import permissions
from classes.actions.classes import lock_class
from classes.models import Lesson, TrainingClass
from classes.timetables import MOST_LESSONS, LessonDraft, drafts_of, hours_by_kind, row_faults
from policy.messages import gettext_noop
from policy.refusals import Refusal
from policy.words import bare


def set_timetable(
    *,
    training_class: TrainingClass,
    drafts: Sequence[LessonDraft],
    actor: User,
    at: datetime.datetime,
    base: str | None = None,
) -> list[Lesson]:
    """Replace the timetable of a draft or returned class, as a whole or not at all; returns it in order
    of time.

    The rules of the norm do not stop a draft from being saved: they are findings (`checks`), and stop
    the filing. A lesson that stays as it was stays the same row; the same timetable again changes nothing.

    `base` is the digest of the saved timetable that the drafts began from, where the caller knows it:
    somebody else's saving in between is then not overwritten unseen.

    Raises Refusal `timetable_changed` (412), `timetable_rejected` (409) with `faults` in its details (codes:
    `timetables.row_faults`), `timetable_too_long`, `lesson_in_use`, `class_not_editable`, `not_the_manager`
    (403).
    """
    with transaction.atomic():
        training_class = lock_class(training_class.pk)
        permissions.require_manage(actor, training_class)
        permissions.require_editable(training_class)
        _judge(training_class, drafts)
        ordered = sorted(
            (replace(draft, title=bare(draft.title)) for draft in drafts), key=lambda draft: draft.starts_at
        )
        before = list(training_class.lessons.all())
        if drafts_of(before) == ordered:
            return before
        if base and base != timetable_digest(drafts_of(before)):
            raise Refusal(
                "timetable_changed",
                gettext_noop("您开始改以后，有人改过并保存了课表。您这份还没有保存。"),
                found=True,
                required=False,
                rule="A2",
                next_step=gettext_noop("请另开一页看看现在的课表；确实要换成您这一份，就再保存一次。"),
                status=412,
            )
        lessons = _replace(training_class, before, ordered)
        hours = hours_by_kind(ordered)
        audit.record(
            "timetable.set",
            actor_id=actor.pk,
            subject=training_class.subject,
            facts={
                "lessons": len(lessons),
                "total": sum(hours.values(), Decimal(0)),
                "hours": {kind.value: count for kind, count in hours.items()},
                "timetable": timetable_digest(ordered),
            },
            at=at,
        )
    return lessons


def _replace(
    training_class: TrainingClass, before: Sequence[Lesson], drafts: Sequence[LessonDraft]
) -> list[Lesson]:
    staying = {LessonDraft.of(lesson): lesson for lesson in before if LessonDraft.of(lesson) in drafts}
    kept = [lesson.pk for lesson in staying.values()]
    try:
        training_class.lessons.exclude(pk__in=kept).delete()
    except ProtectedError:
        raise Refusal(
            "lesson_in_use",
            gettext_noop("要改的课已经布置了考试或作业，不能直接换掉。"),
            found=True,
            required=False,
            rule="F22",
            next_step=gettext_noop("请先撤下这节课的考试或作业，再改课表。"),
        ) from None
    Lesson.objects.bulk_create(
        Lesson(
            training_class=training_class,
            starts_at=draft.starts_at,
            ends_at=draft.ends_at,
            kind=draft.kind,
            hours=draft.hours,
            title=draft.title,
        )
        for draft in drafts
        if draft not in staying
    )
    return list(training_class.lessons.all())


def timetable_digest(drafts: Sequence[LessonDraft]) -> str:
    """SHA-256 over the canonical form of a timetable, in UTC, so that the log can vouch for it in 64
    digits.
    """
    return hashlib.sha256(
        rfc8785.dumps(
            [
                {
                    "starts_at": draft.starts_at.astimezone(datetime.UTC).isoformat(),
                    "ends_at": draft.ends_at.astimezone(datetime.UTC).isoformat(),
                    "kind": draft.kind.value,
                    "hours": str(draft.hours.normalize()),
                    "title": draft.title,
                }
                for draft in drafts
            ]
        )
    ).hexdigest()


def _judge(training_class: TrainingClass, drafts: Sequence[LessonDraft]) -> None:
    if len(drafts) > MOST_LESSONS:
        raise Refusal(
            "timetable_too_long",
            gettext_noop("一个班最多排 %(most)s 节课，现在 %(found)s 节。"),
            found=len(drafts),
            required=MOST_LESSONS,
            rule="P9",
            params={"most": MOST_LESSONS, "found": len(drafts)},
            next_step=gettext_noop("请把相连的课合成一节。"),
            status=400,
        )
    faults = row_faults(
        drafts,
        starts_on=training_class.starts_on,
        ends_on=training_class.ends_on,
        lesson_hour_seconds=find_edition(training_class.edition).lesson_hour_seconds,
    )
    if faults:
        raise Refusal(
            "timetable_rejected",
            gettext_noop("课表有 %(count)s 处要改，没有保存。"),
            found=len(faults),
            required=0,
            rule="P9",
            params={"count": len(faults)},
            next_step=gettext_noop("请照每一节下面的提示改好再保存。"),
            details={"faults": faults},
        )
