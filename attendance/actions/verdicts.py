"""The verdict on everybody's attendance at the end of a class (M8)."""

import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_noop

import audit
from accounts.models import User
from attendance.actions.checks import close_due_checks
from attendance.actions.watching import close_watches
from attendance.models import Check, SignIn, Verdict
from attendance.queries import TraineeCredit, credit_of_class
from attendance.states import SignInState
from audit.reconciliation import require_borne_out
from classes.models import TrainingClass
from classes.permissions import require_manage
from classes.states import ClassState
from policy.messages import plain
from policy.refusals import Refusal


def conclude_attendance(
    *, training_class: TrainingClass, actor: User, at: datetime.datetime
) -> list[Verdict]:
    """Judge everybody's attendance of a finished class, once and for good, each with an entry of evidence.

    Concluding again returns the same verdicts. Raises Refusal: not_the_manager (403), class_not_finished,
    sign_ins_pending, checks_running, evidence_differs, and edition_unset.
    """
    with transaction.atomic():
        training_class = TrainingClass.objects.select_for_update().get(pk=training_class.pk)
        require_manage(actor, training_class)
        already = list(Verdict.objects.filter(enrolment__training_class=training_class))
        if already:
            return already
        _judge_concludable(training_class, at)
        close_watches(training_class=training_class, at=at)
        require_borne_out(training_class.subject, rule="M6")
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
            found=ClassState(training_class.state),
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


def _reasons(one: TraineeCredit) -> list[Any]:
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
    return [*findings, *(remark.as_json() for remark in one.remarks)]
