"""Filing a class for 开班备案: submission, decision, withdrawal (F7-F9)."""

import datetime
import hashlib
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import rfc8785
from django.db import IntegrityError, transaction
from django.utils import timezone

import audit
from accounts.models import User
from accounts.reconciliation import require_roles_on_record
from classes import permissions, queries
from classes.actions.bookings import book, free, take_turns
from classes.actions.classes import lock_class
from classes.actions.moves import move
from classes.actions.packages import request_package
from classes.checks import ClassCheck, check_draft
from classes.decisions import judge_decision
from classes.models import MOST_REASON, Filing, TrainingClass
from classes.reviews import SUBJECTS, subject_of
from classes.states import FilingState
from classes.timetables import drafts_of, hours_by_kind
from courses.models import CourseVersion
from courses.outlines import outline_digest, units_of
from exchange.models import Receipt
from policy.messages import gettext_noop
from policy.refusals import Refusal
from policy.words import bare, one_spelling


def submit_filing(
    *,
    training_class: TrainingClass,
    actor: User,
    at: datetime.datetime,
    exceptions: Mapping[str, str] | None = None,
    shown: str | None = None,
) -> Filing:
    """Submit the class as it stands, when every finding passes (F7: the clock runs from here).

    `exceptions` gives a reason, by code, for failing findings that the edition lets be excepted ("原则上",
    H11); they stand in the snapshot until an officer accepts them or returns the filing.

    `shown` is the digest (`digest_of_class`) of what the person was asked to confirm, where they were asked.

    What is submitted is frozen in the filing's snapshot; roster, timetable and staff cannot change until it
    is returned or withdrawn; everybody on it is booked for its hours. Of two submissions that want the same
    person at the same time one is refused. Raises Refusal `findings_failed` (409, `findings` in its
    details), `filing_changed`, `exception_not_allowed`, `exception_reason_missing` (400), `people_booked`,
    `move_refused`, `not_the_manager` (403).
    """
    with transaction.atomic():
        training_class = lock_class(training_class.pk)
        permissions.require_manage(actor, training_class)
        move(training_class, "submit")
        take_turns(training_class)
        drafts = drafts_of(training_class.lessons.all())
        check = check_draft(training_class, drafts, filed_on=timezone.localdate(at))
        asked = _exceptions(check, exceptions or {})
        unmet = [finding for finding in check.failed if finding.code not in asked]
        if unmet or check.faults:
            raise Refusal(
                "findings_failed",
                gettext_noop("还有 %(count)s 项不符合，没有提交。"),
                found=len(unmet),
                required=0,
                rule=unmet[0].row if unmet else "P9",
                params={"count": len(unmet)},
                next_step=gettext_noop("请照检查结果逐项改好，再提交。"),
                details={"findings": check.findings, "faults": check.faults},
            )
        if shown and shown != digest_of_class(training_class):
            raise Refusal(
                "filing_changed",
                gettext_noop("核对以后，这个班的内容又改过，没有提交。"),
                found=True,
                required=False,
                rule="F8",
                next_step=gettext_noop("请再核对一遍，再提交。"),
            )
        snapshot = snapshot_of(training_class, exceptions=list(asked.values()))
        filing = Filing.objects.create(
            training_class=training_class,
            submitted_at=at,
            submitted_by=actor,
            snapshot=snapshot,
            findings=[finding.render() for finding in check.findings],
        )
        book(training_class)
        training_class.save(update_fields=["state"])
        audit.record(
            "filing.submitted",
            actor_id=actor.pk,
            subject=filing.subject,
            facts={
                "filing": filing.pk,
                "round": queries.filings_before(filing).count() + 1,
                "lessons": len(snapshot["timetable"]),
                "trainees": len(snapshot["roster"]),
                "snapshot": snapshot_digest(snapshot),
                "findings": snapshot_digest(filing.findings),
                "exceptions": sorted(asked),
            },
            at=at,
        )
        request_package(filing=filing, at=at)
    return filing


