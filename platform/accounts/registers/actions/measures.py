"""Measures of an office: disqualification, rectification, cancellation, and their lifting (L5-L7, Q8, Q9).

What was lawful when it was done stays so: a measure works from today at the earliest, and its end from the
day it is entered.
"""

import datetime
import hashlib
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

import audit
from accounts.models import Bureau, Institution, Person, User
from accounts.reconciliation import require_roles_on_record
from accounts.registers import permissions
from accounts.registers.models import Measure
from accounts.registers.states import GROUNDS, MeasureKind
from policy.dates import require_near
from policy.messages import gettext_noop
from policy.refusals import Refusal


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What an office orders. `row` is the ledger row it rests on; a deadline belongs to a rectification."""

    kind: str
    row: str
    ground: str
    since: datetime.date
    deadline: datetime.date | None = None
    is_announced: bool = False


def disqualify_lecturer(*, person: Person, order: Order, actor: User, at: datetime.datetime) -> Measure:
    """Cancel a lecturer's qualification from a day on; serious cases are announced (L5-L7).

    Raises Refusal `measure_kind`, `ground_missing`, `measure_backdated` (400), `measure_in_force`,
    `not_the_office` (403), Http404 for strangers.
    """
    person = permissions.access_lecturer(actor, person.pk)
    office = permissions.require_office(permissions.office_over_lecturer(actor, person), rule="L5")
    if order.kind != MeasureKind.DISQUALIFICATION:
        raise _wrong_kind(order)
    return _order(Measure(person=person), order, office=office, actor=actor, at=at)


def order_institution(
    *, institution: Institution | None, order: Order, actor: User, at: datetime.datetime
) -> Measure:
    """Order an institution to correct itself in time, or cancel its training qualification (Q8, Q9).

    Without an institution the order is against the platform, which only a provincial office may give. Raises
    as `disqualify_lecturer`, and `deadline_missing`, `deadline_reversed` (400).
    """
    if institution is None:
        office = permissions.require_office(permissions.office_over_platform(actor), rule="Q8")
    else:
        institution = permissions.access_institution(actor, institution.pk)
        office = permissions.require_office(
            permissions.office_over_institution(actor, institution), rule="Q8"
        )
    if order.kind not in (MeasureKind.RECTIFICATION, MeasureKind.CANCELLATION):
        raise _wrong_kind(order)
    return _order(Measure(institution=institution), order, office=office, actor=actor, at=at)


def end_measure(*, measure: Measure, reason: str, actor: User, at: datetime.datetime) -> Measure:
    """Lift a measure, or accept a rectification as done, from today on; a step of an office responsible.

    Ending it again changes nothing. Raises Refusal `reason_missing` (400), `not_the_office` (403), Http404
    for strangers.
    """
    measure = permissions.access_measure(actor, measure.pk)
    permissions.require_office(permissions.office_over(actor, measure), rule=measure.row)
    require_roles_on_record(actor, rule=measure.row)
    reason = reason.strip()
    if not 0 < len(reason) <= 500:
        raise Refusal(
            "reason_missing",
            gettext_noop("解除要写明理由，500 个字以内。"),
            found=len(reason),
            required="1–500",
            rule=measure.row,
            next_step=gettext_noop("请写上理由再提交。"),
            status=400,
        )
    with transaction.atomic():
        row = Measure.objects.select_for_update(of=("self",)).get(pk=measure.pk)
        if row.ended_on is not None:
            return row
        row.ended_on, row.ended_at = timezone.localdate(at), at
        row.ended_by, row.end_reason = actor, reason
        row.save(update_fields=["ended_on", "ended_at", "ended_by", "end_reason"])
        audit.record(
            "measure.ended",
            actor_id=actor.pk,
            subject=row.subject,
            facts={
                "measure": row.pk,
                "kind": row.kind,
                "ended_on": row.ended_on,
                "reason": hashlib.sha256(reason.encode()).hexdigest(),
            },
            at=at,
        )
    return row


def _order(measure: Measure, order: Order, *, office: Bureau, actor: User, at: datetime.datetime) -> Measure:
    require_roles_on_record(actor, rule=order.row)
    today = timezone.localdate(at)
    ground = order.ground.strip()
    if order.row not in GROUNDS[order.kind]:
        raise _wrong_kind(order)
    if not 0 < len(ground) <= 500:
        raise Refusal(
            "ground_missing",
            gettext_noop("要写明事实和理由，500 个字以内。"),
            found=len(ground),
            required="1–500",
            rule=order.row,
            next_step=gettext_noop("请写上事实和理由再提交。"),
            status=400,
        )
    if order.since < today:
        raise Refusal(
            "measure_backdated",
            gettext_noop("生效日期不能早于今天。"),
            found=order.since,
            required=today,
            rule=order.row,
            next_step=gettext_noop("请选今天或以后的日期。"),
            status=400,
        )
    deadline = _deadline(order)
    require_near(order.since, today=today, name=gettext_noop("生效日期"), field="since", rule=order.row)
    require_near(deadline, today=today, name=gettext_noop("改正期限"), field="deadline", rule=order.row)
    with transaction.atomic():
        # Two officers at once: the second hears of the first one's order.
        owner = Person if measure.person_id else Institution if measure.institution_id else Bureau
        owner_pk = measure.person_id or measure.institution_id or office.pk
        owner.objects.select_for_update(no_key=True).get(pk=owner_pk)
        if Measure.objects.filter(
            kind=order.kind,
            person=measure.person_id,
            institution=measure.institution_id,
            ended_on__isnull=True,
        ).exists():
            raise Refusal(
                "measure_in_force",
                gettext_noop("已经有一项没有解除的同类措施。"),
                found=True,
                required=False,
                rule=order.row,
                next_step=gettext_noop("请先看已有的那一项。"),
            )
        measure.kind, measure.row, measure.ground = order.kind, order.row, ground
        measure.since, measure.deadline = order.since, deadline
        measure.is_announced = order.is_announced and order.kind == MeasureKind.DISQUALIFICATION
        measure.bureau, measure.ordered_at, measure.ordered_by = office, at, actor
        measure.save()
        audit.record(
            "measure.ordered",
            actor_id=actor.pk,
            subject=measure.subject,
            facts={
                "measure": measure.pk,
                "kind": measure.kind,
                "person": measure.person_id,
                "institution": measure.institution_id,
                "row": measure.row,
                "ground": hashlib.sha256(ground.encode()).hexdigest(),
                "since": measure.since,
                "deadline": measure.deadline,
                "announced": measure.is_announced,
                "bureau": office.pk,
            },
            at=at,
        )
    return measure


def _deadline(order: Order) -> datetime.date | None:
    if order.kind != MeasureKind.RECTIFICATION:
        return None
    if order.deadline is None:
        raise Refusal(
            "deadline_missing",
            gettext_noop("责令改正要写明期限。"),
            found=False,
            required=True,
            rule="Q8",
            next_step=gettext_noop("请填改正期限。"),
            status=400,
        )
    if order.deadline < order.since:
        raise Refusal(
            "deadline_reversed",
            gettext_noop("改正期限早于生效日期。"),
            found=order.deadline,
            required=order.since,
            rule="Q8",
            next_step=gettext_noop("请把期限改到生效日期以后。"),
            status=400,
        )
    return order.deadline


def _wrong_kind(order: Order) -> Refusal:
    return Refusal(
        "measure_kind",
        gettext_noop("这项措施和它的依据对不上。"),
        found=[order.kind[:20], order.row[:4]],
        required={kind: [str(row) for row in rows] for kind, rows in GROUNDS.items()},
        rule="Q8",
        next_step=gettext_noop("请重新选措施和依据。"),
        status=400,
    )
