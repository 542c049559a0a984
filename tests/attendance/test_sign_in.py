"""Signing in by face and by code, the assistant's word, and signing out."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.http import Http404
from time_machine import TimeMachineFixture

from attendance import actions, queries
from attendance.models import SignIn
from attendance.states import SignInMethod, SignInState
from audit.models import Entry
from classes.live.models import RoomEvent
from classes.models import Lesson, TrainingClass
from classes.states import ClassState, LessonState
from config.demo.cast import Cast
from identity.faces import sface
from identity.faces.port import FacePolicy
from identity.models import FaceTemplate
from policy.refusals import Refusal
from tests.attendance.conftest import Room, clock
from tests.identity.pictures import burst, dark

pytestmark = pytest.mark.django_db
Capture = Callable[..., Any]


@pytest.fixture
def judged(
    django_capture_on_commit_callbacks: Capture, time_machine: TimeMachineFixture
) -> Callable[..., SignIn]:
    """Sign in by face and let the worker judge, as it does once the request has committed."""

    def sign_in(lesson: Lesson, frames: tuple[bytes, ...], cast: Cast, at: str = "08:35") -> SignIn:
        time_machine.move_to(clock(at).astimezone(datetime.UTC), tick=False)  # the worker reads the clock
        with django_capture_on_commit_callbacks(execute=True):
            asked = actions.sign_in_by_face(lesson=lesson, frames=frames, actor=cast.learner, at=clock(at))
        asked.refresh_from_db()
        return asked

    return sign_in


@pytest.fixture
def doubting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bands in which two portraits of one person, years apart, are in doubt."""
    policy = FacePolicy(accept_permille=990, grey_permille=300, least_face_px=48)
    monkeypatch.setattr(sface.SFaceEngine, "policy", policy)


def kinds() -> list[str]:
    entries = Entry.objects.filter(kind__startswith="attendance.").order_by("pk")
    return list(entries.values_list("kind", flat=True))


