"""What an office finds when it looks into the trainees that a lecturer lost (L5,
docs/decisions/0018-losses.md).
"""

import datetime
import hashlib

from django.db import transaction

import audit
from accounts.models import Person, User
from accounts.reconciliation import require_roles_on_record
from accounts.registers import permissions as registers
from attendance.losses import case_of
from attendance.models import GROUND_LENGTH, LossReview
from policy.messages import gettext_noop
from policy.refusals import Refusal


def find_teaching_sound(
    *, person: Person, opened_on: datetime.date, ground: str, actor: User, at: datetime.datetime
) -> LossReview:
    """Enter that an office looked into a lecturer's case and did not find the teaching poor.

    `opened_on` is the case that the official looked at. A disqualification is ordered in the registers
    instead. Doing it again changes nothing.
    Raises Refusal `ground_missing` (400), `loss_case_closed`, `not_the_office` (403); Http404 for strangers.
    """
    person = registers.access_lecturer(actor, person.pk)
    office = registers.require_office(registers.office_over_lecturer(actor, person), rule="L5")
    require_roles_on_record(actor, rule="L5")
    ground = ground.strip()
    if not 0 < len(ground) <= GROUND_LENGTH:
        raise Refusal(
            "ground_missing",
            gettext_noop("要写明核查情况，500 个字以内。"),
            found=len(ground),
            required=GROUND_LENGTH,
            rule="L5",
            next_step=gettext_noop("请写明怎么核查的、结论是什么，再提交。"),
            status=400,
        )
    with transaction.atomic():
        Person.objects.select_for_update(no_key=True).get(pk=person.pk)
        already = LossReview.objects.filter(person=person, opened_on=opened_on).first()
        if already is not None:
            return already
        case = case_of(person, office)
        if case is None or not case.is_open or case.opened_on != opened_on:
            raise Refusal(
                "loss_case_closed",
                gettext_noop("这件提请核查的事项已经有了决定，或者数字已经变了。"),
                found=opened_on,
                required=case.opened_on if case and case.is_open else None,
                rule="L5",
                next_step=gettext_noop("请看这一页现在的数字和决定。"),
            )
        review = LossReview.objects.create(
            person=person,
            opened_on=opened_on,
            ground=ground,
            bureau=office,
            reviewed_at=at,
            reviewed_by=actor,
        )
        audit.record(
            "losses.reviewed",
            actor_id=actor.pk,
            subject=review.subject,
            facts={
                "review": review.pk,
                "person": person.pk,
                "opened_on": opened_on,
                "classes": [one.class_id for one in case.classes],
                "ground": hashlib.sha256(ground.encode()).hexdigest(),
                "bureau": office.pk,
            },
            at=at,
        )
    return review
