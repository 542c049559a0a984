"""Signing in by face or by the equal other way, the assistant's confirmation, and signing out (F19, P14)."""

import datetime
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts.editions import edition
from accounts.models import User
from attendance.actions.moves import move_sign_in
from attendance.models import SignIn
from attendance.permissions import require_trainee
from attendance.states import LIVE_STATES, NOT_CONFIRMED, SignInMethod, SignInState
from classes.live.actions import announce, lock_rooms
from classes.live.protocol import Event
from classes.models import Enrolment, Lesson
from classes.permissions import require_teach
from classes.states import ClassState, EnrolmentState, LessonState
from identity.actions import issue_code, redeem_code, request_check, review_face_check
from identity.actions.locks import lock_person
from identity.models import FaceCheck
from identity.states import CheckState, Purpose
from policy.refusals import Refusal


def person_subject(lesson: Lesson, person_id: int) -> str:
    """What identity and evidence call one person in one lesson."""
    return f"{lesson.subject}/person/{person_id}"


def sign_in_by_face(*, lesson: Lesson, frames: Sequence[bytes], actor: User, at: datetime.datetime) -> SignIn:
    """Ask for the actor's face to be checked; time counts from `at` if it turns out to be them.

    A worker judges and `settle_sign_in` takes over what it found. A sign-in that is still alive is returned
    as it is; after a refusal the next call is a new try, as often as the trainee likes: nobody is locked out.

    Raises Refusal: trainee_required (403), sign_in_not_open, and what identity refuses (consent_missing,
    face_not_enrolled, frames that cannot be used).
    """
    with transaction.atomic():
        enrolment = _lock_enrolment(lesson, actor)
        if (already := _live(lesson, enrolment)) is not None:
            return already
        _judge_open(lesson, at)
        check = request_check(
            person=enrolment.person,
            purpose=Purpose.SIGN_IN,
            subject=person_subject(lesson, enrolment.person_id),
            frames=frames,
            actor=actor,
            at=at,
        )
        sign_in = SignIn.objects.create(
            enrolment=enrolment,
            lesson=lesson,
            method=SignInMethod.FACE,
            state=SignInState.CHECKING,
            requested_at=at,
            face_check=check,
        )
        _record(sign_in, "asked", actor, at, method=sign_in.method)
    return sign_in


def sign_in_by_code(*, lesson: Lesson, code: str, actor: User, at: datetime.datetime) -> SignIn:
    """Sign in with a code that the assistant gave this trainee; it then waits for the assistant to see them.

    Time counts from `at` once confirmed, exactly as after a face check (ledger, reading 13).
    Raises Refusal: trainee_required (403), sign_in_not_open, and what identity refuses of the code.
    """
    with transaction.atomic():
        enrolment = _lock_enrolment(lesson, actor)
        if (already := _live(lesson, enrolment)) is not None:
            return already
        _judge_open(lesson, at)
        lock_person(enrolment.person_id)
        lock_rooms(lesson.pk)
        redeem_code(
            person=enrolment.person,
            subject=person_subject(lesson, enrolment.person_id),
            code=code,
            actor=actor,
            at=at,
        )
        sign_in = SignIn.objects.create(
            enrolment=enrolment,
            lesson=lesson,
            method=SignInMethod.CODE,
            state=SignInState.PENDING,
            requested_at=at,
        )
        _announce(sign_in, Event.SIGNED_IN, actor, at)
        _record(sign_in, "asked", actor, at, method=sign_in.method)
    return sign_in


def issue_sign_in_code(*, lesson: Lesson, enrolment: Enrolment, actor: User, at: datetime.datetime) -> str:
    """Make a one-time code with which one trainee of the class can sign in; return its digits, kept nowhere.

    Raises Refusal: not_the_staff (403), sign_in_not_open, enrolment_not_active.
    """
    with transaction.atomic():
        require_teach(actor, lesson.training_class)
        _judge_open(lesson, at)
        if (
            enrolment.training_class_id != lesson.training_class_id
            or enrolment.state != EnrolmentState.ACTIVE
        ):
            raise Refusal(
                "enrolment_not_active",
                gettext_noop("这位学员不在本班名单里，不能发验证码。"),
                found=False,
                required=True,
                rule="P7",
                next_step=gettext_noop("请核对本班名单。"),
            )
        return issue_code(
            person=enrolment.person,
            subject=person_subject(lesson, enrolment.person_id),
            actor=actor,
            at=at,
        )


def settle_sign_in(*, sign_in: SignIn, at: datetime.datetime) -> SignIn:
    """Take over what the face check found: accepted, refused, or left to the assistant. Repeatable."""
    with transaction.atomic():
        sign_in = _lock_sign_in(sign_in)
        check = sign_in.face_check
        if check is None or sign_in.state not in (SignInState.CHECKING, SignInState.PENDING):
            return sign_in
        return _follow_check(sign_in, check, None, at)


