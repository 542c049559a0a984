"""Crediting what was handed in: homework and exams earn their filed hours (M8, reading 6)."""

import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts.models import User
from attendance.actions.sign_in import person_subject
from attendance.credit import BY_HANDING_IN
from attendance.models import UnitCredit, Verdict
from classes.models import Enrolment, Lesson
from policy.refusals import Refusal
from policy.terms import HourKind


def credit_unit(
    *, enrolment: Enrolment, lesson: Lesson, source: str, actor: User | None, at: datetime.datetime
) -> UnitCredit:
    """Credit a homework or exam lesson that a trainee handed in with its filed hours, once.

    `source` names what was handed in (`attempt/12`); `actor` is None where time ran out and the
    platform handed it in. The caller has judged who may hand in and when.
    Raises Refusal: unit_not_creditable for another kind of lesson or somebody else's, attendance_concluded.
    """
    with transaction.atomic():
        Enrolment.objects.select_for_update(no_key=True).get(pk=enrolment.pk)
        already = UnitCredit.objects.filter(enrolment=enrolment, lesson=lesson).first()
        if already is not None:
            return already
        if lesson.kind not in BY_HANDING_IN or lesson.training_class_id != enrolment.training_class_id:
            raise Refusal(
                "unit_not_creditable",
                gettext_noop("只有本班的作业课和考试课按提交计算学时。"),
                found=HourKind(lesson.kind),
                required=[kind.value for kind in BY_HANDING_IN],
                rule="M8",
                next_step=gettext_noop("请核对课表里这节课的类别。"),
            )
        if Verdict.objects.filter(enrolment=enrolment).exists():
            raise Refusal(
                "attendance_concluded",
                gettext_noop("考勤结论已经作出，不能再计入学时。"),
                found=True,
                required=False,
                rule="M8",
                next_step=gettext_noop("请联系培训机构。"),
            )
        unit = UnitCredit.objects.create(enrolment=enrolment, lesson=lesson, source=source, credited_at=at)
        audit.record(
            "attendance.unit_credited",
            actor_id=actor.pk if actor else None,
            subject=person_subject(lesson, enrolment.person_id),
            facts={"lesson": lesson.pk, "source": source, "hours": lesson.hours},
            at=at,
        )
    return unit
