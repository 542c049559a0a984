"""Making and destroying face templates."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

import audit
from accounts.models import Person, User
from identity import consent_texts, queries, sealing
from identity.actions.locks import lock_person
from identity.faces import get_engine, judging
from identity.faces.judging import Burst, Judgement
from identity.faces.pictures import check_frames
from identity.faces.port import FaceEngine
from identity.faces.problems import unusable
from identity.models import FaceTemplate, TemplateKey
from identity.permissions import require_own
from identity.states import Destroyed


def enrol_face(*, person: Person, frames: Sequence[bytes], actor: User, at: datetime) -> FaceTemplate:
    """Make the person's template from a few pictures, at once; a former one is replaced.

    Refusals: not_yourself, consent_missing, face_unlike_enrolled (the pictures are not clearly of the person
    of the template in place; in doubt is not enough, or a template could wander from face to face), and those
    of unusable pictures (identity.faces.problems). Pages use `request_enrolment`, which leaves the work to a
    worker.
    """
    require_own(actor, person)
    check_frames(frames)
    engine = get_engine()
    burst = judging.read_burst(engine, frames)
    with transaction.atomic():
        lock_person(person.pk)
        likeness = likeness_to_enrolled(engine, person, burst, at)
        if likeness and likeness.outcome != "accept":
            raise unusable(
                "face_unlike_enrolled",
                found=likeness.score_permille,
                required=engine.policy.accept_permille,
                status=409,
            )
        return store_template(
            engine=engine, person=person, burst=burst, likeness=likeness, actor_id=actor.pk, at=at
        )


def likeness_to_enrolled(engine: FaceEngine, person: Person, burst: Burst, at: datetime) -> Judgement | None:
    """How a burst compares with the template in place, if any. The caller holds the person's lock."""
    template = queries.live_template(person, engine.engine_id, at=at)
    if template is None:
        return None
    vectors = sealing.open_template(
        bytes(template.ciphertext),
        bytes(template.key.sealed),
        person_id=person.pk,
        engine_id=template.engine_id,
    )
    return judging.judge(engine, shown=burst, enrolled=judging.unpack(vectors))


def store_template(
    *,
    engine: FaceEngine,
    person: Person,
    burst: Burst,
    likeness: Judgement | None,
    actor_id: int,
    at: datetime,
) -> FaceTemplate:
    """Write a template, destroy the former. The caller holds the person's lock. Refusal consent_missing."""
    consent = queries.open_consent(person)
    if consent is None:
        raise unusable("consent_missing", status=409)
    former = queries.live_template(person, engine.engine_id)
    if former is not None:
        destroy(former, because=Destroyed.REPLACED, actor_id=actor_id, at=at)
    ciphertext, sealed_key = sealing.seal_template(
        judging.pack(burst.vectors), person_id=person.pk, engine_id=engine.engine_id
    )
    template = FaceTemplate.objects.create(
        person=person,
        consent=consent,
        engine_id=engine.engine_id,
        ciphertext=ciphertext,
        commitment=hashlib.sha256(ciphertext).hexdigest(),
        frames=len(burst.vectors),
        created_at=at,
        expires_at=at + consent_texts.text(consent.text_version).template_lifetime,
    )
    TemplateKey.objects.create(template=template, sealed=sealed_key)
    audit.record(
        "face.enrolled",
        actor_id=actor_id,
        subject=f"person/{person.pk}",
        facts={
            "template": template.commitment,
            "engine": engine.engine_id,
            "frames": template.frames,
            "consent": consent.pk,
            "likeness_permille": likeness.score_permille if likeness else None,
        },
        at=at,
    )
    return template


def destroy(template: FaceTemplate, *, because: Destroyed, actor_id: int | None, at: datetime) -> None:
    """Delete the key of a live template and empty its row. The caller holds the person's lock."""
    TemplateKey.objects.filter(template=template).delete()
    template.ciphertext = b""
    template.destroyed_at = at
    template.destroyed_because = because
    template.save(update_fields=["ciphertext", "destroyed_at", "destroyed_because"])
    audit.record(
        "face.destroyed",
        actor_id=actor_id,
        subject=f"person/{template.person_id}",
        facts={"template": template.commitment, "engine": template.engine_id, "because": because},
        at=at,
    )


def destroy_expired_templates(*, at: datetime) -> int:
    """Destroy every template whose time is over, each in a transaction of its own; returns how many."""
    due = FaceTemplate.objects.filter(destroyed_at__isnull=True, expires_at__lte=at)
    destroyed = 0
    for pk, person_id in due.order_by("pk").values_list("pk", "person_id"):
        with transaction.atomic():
            lock_person(person_id)
            template = due.filter(pk=pk).first()
            if template is not None:
                destroy(template, because=Destroyed.EXPIRED, actor_id=None, at=at)
                destroyed += 1
    return destroyed
