"""Face checks: asked for in a request, judged in a worker, decided by a person when the engine is in doubt.

Everyone who writes a check holds the lock of its person, so a check, its pictures and the person's template
never change under each other.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

import audit
from accounts.models import Person, User
from identity import consent_texts, outcomes, queries, sealing
from identity.actions.locks import lock_person
from identity.actions.moves import move_check, not_in_doubt
from identity.actions.templates import likeness_to_enrolled, store_template
from identity.faces import get_engine, judging
from identity.faces.judging import Burst
from identity.faces.pictures import check_frames
from identity.faces.port import FaceEngine
from identity.faces.problems import unusable
from identity.models import FaceCheck, FaceFrames
from identity.permissions import require_in_charge, require_own
from identity.states import CHECK_MOVES, CheckState, CheckVerb, Purpose
from policy.refusals import Refusal

VERB_OF = {"accept": CheckVerb.ACCEPT, "grey": CheckVerb.DOUBT, "reject": CheckVerb.REJECT}


def request_check(
    *, person: Person, purpose: Purpose, subject: str, frames: Sequence[bytes], actor: User, at: datetime
) -> FaceCheck:
    """Keep the frames, encrypted, and have a worker compare them with the person's template.

    A second request while the first still waits returns that one. Refusals: not_yourself, consent_missing,
    face_not_enrolled, and those that can be seen without decoding (`faces.pictures.check_frames`).
    """
    require_own(actor, person)
    check_frames(frames)
    with transaction.atomic():
        lock_person(person.pk)
        _require_consent(person)
        if not queries.live_template(person, get_engine().engine_id, at=at) and not queries.waiting_enrolment(
            person
        ):
            raise unusable("face_not_enrolled", status=409)
        return _ask(person=person, purpose=purpose, subject=subject, frames=frames, actor=actor, at=at)


def request_enrolment(*, person: Person, frames: Sequence[bytes], actor: User, at: datetime) -> FaceCheck:
    """Have a worker make the person's template from these frames; the check tells how it went.

    Refusals: not_yourself, consent_missing, and those of `faces.pictures.check_frames`.
    """
    require_own(actor, person)
    check_frames(frames)
    with transaction.atomic():
        lock_person(person.pk)
        _require_consent(person)
        return _ask(
            person=person,
            purpose=Purpose.ENROL,
            subject=f"person/{person.pk}",
            frames=frames,
            actor=actor,
            at=at,
        )


def check_face(
    *, person: Person, purpose: Purpose, subject: str, frames: Sequence[bytes], actor: User, at: datetime
) -> FaceCheck:
    """`request_check` and `judge_check` in one, for callers that can wait. Refusals as in `request_check`."""
    check = request_check(person=person, purpose=purpose, subject=subject, frames=frames, actor=actor, at=at)
    return judge_check(check_id=check.pk, at=at)


def judge_check(*, check_id: int, at: datetime) -> FaceCheck:
    """Judge a waiting check and drop its pictures; one in doubt keeps its best picture for a person.

    A likeness to a template that follows a destroyed one is in doubt until a person has looked once
    (`queries.enrolled_anew`). A check that no longer waits is returned as it is. What is wrong with the
    pictures ends up in `problem`, never in an exception.
    """
    check = FaceCheck.objects.select_related("person").get(pk=check_id)
    if check.state != CheckState.PENDING:
        return check
    if check.purpose != Purpose.ENROL and (enrolment := queries.waiting_enrolment(check.person)):
        judge_check(check_id=enrolment.pk, at=at)
    engine = get_engine()
    # The slow part runs without a lock. Twice at the same time is waste, not harm.
    frames = _kept_frames(check, at)
    burst = _read(engine, frames)
    with transaction.atomic():
        lock_person(check.person_id)
        check = FaceCheck.objects.select_related("person").get(pk=check_id)
        if check.state == CheckState.PENDING:
            check.engine_id = engine.engine_id
            check.judged_at = at
            _settle(engine, check, frames, burst, at)
            transaction.on_commit(lambda: outcomes.announce(check.purpose, check.pk, at), robust=True)
    return check


def review_face_check(*, check: FaceCheck, reviewer: User, same_person: bool, at: datetime) -> FaceCheck:
    """A person decides what the engine could not; the picture is deleted with the decision.

    Saying the same again changes nothing. Refusals: not_in_charge (403), check_not_in_doubt.
    """
    with transaction.atomic():
        person = lock_person(check.person_id)
        check = FaceCheck.objects.get(pk=check.pk)
        require_in_charge(reviewer, check.subject, person)
        verb = CheckVerb.CONFIRM if same_person else CheckVerb.DENY
        if check.state == CHECK_MOVES[CheckState.GREY][verb] and check.reviewed_by_id == reviewer.pk:
            return check
        move_check(check, verb)
        check.reviewed_by = reviewer
        check.reviewed_at = at
        check.save(update_fields=["state", "reviewed_by", "reviewed_at"])
        FaceFrames.objects.filter(face_check=check).delete()
        audit.record(
            "face.reviewed",
            actor_id=reviewer.pk,
            subject=check.subject,
            facts={"check": check.pk, "same_person": same_person},
            at=at,
        )
        transaction.on_commit(lambda: outcomes.announce(check.purpose, check.pk, at), robust=True)
    return check


def open_picture(*, check: FaceCheck, reviewer: User, at: datetime) -> bytes:
    """Return the picture of a check in doubt to whoever may decide it; every look is evidence.

    Refusals: not_in_charge (403), check_not_in_doubt.
    """
    with transaction.atomic():
        person = lock_person(check.person_id)
        check = FaceCheck.objects.get(pk=check.pk)
        require_in_charge(reviewer, check.subject, person)
        kept = FaceFrames.objects.filter(face_check=check, keep_until__gt=at).first()
        if check.state != CheckState.GREY or kept is None:
            raise not_in_doubt(check)
        [picture] = sealing.open_frames(bytes(kept.sealed), check_id=check.pk)
        audit.record(
            "face.picture_seen", actor_id=reviewer.pk, subject=check.subject, facts={"check": check.pk}, at=at
        )
    return picture


def expire_pictures(*, at: datetime) -> int:
    """Delete pictures whose time is over, and close the checks that needed them; returns how many."""
    due = FaceFrames.objects.filter(keep_until__lte=at)
    checks = due.order_by("pk").values_list("pk", "face_check__person_id")
    for check_id, person_id in checks:
        with transaction.atomic():
            lock_person(person_id)
            if due.filter(pk=check_id).exists():
                close_without_picture(
                    FaceCheck.objects.get(pk=check_id), problem="frames_expired", actor_id=None, at=at
                )
    return len(checks)


def drop_pictures_of(person: Person, *, actor_id: int, at: datetime) -> None:
    """Delete every picture of a person who withdrew consent. The caller holds the person's lock."""
    for check in FaceCheck.objects.filter(person=person, frames__isnull=False).order_by("pk"):
        close_without_picture(check, problem="consent_missing", actor_id=actor_id, at=at)


