"""A lecturer's qualification: entered and submitted by the institution, confirmed or returned by the office
(T1, T2).
"""

import datetime
import hashlib
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

import audit
from accounts.models import Institution, Membership, Person, User
from accounts.reconciliation import require_roles_on_record
from accounts.registers import permissions
from accounts.registers.actions.moves import move
from accounts.registers.models import Qualification
from accounts.registers.states import (
    OPEN_STATES,
    REQUIRED_DOCUMENTS,
    QualificationState,
    Route,
)
from accounts.states import Role
from policy.dates import require_on_paper
from policy.messages import gettext_noop
from policy.refusals import Refusal


@dataclass(frozen=True, kw_only=True, slots=True)
class QualificationDetails:
    """What an institution enters; `training_since` counts for the certificate's route alone."""

    route: str
    number: str
    certified_on: datetime.date
    training_since: datetime.date | None = None


def enter_qualification(
    *,
    person: Person,
    institution: Institution,
    details: QualificationDetails,
    actor: User,
    at: datetime.datetime,
) -> Qualification:
    """Begin the qualification of one of the institution's lecturers, as a draft to which documents are added.

    Raises Refusal `not_a_lecturer_here`, `qualification_under_way`, `qualification_number` (400),
    `training_since_missing` (400), `date_in_future` (400), `not_the_manager` (403).
    """
    permissions.require_manages(actor, institution.pk)
    if not Membership.objects.filter(
        user__person=person, role=Role.LECTURER, institution=institution
    ).exists():
        raise Refusal(
            "not_a_lecturer_here",
            gettext_noop("这个人不是本机构的讲师。"),
            found=False,
            required=True,
            rule="T3",
            next_step=gettext_noop("请先在讲师和助教里登记。"),
        )
    row = Qualification(person=person, institution=institution, entered_at=at, entered_by=actor)
    _fill(row, details, today=timezone.localdate(at))
    try:
        with transaction.atomic():
            row.save()
            _record_details(row, actor=actor, at=at)
    except IntegrityError as error:
        if "qualification_one_under_way" not in str(error):
            raise
        raise Refusal(
            "qualification_under_way",
            gettext_noop("这位讲师有一份资格还没有确认。"),
            found=True,
            required=False,
            rule="T1",
            next_step=gettext_noop("请先办完那一份。"),
        ) from None
    return row


def change_qualification(
    *, qualification: Qualification, details: QualificationDetails, actor: User, at: datetime.datetime
) -> Qualification:
    """Correct a qualification that is not with the office.

    Raises as `enter_qualification`, and `qualification_not_open`.
    """
    permissions.require_manages(actor, qualification.institution_id)
    with transaction.atomic():
        row = _lock(qualification)
        if not row.is_open:
            raise Refusal(
                "qualification_not_open",
                gettext_noop("讲师资格%(state)s，内容不能再改。"),
                found=row.state,
                required=[str(state) for state in OPEN_STATES],
                rule="T1",
                params={"state": row.get_state_display()},
                next_step=gettext_noop("还没有确认的，可以先撤回再改。"),
            )
        _fill(row, details, today=timezone.localdate(at))
        row.save(update_fields=["route", "number", "certified_on", "training_since"])
        _record_details(row, actor=actor, at=at)
    return row


def submit_qualification(
    *, qualification: Qualification, actor: User, at: datetime.datetime
) -> Qualification:
    """Put a qualification before the office, with every document that its route needs.

    Submitted again, nothing changes. Raises Refusal `documents_missing`, `move_refused`, `not_the_manager`
    (403).
    """
    permissions.require_manages(actor, qualification.institution_id)
    with transaction.atomic():
        row = _lock(qualification)
        if row.state == QualificationState.SUBMITTED:
            return row
        held = set(row.documents.filter(retired_at__isnull=True).values_list("kind", flat=True))
        missing = [kind for kind in REQUIRED_DOCUMENTS[row.route] if kind not in held]
        if missing and row.is_open:
            raise Refusal(
                "documents_missing",
                gettext_noop("还缺材料：%(missing)s。"),
                found=sorted(held),
                required=[str(kind) for kind in REQUIRED_DOCUMENTS[row.route]],
                rule="T1" if row.route == Route.CERTIFICATE else "T2",
                params={"missing": [str(kind.label) for kind in missing]},
                next_step=gettext_noop("请补上材料再提交。"),
            )
        move(row, "submit")
        row.submitted_at, row.reason = at, ""
        row.save(update_fields=["state", "submitted_at", "reason"])
        _record_move(row, actor=actor, at=at)
    return row