def decide_filing(
    *,
    filing: Filing,
    approved: bool,
    reason: str,
    number: str,
    actor: User,
    at: datetime.datetime,
    receipt: Receipt | None = None,
    decided_on: datetime.date | None = None,
    accepted: Collection[str] = (),
) -> Filing:
    """Approve a filing under a number, or return it with a reason (F9). The one door for decisions: an
    officer's own, or the province's, brought by an officer's `receipt` with the day `decided_on` it gives.

    `accepted` names the exceptions that the officer has accepted; an approval needs all that are asked for.
    The same decision sent again by the same officer changes nothing; any other second decision is refused.
    Raises Refusal `filing_already_decided`, `filing_number_missing`, `filing_number_taken`, `reason_missing`,
    `exceptions_not_accepted`, `exception_unknown` (400), `decision_day_impossible`,
    `start_has_passed` (its first day is over: the institution has to choose another), `not_the_office` (403).
    """
    reason, number = bare(reason), one_spelling(number)
    with transaction.atomic():
        training_class = lock_class(filing.training_class_id)
        filing = Filing.objects.select_for_update().get(pk=filing.pk)
        permissions.require_decide(actor, training_class)
        require_roles_on_record(actor, rule="F8")
        if filing.state != FilingState.SUBMITTED:
            return _decided_before(filing, approved=approved, reason=reason, number=number, actor=actor)
        filing.training_class = training_class
        judge_decision(
            filing,
            approved=approved,
            reason=reason,
            number=number,
            accepted=accepted,
            at=at,
            decided_on=decided_on,
        )
        verb = "approve" if approved else "return"
        move(filing, verb)
        move(training_class, verb)
        filing.decided_at, filing.decided_by, filing.decided_on = at, actor, decided_on
        filing.reason, filing.number = reason, number if approved else ""
        filing.accepted = sorted(one["code"] for one in filing.exceptions) if approved else []
        _save_decision(filing)
        if not approved:
            free(training_class)
        training_class.save(update_fields=["state"])
        digest = hashlib.sha256(reason.encode()).hexdigest()
        audit.record(
            "filing.approved" if approved else "filing.returned",
            actor_id=actor.pk,
            subject=filing.subject,
            facts={
                "filing": filing.pk,
                "reason": digest,
                "receipt": receipt.pk if receipt else None,
                "decided_on": decided_on,
                **({"number": number, "exceptions": filing.accepted} if approved else {}),
            },
            at=at,
        )
    return filing


def withdraw_filing(*, filing: Filing, actor: User, at: datetime.datetime) -> Filing:
    """Take back a submission that was not decided yet; the class is a draft again.

    Raises Refusal `move_refused` (decided already), `not_the_manager` (403).
    """
    with transaction.atomic():
        training_class = lock_class(filing.training_class_id)
        filing = Filing.objects.select_for_update().get(pk=filing.pk)
        permissions.require_manage(actor, training_class)
        if filing.state == FilingState.WITHDRAWN:
            return filing
        move(filing, "withdraw")
        move(training_class, "withdraw")
        free(training_class)
        filing.save(update_fields=["state"])
        training_class.save(update_fields=["state"])
        audit.record(
            "filing.withdrawn",
            actor_id=actor.pk,
            subject=filing.subject,
            facts={"filing": filing.pk},
            at=at,
        )
    return filing


def supersede_filing(*, filing: Filing, reason: str, actor: User, at: datetime.datetime) -> Filing:
    """Give up an approval before the first lesson because what was filed has to change (变更备案).

    The class is a draft again and everybody on it is free; it is filed, judged and approved anew, with its
    own five working days (F7, F9). The approval that was stays on record with its number. Raises Refusal
    `reason_missing` (400), `move_refused` (training has begun, or nothing is approved), `not_the_manager`
    (403).
    """
    reason = bare(reason)
    with transaction.atomic():
        training_class = lock_class(filing.training_class_id)
        filing = Filing.objects.select_for_update().get(pk=filing.pk)
        permissions.require_manage(actor, training_class)
        if not reason or len(reason) > MOST_REASON:
            raise Refusal(
                "reason_missing",
                gettext_noop("变更备案要写明理由，最多 %(most)s 个字。"),
                found=len(reason),
                required=MOST_REASON,
                rule="F9",
                params={"most": MOST_REASON},
                next_step=gettext_noop("请写清楚要改什么、为什么改。"),
                status=400,
            )
        move(training_class, "revise")
        move(filing, "supersede")
        free(training_class)
        filing.change_reason = reason
        filing.save(update_fields=["state", "change_reason"])
        training_class.save(update_fields=["state"])
        audit.record(
            "filing.superseded",
            actor_id=actor.pk,
            subject=filing.subject,
            facts={"filing": filing.pk, "reason": hashlib.sha256(reason.encode()).hexdigest()},
            at=at,
        )
    return filing


