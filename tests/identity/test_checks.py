"""Checks: asked for, judged once, in doubt decided by a person, and no picture kept for long."""

import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.models import Entry
from identity import actions, outcomes, tasks
from identity.faces import get_engine, sface
from identity.faces.port import FacePolicy
from identity.models import FaceCheck, FaceFrames, FaceTemplate
from identity.states import CheckState, Outcome, Purpose
from policy.refusals import Refusal
from tests.identity import pictures
from tests.identity.conftest import DESK, shown_text
from tests.identity.pictures import burst

pytestmark = pytest.mark.django_db

MINUTE = datetime.timedelta(minutes=1)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bands in which the portraits of one person taken years apart are in doubt."""
    policy = FacePolicy(accept_permille=990, grey_permille=300, least_face_px=48)
    monkeypatch.setattr(sface.SFaceEngine, "policy", policy)


@pytest.fixture
def doubtful(strict: None, enrolled: FaceTemplate, sign_in: dict[str, Any]) -> FaceCheck:
    return actions.check_face(**sign_in, frames=burst("person_b_2"))


def test_the_right_person_passes(enrolled, sign_in, now):
    check = actions.check_face(**sign_in, frames=burst("person_b_2"))
    assert (check.state, check.outcome, check.passed) == (CheckState.ACCEPTED, Outcome.ACCEPT, True)
    assert check.template == enrolled
    assert not FaceFrames.objects.exists()
    entry = Entry.objects.get(kind="face.checked")
    assert entry.subject == DESK
    assert entry.facts == {
        "check": check.pk,
        "purpose": "sign_in",
        "outcome": "accept",
        "problem": None,
        "engine": get_engine().engine_id,
        "score_permille": check.score_permille,
        "template": enrolled.commitment,
    }


@pytest.mark.parametrize("stranger", ["impostor_1", "impostor_2", "person_a_1", "person_a_2"])
def test_another_person_does_not(enrolled, sign_in, stranger):
    check = actions.check_face(**sign_in, frames=burst(stranger))
    assert (check.state, check.passed) == (CheckState.REJECTED, False)
    assert check.score_permille is not None
    assert check.score_permille < 300
    assert not FaceFrames.objects.exists()


@pytest.mark.parametrize("gone", ["withdrawn", "expired"])
def test_a_face_enrolled_anew_is_seen_by_a_person_once(enrolled, sign_in, learner, assistant, now, gone):
    person = sign_in["person"]
    if gone == "withdrawn":
        actions.withdraw_consent(person=person, actor=learner, at=now)
        actions.give_consent(person=person, actor=learner, at=now, text_version=shown_text(now))
    else:
        sign_in["at"] = now = enrolled.expires_at
        actions.destroy_expired_templates(at=now)
    actions.enrol_face(person=person, frames=burst("impostor_1"), actor=learner, at=now)
    for _try in range(2):
        check = actions.check_face(**sign_in, frames=burst("impostor_1"))
        assert (check.state, check.passed) == (CheckState.GREY, False)
        assert check.score_permille is not None
        assert check.score_permille > get_engine().policy.accept_permille
        assert actions.check_face(**sign_in, frames=burst("person_b_2")).state == CheckState.REJECTED
        actions.review_face_check(check=check, reviewer=assistant, same_person=False, at=now)
    check = actions.check_face(**sign_in, frames=burst("impostor_1"))
    actions.review_face_check(check=check, reviewer=assistant, same_person=True, at=now)
    assert actions.check_face(**sign_in, frames=burst("impostor_1")).state == CheckState.ACCEPTED


def test_a_face_in_doubt_does_not_replace_the_one_enrolled(strict, enrolled, person, learner, now):
    with pytest.raises(Refusal) as refused:
        actions.enrol_face(person=person, frames=burst("person_b_2"), actor=learner, at=now)
    assert (refused.value.code, refused.value.required) == ("face_unlike_enrolled", 990)
    assert isinstance(refused.value.found, int)
    assert refused.value.found > 300
    tried = actions.request_enrolment(person=person, frames=burst("person_b_2"), actor=learner, at=now)
    assert actions.judge_check(check_id=tried.pk, at=now).state == CheckState.REJECTED
    assert FaceTemplate.objects.get() == enrolled


def test_a_face_that_replaced_a_new_one_is_no_less_new(enrolled, sign_in, learner, now):
    person = sign_in["person"]
    actions.withdraw_consent(person=person, actor=learner, at=now)
    actions.give_consent(person=person, actor=learner, at=now, text_version=shown_text(now))
    for _again in range(2):
        actions.enrol_face(person=person, frames=burst("person_b_1"), actor=learner, at=now)
    assert actions.check_face(**sign_in, frames=burst("person_b_2")).state == CheckState.GREY


def test_trying_again_is_always_possible(enrolled, sign_in):
    for _try in range(3):
        assert not actions.check_face(**sign_in, frames=burst("impostor_1", 1)).passed
    assert actions.check_face(**sign_in, frames=burst("person_b_2", 1)).passed


def test_unusable_pictures_say_why(enrolled, sign_in):
    check = actions.check_face(**sign_in, frames=[pictures.dark("person_b_2")])
    assert (check.state, check.problem, check.score_permille) == (CheckState.UNUSABLE, "image_too_dark", None)
    assert Entry.objects.get(kind="face.checked").facts["problem"] == "image_too_dark"


def test_a_request_is_judged_by_a_worker_after_commit(enrolled, sign_in, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        check = actions.request_check(**sign_in, frames=burst("person_b_2"))
        assert check.state == CheckState.PENDING
        assert FaceFrames.objects.filter(face_check=check).exists()
    check.refresh_from_db()
    assert check.passed
    assert not FaceFrames.objects.exists()


def test_pictures_wait_encrypted(enrolled, sign_in):
    frames = burst("person_b_2", 2)
    check = actions.request_check(**sign_in, frames=frames)
    sealed = bytes(check.frames.sealed)
    assert b"JFIF" not in sealed
    assert frames[0][:200] not in sealed


def test_asking_again_while_one_waits_is_asking_once(enrolled, sign_in):
    first = actions.request_check(**sign_in, frames=burst("person_b_2"))
    assert actions.request_check(**sign_in, frames=burst("impostor_1")) == first
    assert FaceCheck.objects.count() == 1


def test_judging_twice_changes_nothing(enrolled, sign_in, now):
    check = actions.check_face(**sign_in, frames=burst("person_b_2"))
    again = actions.judge_check(check_id=check.pk, at=now + MINUTE)
    assert (again.judged_at, again.state) == (now, CheckState.ACCEPTED)
    assert Entry.objects.filter(kind="face.checked").count() == 1


def test_without_a_template_a_check_is_refused(consented, sign_in):
    with pytest.raises(Refusal) as caught:
        actions.request_check(**sign_in, frames=burst("person_b_2", 1))
    assert caught.value.code == "face_not_enrolled"
    assert not FaceCheck.objects.exists()


def test_nobody_shows_a_face_for_somebody_else(enrolled, sign_in, trainer):
    with pytest.raises(Refusal) as caught:
        actions.request_check(**{**sign_in, "actor": trainer}, frames=burst("person_b_2", 1))
    assert caught.value.code == "not_yourself"
    assert not FaceCheck.objects.exists()


def test_an_enrolment_that_still_waits_is_judged_before_the_check(consented, learner, sign_in, now):
    enrolment = actions.request_enrolment(person=consented, frames=burst("person_b_1"), actor=learner, at=now)
    check = actions.request_check(**sign_in, frames=burst("person_b_2"))
    assert actions.judge_check(check_id=check.pk, at=now).passed
    enrolment.refresh_from_db()
    assert (enrolment.state, enrolment.purpose) == (CheckState.ACCEPTED, Purpose.ENROL)
    assert enrolment.template == FaceTemplate.objects.get()


def test_an_enrolment_of_somebody_else_leaves_the_template(enrolled, person, learner, now):
    check = actions.request_enrolment(person=person, frames=burst("impostor_1"), actor=learner, at=now)
    check = actions.judge_check(check_id=check.pk, at=now)
    assert check.state == CheckState.REJECTED
    assert FaceTemplate.objects.get(destroyed_at__isnull=True) == enrolled


def test_pictures_that_waited_too_long_are_deleted_unjudged(enrolled, sign_in, now):
    check = actions.request_check(**sign_in, frames=burst("person_b_2"))
    assert actions.expire_pictures(at=now + 59 * MINUTE) == 0
    assert actions.expire_pictures(at=now + 60 * MINUTE) == 1
    check.refresh_from_db()
    assert (check.state, check.problem) == (CheckState.UNUSABLE, "frames_expired")
    assert not FaceFrames.objects.exists()
    assert actions.judge_check(check_id=check.pk, at=now + 61 * MINUTE).state == CheckState.UNUSABLE


def test_a_check_in_doubt_keeps_one_picture_for_a_person(doubtful, assistant, now):
    assert (doubtful.state, doubtful.outcome, doubtful.passed) == (CheckState.GREY, Outcome.GREY, False)
    picture = actions.open_picture(check=doubtful, reviewer=assistant, at=now)
    assert picture in burst("person_b_2")
    entry = Entry.objects.get(kind="face.picture_seen")
    assert (entry.actor_id, entry.facts) == (assistant.pk, {"check": doubtful.pk})


@pytest.mark.parametrize(("same", "state"), [(True, CheckState.CONFIRMED), (False, CheckState.DENIED)])
def test_a_person_decides_and_the_picture_goes(doubtful, assistant, now, same, state):
    check = actions.review_face_check(check=doubtful, reviewer=assistant, same_person=same, at=now + MINUTE)
    assert (check.state, check.passed, check.outcome) == (state, same, Outcome.GREY)
    assert (check.reviewed_by, check.reviewed_at) == (assistant, now + MINUTE)
    assert not FaceFrames.objects.exists()
    assert Entry.objects.get(kind="face.reviewed").facts == {"check": check.pk, "same_person": same}

    actions.review_face_check(check=check, reviewer=assistant, same_person=same, at=now + 2 * MINUTE)
    assert Entry.objects.filter(kind="face.reviewed").count() == 1
    with pytest.raises(Refusal) as caught:
        actions.review_face_check(check=check, reviewer=assistant, same_person=not same, at=now + 3 * MINUTE)
    assert caught.value.code == "check_not_in_doubt"
    check.refresh_from_db()
    assert check.state == state


def test_only_who_is_in_charge_decides_or_looks(doubtful, learner, manager, rival, regulator, now):
    for user in (learner, manager, rival, regulator):
        for attempt in (
            lambda user=user: actions.review_face_check(
                check=doubtful, reviewer=user, same_person=True, at=now
            ),
            lambda user=user: actions.open_picture(check=doubtful, reviewer=user, at=now),
        ):
            with pytest.raises(Refusal) as caught:
                attempt()
            assert (caught.value.code, caught.value.status) == ("not_in_charge", 403)
    doubtful.refresh_from_db()
    assert doubtful.state == CheckState.GREY
    assert not Entry.objects.filter(kind__in=["face.reviewed", "face.picture_seen"]).exists()


def test_nobody_is_in_charge_of_what_no_floor_answers_for(strict, enrolled, sign_in, assistant, now):
    check = actions.check_face(**{**sign_in, "subject": "nowhere/1"}, frames=burst("person_b_2"))
    with pytest.raises(Refusal) as caught:
        actions.review_face_check(check=check, reviewer=assistant, same_person=True, at=now)
    assert caught.value.code == "not_in_charge"


def test_a_doubt_that_nobody_resolves_lapses_with_its_picture(doubtful, assistant, now):
    assert actions.expire_pictures(at=now + 7 * DAY) == 1
    doubtful.refresh_from_db()
    assert (doubtful.state, doubtful.passed) == (CheckState.LAPSED, False)
    assert not FaceFrames.objects.exists()
    assert Entry.objects.get(kind="face.lapsed").actor_id is None
    with pytest.raises(Refusal):
        actions.open_picture(check=doubtful, reviewer=assistant, at=now + 7 * DAY)


def test_the_floor_above_hears_of_every_judgement(
    doubtful, enrolled, sign_in, assistant, now, monkeypatch, django_capture_on_commit_callbacks
):
    heard: list[int] = []
    monkeypatch.setattr(outcomes, "_handlers", {})
    outcomes.register(Purpose.SIGN_IN, lambda check_id, at: heard.append(check_id))
    with django_capture_on_commit_callbacks(execute=True):
        actions.review_face_check(check=doubtful, reviewer=assistant, same_person=True, at=now)
    with django_capture_on_commit_callbacks(execute=True):
        check = actions.request_check(**{**sign_in, "subject": "desk/2"}, frames=burst("impostor_1", 1))
    assert heard == [doubtful.pk, check.pk]


def test_workers_pick_up_what_was_left_lying(enrolled, sign_in, now, time_machine):
    check = actions.request_check(**sign_in, frames=burst("person_b_2"))
    time_machine.move_to(now + datetime.timedelta(seconds=10))
    tasks.judge_waiting()
    check.refresh_from_db()
    assert check.state == CheckState.PENDING  # its own message is still on the way
    time_machine.move_to(now + MINUTE)
    tasks.judge_waiting()
    check.refresh_from_db()
    assert check.passed


def test_the_nightly_task_destroys_what_is_due(enrolled, sign_in, time_machine):
    actions.request_check(**sign_in, frames=burst("person_b_2"))
    time_machine.move_to(enrolled.expires_at + MINUTE)
    tasks.destroy_expired()
    enrolled.refresh_from_db()
    assert enrolled.destroyed_at
    assert not FaceFrames.objects.exists()


def test_the_database_refuses_a_judged_check_without_a_time(enrolled, sign_in):
    check = actions.request_check(**sign_in, frames=burst("person_b_2"))
    with pytest.raises(IntegrityError, match="judged_once"), transaction.atomic():
        FaceCheck.objects.filter(pk=check.pk).update(state="accepted")