def confirm_sign_in(*, sign_in: SignIn, actor: User, at: datetime.datetime) -> SignIn:
    """The assistant saw that it is the person: by the picture of a doubtful check, or live after a code.

    Confirming again changes nothing. Raises Refusal: not_the_staff (403), sign_in_decided when it was
    refused before, sign_in_checking while the face check is still running.
    """
    return _decide(sign_in=sign_in, same_person=True, actor=actor, at=at)


def refuse_sign_in(*, sign_in: SignIn, actor: User, at: datetime.datetime) -> SignIn:
    """The assistant saw that it is not the person, or nobody. Raises as `confirm_sign_in`."""
    return _decide(sign_in=sign_in, same_person=False, actor=actor, at=at)


def sign_out(*, lesson: Lesson, actor: User, at: datetime.datetime) -> SignIn:
    """End the actor's time in this lesson at `at`; signing in again later opens another window.

    Signing out again returns the last sign-in unchanged. Raises Refusal: trainee_required (403),
    not_signed_in, sign_out_closed.
    """
    with transaction.atomic():
        enrolment = _lock_enrolment(lesson, actor)
        sign_in = _live(lesson, enrolment)
        if sign_in is None:
            last = enrolment.sign_ins.filter(lesson=lesson, signed_out_at__isnull=False).last()
            if last is not None:
                return last
            raise Refusal(
                "not_signed_in",
                gettext_noop("这节课您还没有签到，不用签退。"),
                found=False,
                required=True,
                rule="F19",
                next_step=gettext_noop("要上课请先签到，签到以后才开始算学时。"),
            )
        _judge_sign_out(lesson, at)
        sign_in.signed_out_at = max(at, sign_in.requested_at)
        sign_in.save(update_fields=["signed_out_at"])
        _announce(sign_in, Event.SIGNED_OUT, actor, at)
        _record(sign_in, None, actor, at)
    return sign_in


def _decide(*, sign_in: SignIn, same_person: bool, actor: User, at: datetime.datetime) -> SignIn:
    wanted = SignInState.ACCEPTED if same_person else SignInState.REFUSED
    with transaction.atomic():
        sign_in = _lock_sign_in(sign_in)
        require_teach(actor, sign_in.lesson.training_class)
        if sign_in.state == wanted:
            return sign_in
        _judge_decidable(sign_in)
        check = sign_in.face_check
        if check is not None and check.state == CheckState.GREY:
            # Reviewing leaves evidence of its own: have the room's lock before the chain's.
            lock_person(sign_in.enrolment.person_id)
            lock_rooms(sign_in.lesson_id)
            check = review_face_check(check=check, reviewer=actor, same_person=same_person, at=at)
            return _follow_check(sign_in, check, actor, at)
        if same_person:
            return _move(sign_in, "accept", actor, at)
        return _move(sign_in, "refuse", actor, at, reason=NOT_CONFIRMED)


def _follow_check(sign_in: SignIn, check: FaceCheck, actor: User | None, at: datetime.datetime) -> SignIn:
    """Move a sign-in to where its face check stands."""
    if check.passed:
        return _move(sign_in, "accept", actor or check.reviewed_by, at)
    if check.state == CheckState.PENDING or (
        check.state == CheckState.GREY and sign_in.state == SignInState.PENDING
    ):
        return sign_in
    if check.state == CheckState.GREY:
        return _move(sign_in, "refer", None, at, reason=check.state)
    if check.state == CheckState.LAPSED and sign_in.state == SignInState.PENDING:
        # The picture is gone; the assistant can still decide from having seen the person in class.
        return sign_in
    return _move(sign_in, "refuse", actor or check.reviewed_by, at, reason=check.problem or check.state)


def _move(sign_in: SignIn, verb: str, by: User | None, at: datetime.datetime, *, reason: str = "") -> SignIn:
    """Move a sign-in, save it, tell the room and the evidence log.

    That a face was not recognised at once is between the trainee and the platform: the room is not told.
    """
    known_to_room = verb != "refuse" or sign_in.state == SignInState.PENDING
    move_sign_in(sign_in, verb)
    sign_in.reason = reason
    if verb != "refer":
        sign_in.decided_at, sign_in.decided_by = at, by
    sign_in.save(update_fields=["state", "reason", "decided_at", "decided_by"])
    if known_to_room:
        _announce(sign_in, Event.SIGNED_IN, by, at)
    match verb:
        case "accept":
            _record(sign_in, "accepted", by, at, method=sign_in.method, counts_from=sign_in.requested_at)
        case "refer":
            _record(sign_in, "referred", by, at, reason=reason)
        case "refuse":
            _record(sign_in, "refused", by, at, method=sign_in.method, reason=reason)
    return sign_in