def withdraw_qualification(
    *, qualification: Qualification, actor: User, at: datetime.datetime
) -> Qualification:
    """Take back what the office has not decided. Raises Refusal `move_refused`, `not_the_manager` (403)."""
    permissions.require_manages(actor, qualification.institution_id)
    with transaction.atomic():
        row = _lock(qualification)
        if row.state == QualificationState.DRAFT:
            return row
        move(row, "withdraw")
        row.save(update_fields=["state"])
        _record_move(row, actor=actor, at=at)
    return row


def decide_qualification(
    *,
    qualification: Qualification,
    confirmed: bool,
    reason: str,
    actor: User,
    at: datetime.datetime,
) -> Qualification:
    """Confirm a qualification, or return it with a reason; a step of the office of the institution's region.

    The same decision again changes nothing. Raises Refusal `reason_missing` (400), `move_refused`,
    `not_the_office` (403), Http404 for strangers.
    """
    qualification = permissions.access_qualification(actor, qualification.pk)
    permissions.require_office(
        permissions.office_over_institution(actor, qualification.institution), rule="T1"
    )
    require_roles_on_record(actor, rule="T1")
    reason = reason.strip()
    if not confirmed and not reason:
        raise Refusal(
            "reason_missing",
            gettext_noop("退回补正要写明理由。"),
            found=False,
            required=True,
            rule="T1",
            next_step=gettext_noop("请写清楚哪里要改，机构照着改。"),
            status=400,
        )
    with transaction.atomic():
        row = _lock(qualification)
        wanted = QualificationState.CONFIRMED if confirmed else QualificationState.RETURNED
        if row.state == wanted and row.decided_by_id == actor.pk and row.reason == reason:
            return row
        move(row, "confirm" if confirmed else "return")
        row.decided_at, row.decided_by, row.reason = at, actor, reason
        row.save(update_fields=["state", "decided_at", "decided_by", "reason"])
        _record_move(row, actor=actor, at=at)
    return row


def _lock(qualification: Qualification) -> Qualification:
    return Qualification.objects.select_for_update(of=("self",)).get(pk=qualification.pk)


def _fill(row: Qualification, details: QualificationDetails, *, today: datetime.date) -> None:
    number = details.number.strip()
    if details.route not in Route.values or not 0 < len(number) <= 60:
        raise Refusal(
            "qualification_number",
            gettext_noop("请选资格途径，并填证书编号，60 个字以内。"),
            found=len(number),
            required="1–60",
            rule="T1",
            next_step=gettext_noop("请对照证书填写。"),
            status=400,
        )
    since = details.training_since if details.route == Route.CERTIFICATE else None
    if details.route == Route.CERTIFICATE and since is None:
        raise Refusal(
            "training_since_missing",
            gettext_noop("按合格证取得资格的，要填从事创业培训的起始日期。"),
            found=False,
            required=True,
            rule="T1",
            next_step=gettext_noop("请填工作经历证明上的起始日期。"),
            status=400,
        )
    require_on_paper(details.certified_on, name=gettext_noop("发证日期"), field="certified_on", rule="T1")
    require_on_paper(since, name=gettext_noop("从事创业培训起"), field="training_since", rule="T1")
    for day in (details.certified_on, since):
        if day is not None and day > today:
            raise Refusal(
                "date_in_future",
                gettext_noop("日期 %(day)s 还没有到。"),
                found=day,
                required=today,
                rule="T1",
                params={"day": day},
                next_step=gettext_noop("请对照材料改日期。"),
                status=400,
            )
    row.route, row.number = details.route, number
    row.certified_on, row.training_since = details.certified_on, since


def _record_details(row: Qualification, *, actor: User, at: datetime.datetime) -> None:
    audit.record(
        "qualification.saved",
        actor_id=actor.pk,
        subject=row.subject,
        facts={
            "qualification": row.pk,
            "person": row.person_id,
            "route": row.route,
            "number": row.number,
            "certified_on": row.certified_on,
            "training_since": row.training_since,
        },
        at=at,
    )


def _record_move(row: Qualification, *, actor: User, at: datetime.datetime) -> None:
    documents = row.documents.filter(retired_at__isnull=True).order_by("pk").values_list("pk", flat=True)
    audit.record(
        "qualification.moved",
        actor_id=actor.pk,
        subject=row.subject,
        facts={
            "qualification": row.pk,
            "person": row.person_id,
            "state": row.state,
            "reason": hashlib.sha256(row.reason.encode()).hexdigest() if row.reason else None,
            "documents": list(documents),
        },
        at=at,
    )
