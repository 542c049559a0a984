"""Crediting what was handed in, and the verdict at the end of a class (M8)."""

import datetime

from classes.permissions import can_manage
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_noop

import audit
from accounts.models import User
from attendance.actions.checks import close_due_checks
from attendance.actions.sign_in import person_subject
from attendance.credit import BY_HANDING_IN
from attendance.models import Check, SignIn, UnitCredit, Verdict
from attendance.queries import TraineeCredit, credit_of_class
from attendance.states import SignInState
from classes.models import Enrolment, Lesson, TrainingClass
from classes.states import ClassState
from policy.messages import plain
from policy.refusals import Refusal


def credit_unit(
    *, enrolment: Enrolment, lesson: Lesson, source: str, actor: User | None, at: datetime.datetime
) -> UnitCredit:
    """Credit a homework or exam lesson that a trainee handed in with its filed hours, once.

    `source` names what was handed in (`attempt/12`). The caller has judged who may hand in and when.
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
                found=lesson.kind,
                required=[kind.value for kind in BY_HANDING_IN],
                rule="M8",
                next_step=gettext_noop("请核对课表里这节课的类别。"),
            )
        if Verdict.objects.filter(enrolment=enrolment).exists():
            raise Refusal(
                "attendance_concluded",
                gettext_noop("考勤结论已经作出，不能再计入学时。"),
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


def conclude_attendance(
    *, training_class: TrainingClass, actor: User, at: datetime.datetime
) -> list[Verdict]:
    """Judge everybody's attendance of a finished class, once and for good, each with an entry of evidence.

    Concluding again returns the same verdicts. Raises Refusal: manager_required (403), class_not_finished,
    sign_ins_pending, checks_running, and edition_unset.
    """
    with transaction.atomic():
        training_class = TrainingClass.objects.select_for_update().get(pk=training_class.pk)
        if not can_manage(actor, training_class):
            raise Refusal(
                "manager_required",
                gettext_noop("考勤结论由培训机构作出。"),
                rule="M8",
                next_step=gettext_noop("请用机构管理员的账号登录。"),
                status=403,
            )
        already = list(Verdict.objects.filter(enrolment__training_class=training_class))
        if already:
            return already
        _judge_concludable(training_class, at)
        credits = credit_of_class(training_class)
        entries = audit.record_many([_entry(training_class, one, actor, at) for one in credits])
        return Verdict.objects.bulk_create(
            Verdict(
                enrolment_id=one.enrolment_id,
                computed_at=at,
                edition=training_class.edition,
                credited_microseconds=one.credited_microseconds,
                required_microseconds=one.required_microseconds,
                by_kind=_by_kind(one),
                passed=one.passed,
                reasons=_reasons(one),
                evidence_seq=entry.seq,
                evidence_hash=entry.hash,
            )
            for one, entry in zip(credits, entries, strict=True)
        )


def _judge_concludable(training_class: TrainingClass, at: datetime.datetime) -> None:
    if training_class.state != ClassState.FINISHED:
        raise Refusal(
            "class_not_finished",
            gettext_noop("培训班还没有结班，不能作考勤结论。"),
            found=training_class.state,
            required=ClassState.FINISHED,
            rule="M8",
            next_step=gettext_noop("请先上完所有课次并结班。"),
        )
    waiting = SignIn.objects.filter(
        lesson__training_class=training_class, state__in=(SignInState.CHECKING, SignInState.PENDING)
    ).count()
    if waiting:
        raise Refusal(
            "sign_ins_pending",
            gettext_noop("还有 %(waiting)s 次签到没有确认，现在作结论会少算学时。"),
            found=waiting,
            required=0,
            rule="M8",
            next_step=gettext_noop("请讲师或助教先确认这些签到。"),
            params={"waiting": waiting},
        )
    for lesson in training_class.lessons.filter(checks__closed_at__isnull=True):
        close_due_checks(at=at, lesson=lesson)
    # A check that its lesson's end cut short counts for nobody, so it need not be waited for.
    running = Check.objects.filter(
        lesson__training_class=training_class, closed_at__isnull=True, due_at__lte=F("lesson__closed_at")
    ).count()
    if running:
        raise Refusal(
            "checks_running",
            gettext_noop("有点名或提问刚刚到时间，还没有登记完。"),
            found=running,
            required=0,
            rule="M8",
            next_step=gettext_noop("请等几秒钟再结班。"),
        )


def _entry(
    training_class: TrainingClass, one: TraineeCredit, actor: User, at: datetime.datetime
) -> audit.Record:
    return audit.Record(
        kind="attendance.concluded",
        actor_id=actor.pk,
        subject=f"{training_class.subject}/trainee/{one.enrolment_id}",
        facts={
            "edition": training_class.edition,
            "credited_microseconds": one.credited_microseconds,
            "required_microseconds": one.required_microseconds,
            "by_kind": _by_kind(one),
            "passed": one.passed,
            "reasons": _reasons(one),
        },
        at=at,
    )


def _by_kind(one: TraineeCredit) -> dict[str, int]:
    return {kind.value: time for kind, time in one.by_kind.items()}


def _reasons(one: TraineeCredit) -> list[dict[str, object]]:
    """The judgement with its numbers first, then what there is to say about single lessons. Plain JSON."""
    findings = [
        {
            "code": finding.code,
            "row": finding.row,
            "passed": finding.passed,
            "required": plain(finding.required),
            "actual": plain(finding.actual),
            "message": finding.message,
            "params": plain(finding.params),
        }
        for finding in one.decision.findings
    ]
    return [*findings, *({**remark} for remark in one.remarks)]