def refused(call: Callable[..., Any], **arguments: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call(**arguments)
    return caught.value


# --- by face ---


def test_the_right_face_is_accepted_and_time_counts_from_when_it_was_shown(
    cast: Cast, lesson: Lesson, enrolled: FaceTemplate, judged: Callable[..., SignIn]
) -> None:
    sign_in = judged(lesson, burst("person_b_2"), cast)
    assert (sign_in.state, sign_in.method, sign_in.requested_at) == ("accepted", "face", clock("08:35"))
    assert sign_in.decided_by is None
    assert kinds() == ["attendance.sign_in_asked", "attendance.sign_in_accepted"]
    entry = Entry.objects.get(kind="attendance.sign_in_accepted")
    assert entry.subject == f"{lesson.subject}/person/{cast.learner.person_id}"
    assert entry.facts["counts_from"].startswith("2026-09-07T00:35:00")
    [event] = RoomEvent.objects.filter(room_id=lesson.pk)
    assert (event.type, event.data["state"]) == ("person.signed_in", "accepted")


def test_the_wrong_face_is_refused_earns_nothing_and_the_room_is_not_told(
    cast: Cast, room: Room, lesson: Lesson, enrolled: FaceTemplate, judged: Callable[..., SignIn]
) -> None:
    sign_in = judged(lesson, burst("impostor_1"), cast)
    assert (sign_in.state, sign_in.reason) == ("refused", "rejected")
    room.seen(room.learner, lesson, (clock("08:35"), clock("09:35")))
    assert queries.credit_of(room.learner).credited_microseconds == 0
    assert not RoomEvent.objects.filter(room_id=lesson.pk).exists()
    assert kinds() == ["attendance.sign_in_asked", "attendance.sign_in_refused"]


def test_who_was_not_recognised_may_try_again_as_often_as_they_like(
    cast: Cast, lesson: Lesson, enrolled: FaceTemplate, judged: Callable[..., SignIn]
) -> None:
    for minute in range(36, 42):
        assert judged(lesson, burst("impostor_2"), cast, f"08:{minute}").state == SignInState.REFUSED
    assert judged(lesson, burst("person_b_2"), cast, "08:45").state == SignInState.ACCEPTED
    assert SignIn.objects.count() == 7


def test_pictures_that_cannot_be_used_are_refused_with_what_is_wrong(
    cast: Cast, lesson: Lesson, enrolled: FaceTemplate, judged: Callable[..., SignIn]
) -> None:
    sign_in = judged(lesson, (dark("person_b_2"),), cast)
    assert (sign_in.state, sign_in.reason) == ("refused", "image_too_dark")


def test_without_consent_or_face_nothing_is_asked_for(cast: Cast, lesson: Lesson) -> None:
    refusal = refused(
        actions.sign_in_by_face,
        lesson=lesson,
        frames=burst("person_b_2"),
        actor=cast.learner,
        at=clock("08:35"),
    )
    assert refusal.code == "consent_missing"
    assert not SignIn.objects.exists()
    assert kinds() == []


def test_a_face_in_doubt_waits_for_the_assistant_and_then_counts_from_the_start(
    cast: Cast,
    room: Room,
    lesson: Lesson,
    enrolled: FaceTemplate,
    doubting: None,
    judged: Callable[..., SignIn],
    django_capture_on_commit_callbacks: Capture,
) -> None:
    sign_in = judged(lesson, burst("person_b_2"), cast)
    assert sign_in.state == SignInState.PENDING
    room.seen(room.learner, lesson, (clock("08:35"), clock("09:35")))
    assert queries.credit_of(room.learner).credited_microseconds == 0
    with django_capture_on_commit_callbacks(execute=True):
        confirmed = actions.confirm_sign_in(sign_in=sign_in, actor=cast.assistant, at=clock("09:00"))
    assert (confirmed.state, confirmed.decided_by) == (SignInState.ACCEPTED, cast.assistant)
    assert queries.credit_of(room.learner).credited_microseconds == 3600 * 1_000_000
    assert kinds() == [
        "attendance.sign_in_asked",
        "attendance.sign_in_referred",
        "attendance.sign_in_accepted",
    ]
    assert Entry.objects.filter(kind="face.reviewed").count() == 1
    again = actions.confirm_sign_in(sign_in=sign_in, actor=cast.assistant, at=clock("09:01"))
    assert again.decided_at == clock("09:00")
    assert (
        refused(actions.refuse_sign_in, sign_in=sign_in, actor=cast.assistant, at=clock("09:02")).code
        == "sign_in_decided"
    )


def test_the_assistant_may_say_that_it_is_not_the_person(
    cast: Cast,
    lesson: Lesson,
    enrolled: FaceTemplate,
    doubting: None,
    judged: Callable[..., SignIn],
) -> None:
    sign_in = judged(lesson, burst("person_b_2"), cast)
    denied = actions.refuse_sign_in(sign_in=sign_in, actor=cast.assistant, at=clock("09:00"))
    assert (denied.state, denied.reason) == (SignInState.REFUSED, "denied")


# --- the equal way ---


def by_code(cast: Cast, lesson: Lesson, room: Room, at: str = "08:35") -> SignIn:
    code = actions.issue_sign_in_code(
        lesson=lesson, enrolment=room.learner, actor=cast.assistant, at=clock("08:34")
    )
    return actions.sign_in_by_code(lesson=lesson, code=code, actor=cast.learner, at=clock(at))


def test_a_code_and_the_assistants_look_are_worth_as_much_as_a_face(
    cast: Cast, room: Room, lesson: Lesson
) -> None:
    sign_in = by_code(cast, lesson, room)
    assert (sign_in.state, sign_in.method) == (SignInState.PENDING, SignInMethod.CODE)
    room.seen(room.learner, lesson, (clock("08:30"), clock("09:35")))
    assert queries.credit_of(room.learner).credited_microseconds == 0
    confirmed = actions.confirm_sign_in(sign_in=sign_in, actor=cast.assistant, at=clock("08:50"))
    assert confirmed.state == SignInState.ACCEPTED
    assert queries.credit_of(room.learner).credited_microseconds == 3600 * 1_000_000
    assert [event.data["state"] for event in RoomEvent.objects.filter(room_id=lesson.pk)] == [
        "pending",
        "accepted",
    ]
    assert kinds() == ["attendance.sign_in_asked", "attendance.sign_in_accepted"]


def test_a_waiting_sign_in_stands_on_the_assistant_s_start_page(
    cast: Cast, room: Room, lesson: Lesson
) -> None:
    by_code(cast, lesson, room)
    [task] = queries.next_steps_for(cast.assistant, clock("08:40"))
    assert (task.url, task.urgent) == (f"/lessons/{lesson.pk}/sign-ins/", True)
    assert not list(queries.next_steps_for(cast.learner, clock("08:40")))
    assert not list(queries.next_steps_for(cast.manager, clock("08:40")))


def test_a_wrong_code_changes_nothing_and_the_right_one_still_works(
    cast: Cast, room: Room, lesson: Lesson
) -> None:
    code = actions.issue_sign_in_code(
        lesson=lesson, enrolment=room.learner, actor=cast.assistant, at=clock("08:34")
    )
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    refusal = refused(
        actions.sign_in_by_code, lesson=lesson, code=wrong, actor=cast.learner, at=clock("08:35")
    )
    assert refusal.code == "code_wrong"
    assert not SignIn.objects.exists()
    sign_in = actions.sign_in_by_code(lesson=lesson, code=code, actor=cast.learner, at=clock("08:36"))
    assert sign_in.state == SignInState.PENDING


def test_a_code_of_another_lesson_is_of_no_use(cast: Cast, room: Room, lesson: Lesson) -> None:
    other = room.lesson("14:00", "15:30", hours="2", state=LessonState.PLANNED)
    code = actions.issue_sign_in_code(
        lesson=other, enrolment=room.learner, actor=cast.assistant, at=clock("13:50")
    )
    refusal = refused(
        actions.sign_in_by_code, lesson=lesson, code=code, actor=cast.learner, at=clock("08:35")
    )
    assert refusal.code == "code_missing"


def test_an_unseen_trainee_is_refused_and_may_sign_in_again(cast: Cast, room: Room, lesson: Lesson) -> None:
    sign_in = by_code(cast, lesson, room)
    refused_one = actions.refuse_sign_in(sign_in=sign_in, actor=cast.assistant, at=clock("08:50"))
    assert (refused_one.state, refused_one.reason) == (SignInState.REFUSED, "not_confirmed")
    assert by_code(cast, lesson, room, "08:40").pk != sign_in.pk


# --- who and when ---


def test_only_the_class_s_own_staff_confirms_and_issues_codes(cast: Cast, room: Room, lesson: Lesson) -> None:
    sign_in = by_code(cast, lesson, room)
    before = Entry.objects.count()
    for actor in (cast.learner, cast.manager):
        for call, rest in (
            (actions.confirm_sign_in, {"sign_in": sign_in}),
            (actions.refuse_sign_in, {"sign_in": sign_in}),
            (actions.issue_sign_in_code, {"lesson": lesson, "enrolment": room.learner}),
        ):
            refusal = refused(call, actor=actor, at=clock("08:50"), **rest)
            assert (refusal.code, refusal.status) == ("not_the_staff", 403)
    with pytest.raises(Http404):
        actions.confirm_sign_in(sign_in=sign_in, actor=cast.rival, at=clock("08:50"))
    sign_in.refresh_from_db()
    assert sign_in.state == SignInState.PENDING
    assert Entry.objects.count() == before


def test_nobody_signs_in_for_another(cast: Cast, lesson: Lesson) -> None:
    for actor in (cast.assistant, cast.manager):
        refusal = refused(
            actions.sign_in_by_code, lesson=lesson, code="123456", actor=actor, at=clock("08:35")
        )
        assert (refusal.code, refusal.status) == ("trainee_required", 403)
    with pytest.raises(Http404):
        actions.sign_in_by_code(lesson=lesson, code="123456", actor=cast.rival, at=clock("08:35"))
    assert not SignIn.objects.exists()


@pytest.mark.parametrize(
    ("at", "state", "class_state", "kind", "code"),
    [
        ("07:59:59", LessonState.PLANNED, ClassState.RUNNING, "live", "sign_in_not_open"),
        ("08:00", LessonState.PLANNED, ClassState.RUNNING, "live", "code_missing"),
        ("08:00", LessonState.PLANNED, ClassState.APPROVED, "live", "code_missing"),
        ("08:00", LessonState.PLANNED, ClassState.SUBMITTED, "live", "sign_in_not_open"),
        ("11:40", LessonState.OPEN, ClassState.RUNNING, "live", "code_missing"),
        ("11:40", LessonState.CLOSED, ClassState.RUNNING, "live", "sign_in_not_open"),
        ("08:35", LessonState.PLANNED, ClassState.RUNNING, "exam", "sign_in_not_open"),
    ],
)
def test_signing_in_opens_half_an_hour_before_and_ends_with_the_lesson(
    cast: Cast, room: Room, at: str, state: str, class_state: str, kind: str, code: str
) -> None:
    """Where it is open, the next question is the code."""
    lesson = room.lesson("08:30", "11:30", state=state, kind=kind)
    TrainingClass.objects.update(state=class_state)
    lesson = Lesson.objects.get(pk=lesson.pk)
    refusal = refused(actions.sign_in_by_code, lesson=lesson, code="123456", actor=cast.learner, at=clock(at))
    assert refusal.code == code


def test_a_live_sign_in_is_returned_instead_of_a_second_one(cast: Cast, room: Room, lesson: Lesson) -> None:
    first = by_code(cast, lesson, room)
    second = actions.sign_in_by_code(lesson=lesson, code="000000", actor=cast.learner, at=clock("08:40"))
    assert second == first
    with pytest.raises(IntegrityError, match="sign_in_one_live_per_lesson"), transaction.atomic():
        room.signed_in(room.learner, lesson, clock("08:41"))


# --- signing out ---


def test_signing_out_ends_the_window_and_signing_in_again_opens_another(
    cast: Cast, room: Room, lesson: Lesson
) -> None:
    room.signed_in(room.learner, lesson, clock("08:30"))
    room.seen(room.learner, lesson, (clock("08:30"), clock("11:00")))
    out = actions.sign_out(lesson=lesson, actor=cast.learner, at=clock("09:30"))
    assert out.signed_out_at == clock("09:30")
    assert actions.sign_out(lesson=lesson, actor=cast.learner, at=clock("09:40")) == out
    out.refresh_from_db()
    assert out.signed_out_at == clock("09:30")
    assert kinds() == ["attendance.sign_in_accepted", "attendance.signed_out"]
    assert queries.credit_of(room.learner).credited_microseconds == 3600 * 1_000_000
    again = by_code(cast, lesson, room, "08:36")
    SignIn.objects.filter(pk=again.pk).update(requested_at=clock("10:30"))
    actions.confirm_sign_in(sign_in=again, actor=cast.assistant, at=clock("10:31"))
    assert queries.credit_of(room.learner).credited_microseconds == 5400 * 1_000_000


def test_who_has_not_signed_in_has_nothing_to_sign_out_of(cast: Cast, lesson: Lesson) -> None:
    refusal = refused(actions.sign_out, lesson=lesson, actor=cast.learner, at=clock("09:30"))
    assert refusal.code == "not_signed_in"


def test_signing_out_stays_possible_for_a_quarter_of_an_hour_after_the_lesson(cast: Cast, room: Room) -> None:
    lesson = room.lesson("08:30", "11:30", state=LessonState.CLOSED)
    room.signed_in(room.learner, lesson, clock("08:30"))
    late = clock("11:45") + datetime.timedelta(seconds=1)
    refusal = refused(actions.sign_out, lesson=lesson, actor=cast.learner, at=late)
    assert (refusal.code, refusal.required) == ("sign_out_closed", clock("11:45"))
    assert actions.sign_out(lesson=lesson, actor=cast.learner, at=clock("11:45")).signed_out_at