def close_without_picture(check: FaceCheck, *, problem: str, actor_id: int | None, at: datetime) -> None:
    """End a check whose pictures must go before anyone judged them. The caller holds the lock."""
    if check.state == CheckState.PENDING:
        check.judged_at = at
        _conclude(check, CheckVerb.SPOIL, problem=problem, actor_id=actor_id, at=at)
        return
    move_check(check, CheckVerb.LAPSE)
    check.save(update_fields=["state"])
    FaceFrames.objects.filter(face_check=check).delete()
    audit.record("face.lapsed", actor_id=actor_id, subject=check.subject, facts={"check": check.pk}, at=at)


def _ask(
    *, person: Person, purpose: Purpose, subject: str, frames: Sequence[bytes], actor: User, at: datetime
) -> FaceCheck:
    """Write a waiting check with its encrypted frames, or return the one that waits already."""
    waiting = FaceCheck.objects.filter(
        person=person, purpose=purpose, subject=subject, state=CheckState.PENDING
    ).first()
    if waiting is not None:
        return waiting
    consent = _require_consent(person)
    check = FaceCheck.objects.create(person=person, purpose=purpose, subject=subject, asked_by=actor, at=at)
    FaceFrames.objects.create(
        face_check=check,
        sealed=sealing.seal_frames(frames, check_id=check.pk),
        keep_until=at + consent.waiting_frame_lifetime,
    )
    # A broker that is down must not undo the request: `tasks.judge_waiting` looks for what was left lying.
    transaction.on_commit(lambda: _queue(check.pk), robust=True)
    return check


