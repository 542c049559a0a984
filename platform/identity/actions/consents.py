"""Giving and withdrawing consent to face checks."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

import audit
from accounts.models import Person, User
from identity import consent_texts, queries
from identity.actions.checks import drop_pictures_of
from identity.actions.locks import lock_person
from identity.actions.templates import destroy
from identity.faces.problems import unusable
from identity.models import Consent, FaceTemplate
from identity.permissions import require_own
from identity.states import ConsentPurpose, Destroyed
from policy.messages import gettext_noop
from policy.refusals import Refusal


def give_consent(*, person: Person, actor: User, at: datetime, text_version: str) -> Consent:
    """Record a person's separate consent to face checks, to the text in force.

    `text_version` is the one that was on the screen: nobody consents to a text they did not see. Consenting
    again to the same text changes nothing; consenting to a newer text replaces the older consent and leaves
    the template. Refusals: not_yourself, consent_text_outdated, operator_unset.
    """
    require_own(actor, person)
    text = consent_texts.current_text(ConsentPurpose.FACE, on=timezone.localdate(at))
    if text_version != text.version:
        raise Refusal(
            "consent_text_outdated",
            gettext_noop("同意书有了新的版本，您看到的不是最新的。"),
            found=text_version,
            required=text.version,
            rule="P14",
            next_step=gettext_noop("请重新打开这一页，看过新的版本再决定。"),
        )
    processor = consent_texts.processor()
    sha256 = text.sha256(processor)
    with transaction.atomic():
        lock_person(person.pk)
        former = queries.open_consent(person)
        if former is not None:
            if former.text_sha256 == sha256:
                return former
            former.withdrawn_at = at
            former.save(update_fields=["withdrawn_at"])
        consent = Consent.objects.create(
            person=person,
            purpose=ConsentPurpose.FACE,
            text_version=text.version,
            text_sha256=sha256,
            operator=processor.operator,
            contact=processor.contact,
            given_at=at,
        )
        audit.record(
            "consent.given",
            actor_id=actor.pk,
            subject=f"person/{person.pk}",
            facts={
                "consent": consent.pk,
                "purpose": ConsentPurpose.FACE,
                "version": text.version,
                "text": sha256,
            },
            at=at,
        )
    return consent


def withdraw_consent(*, person: Person, actor: User, at: datetime) -> Consent:
    """End the consent and destroy every template and picture of the person in the same moment.

    Withdrawing again returns the consent as it was withdrawn. What was recorded before stays valid
    (Measures art. 6). Refusals: not_yourself, consent_missing (never given).
    """
    require_own(actor, person)
    with transaction.atomic():
        lock_person(person.pk)
        consent = queries.open_consent(person)
        if consent is None:
            last = Consent.objects.filter(person=person, purpose=ConsentPurpose.FACE).first()
            if last is None:
                raise unusable("consent_missing", status=409)
            return last
        consent.withdrawn_at = at
        consent.save(update_fields=["withdrawn_at"])
        audit.record(
            "consent.withdrawn",
            actor_id=actor.pk,
            subject=f"person/{person.pk}",
            facts={"consent": consent.pk, "purpose": ConsentPurpose.FACE},
            at=at,
        )
        for template in FaceTemplate.objects.filter(person=person, destroyed_at__isnull=True).order_by("pk"):
            destroy(template, because=Destroyed.WITHDRAWN, actor_id=actor.pk, at=at)
        drop_pictures_of(person, actor_id=actor.pk, at=at)
    return consent