def _lock_enrolment(lesson: Lesson, actor: User) -> Enrolment:
    enrolment = require_trainee(actor, lesson.training_class)
    return (
        Enrolment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("person")
        .get(pk=enrolment.pk)
    )


def _lock_sign_in(sign_in: SignIn) -> SignIn:
    """Lock the trainee's place on the roster, under which their sign-ins change; read the sign-in again."""
    Enrolment.objects.select_for_update(no_key=True).get(pk=sign_in.enrolment_id)
    return SignIn.objects.select_related(
        "enrolment", "lesson__training_class", "face_check__reviewed_by"
    ).get(pk=sign_in.pk)


def _live(lesson: Lesson, enrolment: Enrolment) -> SignIn | None:
    return SignIn.objects.filter(
        enrolment=enrolment, lesson=lesson, state__in=LIVE_STATES, signed_out_at__isnull=True
    ).first()


def sign_in_opens_at(lesson: Lesson) -> datetime.datetime:
    """From when on trainees may sign in; raises Refusal edition_unset where the edition does not say."""
    before = edition(lesson.training_class.edition).seconds("sign_in_opens_before")
    return lesson.starts_at - datetime.timedelta(seconds=before)


def _judge_open(lesson: Lesson, at: datetime.datetime) -> None:
    """Raises Refusal sign_in_not_open unless somebody could sign in to this lesson now."""
    fresh = Lesson.objects.select_related("training_class").get(pk=lesson.pk)
    if not fresh.is_roomed or fresh.training_class.state not in (ClassState.APPROVED, ClassState.RUNNING):
        message, next_step = (
            gettext_noop("这节课不用在线签到。"),
            gettext_noop("请在课表里看看下一节直播课。"),
        )
        raise Refusal(
            "sign_in_not_open",
            message,
            found=ClassState(fresh.training_class.state),
            required=True,
            rule="F19",
            next_step=next_step,
        )
    if fresh.state == LessonState.CLOSED:
        raise Refusal(
            "sign_in_not_open",
            gettext_noop("这节课已经结束，不能再签到。"),
            found=fresh.closed_at,
            required=True,
            rule="F19",
            next_step=gettext_noop("没听到的部分，以后可以看回放。"),
        )
    if at < (opens_at := sign_in_opens_at(fresh)):
        raise Refusal(
            "sign_in_not_open",
            gettext_noop("还没到签到时间。"),
            found=at,
            required=opens_at,
            rule="F19",
            next_step=gettext_noop("到时间再来签到，签到以后才开始算学时。"),
        )


def _judge_sign_out(lesson: Lesson, at: datetime.datetime) -> None:
    fresh = Lesson.objects.select_related("training_class").get(pk=lesson.pk)
    if fresh.state != LessonState.CLOSED or fresh.closed_at is None:
        return
    after = edition(fresh.training_class.edition).seconds("sign_out_closes_after")
    until = max(fresh.closed_at, fresh.ends_at) + datetime.timedelta(seconds=after)
    if at > until:
        raise Refusal(
            "sign_out_closed",
            gettext_noop("签退时间已经过了。"),
            found=at,
            required=until,
            rule="F19",
            next_step=gettext_noop("没有签退的，学时算到最后一次收到您信号的时候，不会清零。"),
        )


def _judge_decidable(sign_in: SignIn) -> None:
    if sign_in.state == SignInState.CHECKING:
        raise Refusal(
            "sign_in_checking",
            gettext_noop("这次签到还在核对，不用人工确认。"),
            found=SignInState.CHECKING,
            required=True,
            rule="P14",
            next_step=gettext_noop("请等几秒钟再看。"),
        )


def _announce(sign_in: SignIn, type: Event, by: User | None, at: datetime.datetime) -> None:
    announce(
        lesson=sign_in.lesson,
        type=type,
        data={
            "sign_in": sign_in.pk,
            "person": sign_in.enrolment.person_id,
            "method": sign_in.method,
            "state": sign_in.state,
        },
        actor=by,
        at=at,
    )


def _record(
    sign_in: SignIn, what: str | None, by: User | None, at: datetime.datetime, **facts: object
) -> None:
    audit.record(
        f"attendance.sign_in_{what}" if what else "attendance.signed_out",
        actor_id=by.pk if by else None,
        subject=person_subject(sign_in.lesson, sign_in.enrolment.person_id),
        facts={"sign_in": sign_in.pk, **facts},  # type: ignore[dict-item]
        at=at,
    )