def _queue(check_id: int) -> None:
    from identity.tasks import judge_check as task  # tasks call actions, and this is the one call back

    task.delay(check_id)


def _require_consent(person: Person) -> consent_texts.ConsentText:
    """The text of the person's open consent. Refusal consent_missing."""
    consent = queries.open_consent(person)
    if consent is None:
        raise unusable("consent_missing", status=409)
    return consent_texts.text(consent.text_version)


def _kept_frames(check: FaceCheck, at: datetime) -> list[bytes]:
    kept = FaceFrames.objects.filter(face_check=check, keep_until__gt=at).first()
    return sealing.open_frames(bytes(kept.sealed), check_id=check.pk) if kept else []


def _read(engine: FaceEngine, frames: list[bytes]) -> Burst | Refusal:
    if not frames:
        return unusable("frames_expired")
    try:
        return judging.read_burst(engine, frames)
    except Refusal as problem:
        return problem


def _settle(
    engine: FaceEngine, check: FaceCheck, frames: list[bytes], burst: Burst | Refusal, at: datetime
) -> None:
    """Decide one waiting check under the lock of its person."""
    actor_id = check.asked_by_id
    if isinstance(burst, Refusal):
        return _conclude(check, CheckVerb.SPOIL, problem=burst.code, actor_id=actor_id, at=at)
    consent = queries.open_consent(check.person)
    if consent is None:
        return _conclude(check, CheckVerb.SPOIL, problem="consent_missing", actor_id=actor_id, at=at)
    judgement = likeness_to_enrolled(engine, check.person, burst, at)
    check.score_permille = judgement.score_permille if judgement else None
    if check.purpose == Purpose.ENROL:
        if judgement and judgement.outcome != "accept":
            return _conclude(check, CheckVerb.REJECT, actor_id=actor_id, at=at)
        check.template = store_template(
            engine=engine, person=check.person, burst=burst, likeness=judgement, actor_id=actor_id, at=at
        )
        return _conclude(check, CheckVerb.ACCEPT, actor_id=actor_id, at=at)
    if judgement is None:
        return _conclude(check, CheckVerb.SPOIL, problem="face_not_enrolled", actor_id=actor_id, at=at)
    check.template = queries.live_template(check.person, engine.engine_id, at=at)
    verb = VERB_OF[judgement.outcome]
    if verb == CheckVerb.ACCEPT and queries.enrolled_anew(check.person):
        verb = CheckVerb.DOUBT  # a likeness to what nobody has compared or seen proves nothing yet
    _conclude(check, verb, actor_id=actor_id, at=at)
    if check.state == CheckState.GREY:
        FaceFrames.objects.create(
            face_check=check,
            sealed=sealing.seal_frames([frames[judgement.best_frame]], check_id=check.pk),
            keep_until=at + consent_texts.text(consent.text_version).doubtful_frame_lifetime,
        )
    return None


def _conclude(
    check: FaceCheck, verb: CheckVerb, *, actor_id: int | None, at: datetime, problem: str = ""
) -> None:
    """Move a judged check, delete its pictures and record what was found."""
    move_check(check, verb)
    check.problem = problem
    check.save()
    FaceFrames.objects.filter(face_check=check).delete()
    audit.record(
        "face.checked",
        actor_id=actor_id,
        subject=check.subject,
        facts={
            "check": check.pk,
            "purpose": Purpose(check.purpose),
            "outcome": check.outcome,
            "problem": problem or None,
            "engine": check.engine_id,
            "score_permille": check.score_permille,
            "template": check.template.commitment if check.template else None,
        },
        at=at,
    )
