"""Consent: separate, to a known text, withdrawable, and nothing of a face without it."""

import datetime
from importlib import resources

import pytest
import yaml

from audit.models import Entry
from identity import actions, consent_texts, queries
from identity.models import Consent, FaceCheck, FaceFrames, FaceTemplate, TemplateKey
from identity.states import CheckState, ConsentPurpose, Destroyed
from policy.refusals import Refusal
from tests.identity.conftest import DESK, shown_text
from tests.identity.pictures import burst

pytestmark = pytest.mark.django_db

HOUR = datetime.timedelta(hours=1)


def text() -> consent_texts.ConsentText:
    return consent_texts.current_text(ConsentPurpose.FACE, on=datetime.date(2026, 9, 7))


def test_the_text_says_what_the_law_wants_said():
    """人脸识别技术应用安全管理办法 第五条、第六条、第八条、第十条."""
    shown = text().rendered(consent_texts.Processor("某平台", "某电话"))
    for said in (
        "某平台", "某电话",  # the processor and how to reach them
        "用来做什么", "怎么处理", "保存多久",  # purpose, manner, retention
        "为什么需要", "对您有什么影响",  # necessity and effect
        "随时可以撤回", "不同意也一样上课", "学时一样算", "经互联网传输", "监护人",
    ):  # fmt: skip
        assert said in shown or said.replace("随时可以", "可以随时") in shown, said


def test_the_numbers_in_the_text_are_the_numbers_kept_to():
    shown = text().rendered(consent_texts.Processor("", ""))
    assert f"{text().template_lifetime.days} 天" in shown
    assert f"最多 {text().doubtful_frame_lifetime.days} 天" in shown
    assert f"{text().waiting_frame_lifetime // datetime.timedelta(minutes=1)} 分钟" in shown


def test_every_published_text_loads_under_its_own_name():
    folder = resources.files(consent_texts)
    for file in folder.iterdir():
        if file.name.endswith(".yaml"):
            version = yaml.safe_load(file.read_text(encoding="utf-8"))["version"]
            assert file.name == f"{version}.yaml"
            assert consent_texts.text(version).version == version


def test_consent_keeps_the_very_text_that_was_shown(person, learner, now, settings):
    consent = actions.give_consent(person=person, actor=learner, at=now, text_version=text().version)
    again = consent_texts.Processor(consent.operator, consent.contact)
    assert consent.operator == settings.OPERATOR_NAME
    assert consent.text_sha256 == consent_texts.text(consent.text_version).sha256(again)
    entry = Entry.objects.get(kind="consent.given")
    assert entry.subject == f"person/{person.pk}"
    assert entry.facts == {
        "consent": consent.pk,
        "purpose": "face",
        "version": consent.text_version,
        "text": consent.text_sha256,
    }


def test_consenting_twice_is_consenting_once(person, learner, now):
    first = actions.give_consent(person=person, actor=learner, at=now, text_version=shown_text(now))
    assert (
        actions.give_consent(person=person, actor=learner, at=now + HOUR, text_version=shown_text(now))
        == first
    )
    assert Consent.objects.count() == Entry.objects.filter(kind="consent.given").count() == 1


def test_consent_to_a_changed_text_replaces_the_former_and_keeps_the_template(
    enrolled, person, learner, now, settings
):
    settings.OPERATOR_CONTACT = "0371-11111111"
    later = actions.give_consent(person=person, actor=learner, at=now + HOUR, text_version=shown_text(now))
    assert queries.open_consent(person) == later
    assert Consent.objects.filter(person=person).count() == 2
    assert queries.live_template(person, enrolled.engine_id) == enrolled


def test_nobody_consents_for_somebody_else(person, assistant, now):
    with pytest.raises(Refusal) as caught:
        actions.give_consent(person=person, actor=assistant, at=now, text_version=shown_text(now))
    assert (caught.value.code, caught.value.status) == ("not_yourself", 403)
    assert not Consent.objects.exists()


def test_consent_to_an_old_screen_is_refused(person, learner, now):
    with pytest.raises(Refusal) as caught:
        actions.give_consent(person=person, actor=learner, at=now, text_version="face-2020-01-01")
    assert (caught.value.code, caught.value.required) == ("consent_text_outdated", text().version)
    assert not Consent.objects.exists()


def test_without_a_named_operator_nobody_can_consent(person, learner, now, settings):
    settings.OPERATOR_NAME = ""
    with pytest.raises(Refusal) as caught:
        actions.give_consent(person=person, actor=learner, at=now, text_version=shown_text(now))
    assert caught.value.code == "operator_unset"
    assert not Consent.objects.exists()


def test_without_consent_no_face_is_taken(person, learner, sign_in, now):
    for ask in (
        lambda: actions.enrol_face(person=person, frames=burst("person_b_1", 1), actor=learner, at=now),
        lambda: actions.request_enrolment(
            person=person, frames=burst("person_b_1", 1), actor=learner, at=now
        ),
        lambda: actions.request_check(**sign_in, frames=burst("person_b_1", 1)),
    ):
        with pytest.raises(Refusal) as caught:
            ask()
        assert caught.value.code == "consent_missing"
        assert "验证码" in caught.value.next_step
    assert not FaceTemplate.objects.exists()
    assert not FaceCheck.objects.exists()
    assert not FaceFrames.objects.exists()
    assert not Entry.objects.filter(kind__startswith="face.").exists()


def test_withdrawing_destroys_templates_and_pictures_at_once(enrolled, person, learner, sign_in, now):
    waiting = actions.request_check(**sign_in, frames=burst("person_b_2", 1))
    consent = actions.withdraw_consent(person=person, actor=learner, at=now + HOUR)

    assert consent.withdrawn_at == now + HOUR
    assert queries.open_consent(person) is None
    enrolled.refresh_from_db()
    assert (bytes(enrolled.ciphertext), enrolled.destroyed_because) == (b"", Destroyed.WITHDRAWN)
    assert not TemplateKey.objects.exists()
    assert not FaceFrames.objects.exists()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.problem) == (CheckState.UNUSABLE, "consent_missing")
    kinds = list(Entry.objects.filter(at=now + HOUR).order_by("pk").values_list("kind", flat=True))
    assert kinds == ["consent.withdrawn", "face.destroyed", "face.checked"]


def test_withdrawing_twice_changes_nothing(consented, learner, now):
    first = actions.withdraw_consent(person=consented, actor=learner, at=now + HOUR)
    again = actions.withdraw_consent(person=consented, actor=learner, at=now + 2 * HOUR)
    assert again == first
    assert again.withdrawn_at == now + HOUR
    assert Entry.objects.filter(kind="consent.withdrawn").count() == 1


def test_withdrawing_what_was_never_given_is_refused(person, learner, now):
    with pytest.raises(Refusal) as caught:
        actions.withdraw_consent(person=person, actor=learner, at=now)
    assert caught.value.code == "consent_missing"


def test_nobody_withdraws_for_somebody_else(enrolled, person, assistant, now):
    with pytest.raises(Refusal):
        actions.withdraw_consent(person=person, actor=assistant, at=now)
    assert queries.open_consent(person)
    assert TemplateKey.objects.filter(template=enrolled).exists()


def test_what_was_proven_before_stays_proven(enrolled, person, learner, sign_in, now):
    check = actions.check_face(**sign_in, frames=burst("person_b_2", 2))
    assert check.passed
    actions.withdraw_consent(person=person, actor=learner, at=now + HOUR)
    check.refresh_from_db()
    assert check.passed
    assert check.subject == DESK