def _exceptions(check: ClassCheck, reasons: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The failing findings that are to be excepted, by code, as the snapshot keeps them."""
    failed = {finding.code: finding for finding in check.failed}
    asked = {}
    for code, given in reasons.items():
        finding, reason = failed.get(code), bare(given)
        if finding is None or not finding.waivable:
            known, allowed = code in SUBJECTS, sorted(one.code for one in check.failed if one.waivable)
            raise Refusal(
                "exception_not_allowed",
                gettext_noop("“%(subject)s”不能申请例外。")
                if known
                else gettext_noop("检查结果里没有这一项，不能申请例外。"),
                found=code[:40] if known else False,
                required=allowed,
                rule=finding.row if finding else "",
                params={"subject": subject_of(code) if known else ""},
                next_step=gettext_noop("规范写明“原则上”的要求才能申请例外，其他的请照检查结果改好。"),
                details={
                    "words": {
                        **({"found": subject_of(code)} if known else {}),
                        **({"required": [subject_of(one) for one in allowed]} if allowed else {}),
                    }
                },
            )
        if not reason or len(reason) > MOST_REASON:
            raise Refusal(
                "exception_reason_missing",
                gettext_noop("申请例外要写明理由，最多 %(most)s 个字。"),
                found=len(reason),
                required=MOST_REASON,
                rule=finding.row,
                params={"most": MOST_REASON},
                next_step=gettext_noop("请写清楚为什么达不到，打算怎么办。"),
                status=400,
            )
        body = finding.render()
        asked[code] = {
            "code": code,
            "row": finding.row,
            "citation": body["citation"],
            "required": body["required"],
            "actual": body["actual"],
            "reason": reason,
        }
    return asked


def snapshot_of(
    training_class: TrainingClass, *, exceptions: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Everything that is filed, as JSON: masked numbers only; with what it asks to be excepted from."""
    lessons = list(training_class.lessons.all())
    hours = hours_by_kind(drafts_of(lessons))
    institution, course = training_class.institution, training_class.course
    return {
        "exceptions": list(exceptions),
        "class": {
            "id": training_class.pk,
            "name": training_class.name,
            "mode": training_class.mode,
            "edition": training_class.edition,
            "starts_on": training_class.starts_on.isoformat(),
            "ends_on": training_class.ends_on.isoformat(),
        },
        "institution": {
            "id": institution.pk,
            "name": institution.name,
            "credit_code": institution.credit_code,
            "region": institution.region_id,
        },
        "course": {
            "id": course.pk,
            "name": course.name,
            "course_type": course.course_type,
            "version": _version_of(training_class.course_version),
        },
        "staff": {
            role: {"id": person.pk, "name": person.name} if person else None
            for role, person in (
                ("lecturer", training_class.lecturer),
                ("assistant", training_class.assistant),
            )
        },
        "hours": {kind.value: str(count) for kind, count in hours.items()},
        "total": str(sum(hours.values(), Decimal(0))),
        "roster": [
            {
                "enrolment": enrolment.pk,
                "name": enrolment.person.name,
                "id_number": enrolment.person.id_number_masked,
                "category": enrolment.category,
            }
            for enrolment in queries.roster_of(training_class)
        ],
        "timetable": [
            {
                "lesson": lesson.pk,
                "starts_at": timezone.localtime(lesson.starts_at).isoformat(),
                "ends_at": timezone.localtime(lesson.ends_at).isoformat(),
                "kind": lesson.kind,
                "hours": str(lesson.hours),
                "title": lesson.title,
            }
            for lesson in lessons
        ],
    }


def digest_of_class(training_class: TrainingClass) -> str:
    """What a submission would freeze now, in 64 digits: the same as long as nothing of it changes."""
    return snapshot_digest(snapshot_of(training_class))


def _version_of(version: CourseVersion | None) -> dict[str, Any] | None:
    if version is None:
        return None
    return {
        "id": version.pk,
        "number": version.number,
        "outline_digest": outline_digest(units_of(version)),
    }


def snapshot_digest(snapshot: dict[str, Any] | list[Any]) -> str:
    """SHA-256 over the canonical JSON of a snapshot, or of its findings, as the log holds it."""
    return hashlib.sha256(rfc8785.dumps(snapshot)).hexdigest()


def _decided_before(filing: Filing, *, approved: bool, reason: str, number: str, actor: User) -> Filing:
    same = (
        filing.state == (FilingState.APPROVED if approved else FilingState.RETURNED)
        and filing.decided_by_id == actor.pk
        and filing.reason == reason
        and (filing.number == number or not approved)
    )
    if same:
        return filing
    raise Refusal(
        "filing_already_decided",
        gettext_noop("这次备案%(state)s，不能再作决定。"),
        found=FilingState(filing.state),
        required=FilingState.SUBMITTED,
        rule="F9",
        params={"state": filing.get_state_display()},
        next_step=gettext_noop("请刷新页面看已有的决定。"),
    )


def _save_decision(filing: Filing) -> None:
    try:
        with transaction.atomic():
            filing.save(
                update_fields=[
                    "state",
                    "decided_at",
                    "decided_by",
                    "decided_on",
                    "reason",
                    "number",
                    "accepted",
                ]
            )
    except IntegrityError as error:
        if "filing_number_of_one_class" not in str(error):
            raise
        raise Refusal(
            "filing_number_taken",
            gettext_noop("备案编号“%(number)s”已经用过。"),
            found=filing.number,
            required=False,
            rule="F8",
            params={"number": filing.number},
            next_step=gettext_noop("请核对编号。"),
        ) from None
