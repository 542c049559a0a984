"""After filing: what may still change in which state, and the way to a new filing."""

import datetime

import pytest
from django.db import transaction
from django.urls import reverse
from rest_framework.test import APIClient

from audit import reconciliation
from audit.models import Entry
from classes import actions, permissions
from classes.models import Booking, Filing, TrainingClass
from classes.reviews import differences
from classes.states import CHANGES, EDITABLE_STATES, Change, ClassState, FilingState
from policy.refusals import Refusal
from tests.cast import client_of
from tests.classes.school import draft, gyb_drafts, weeks_later
from tests.classes.test_filing import refused

REASON = "讲师生病，要换人、改期。"


@pytest.fixture(autouse=True)
def _monday(time_machine, now):
    time_machine.move_to(now.astimezone(datetime.UTC), tick=False)


def approved(school):
    filing = school.decide(school.filed())
    filing.training_class.refresh_from_db()
    return filing


def supersede(school, filing, reason=REASON):
    return actions.supersede_filing(filing=filing, reason=reason, actor=school.cast.manager, at=school.at)


def test_every_state_says_how_its_filed_content_changes():
    assert set(CHANGES) == set(ClassState)
    assert set(EDITABLE_STATES) == {ClassState.DRAFT, ClassState.RETURNED}


@pytest.mark.parametrize("state", [state for state in ClassState if state not in EDITABLE_STATES])
def test_what_may_not_change_says_which_way_is_left(school, state):
    training_class = school.create()
    training_class.state = state
    with pytest.raises(Refusal) as error:
        permissions.require_editable(training_class)
    assert error.value.code == "class_not_editable"
    words = {Change.WITHDRAW: "撤回备案", Change.REFILE: "变更备案", Change.FIXED: "按备案的内容上完"}
    assert words[CHANGES[state]] in error.value.next_step


def test_the_log_bears_out_an_approval_that_was_given_up(school):
    filing = approved(school)
    chain = filing.training_class.subject
    assert reconciliation.differences(chain) == []
    supersede(school, filing)
    assert reconciliation.differences(chain) == []
    for change in ({"state": "approved"}, {"number": "郑创备〔2026〕0413 号"}, {"accepted": ["full_live"]}):
        with transaction.atomic():
            Filing.objects.filter(pk=filing.pk).update(**change)
            assert {one.row.partition("/")[0] for one in reconciliation.differences(chain)} >= {
                "classes_filing"
            }
            transaction.set_rollback(True)


def test_a_change_gives_up_the_approval_and_starts_over(school):
    filing = approved(school)
    supersede(school, filing)
    filing.refresh_from_db()
    training_class = filing.training_class
    training_class.refresh_from_db()
    assert (filing.state, training_class.state) == (FilingState.SUPERSEDED, ClassState.DRAFT)
    assert (filing.number, filing.change_reason) == ("郑创备〔2026〕0412 号", REASON)
    assert not Booking.objects.exists()
    entry = Entry.objects.get(chain=training_class.subject, kind="filing.superseded")
    assert entry.facts["filing"] == filing.pk
    assert REASON not in str(entry.facts)

    school.schedule(training_class, [*gyb_drafts()[:-1], draft(6, "09:30", "exam", 2, "考试改期")])
    refused(  # the five working days run anew
        lambda: actions.submit_filing(
            training_class=training_class,
            actor=school.cast.manager,
            at=datetime.datetime(2026, 9, 16, 9, tzinfo=school.at.tzinfo),
        ),
        "findings_failed",
    )
    second = actions.submit_filing(
        training_class=training_class, actor=school.cast.manager, at=school.at + datetime.timedelta(days=1)
    )
    assert [one.part for one in differences(filing.snapshot, second.snapshot)] == ["课表"]
    assert Entry.objects.get(kind="filing.submitted", facts__filing=second.pk).facts["round"] == 2
    school.decide(second, number="郑创备〔2026〕0413 号")
    training_class.refresh_from_db()
    assert training_class.state == ClassState.APPROVED


def test_no_lesson_opens_between_a_change_and_its_approval(school, cast):
    filing = approved(school)
    lesson = filing.training_class.lessons.first()
    supersede(school, filing)
    refused(
        lambda: actions.open_lesson(lesson=lesson, actor=cast.trainer, at=lesson.starts_at),
        "class_not_approved",
    )


@pytest.mark.parametrize("reason", ["", "  ", "长" * 501])
def test_a_change_needs_its_reason(school, reason):
    filing = approved(school)
    refused(lambda: supersede(school, filing, reason), "reason_missing")
    filing.refresh_from_db()
    assert filing.state == FilingState.APPROVED


def test_once_training_has_begun_the_filing_stands(school, cast):
    filing = approved(school)
    lesson = filing.training_class.lessons.first()
    actions.open_lesson(lesson=lesson, actor=cast.trainer, at=lesson.starts_at)
    refused(lambda: supersede(school, filing), "move_refused")
    filing.refresh_from_db()
    assert filing.state == FilingState.APPROVED
    assert Booking.objects.exists()


def test_what_is_not_approved_is_not_changed_this_way(school):
    refused(lambda: supersede(school, school.filed()), "move_refused")


def test_a_class_may_keep_its_number_and_no_other_gets_it(school):
    filing = approved(school)
    other = school.ready(name="另一个班", **weeks_later(4))
    other_filing = actions.submit_filing(training_class=other, actor=school.cast.manager, at=school.at)
    refused(lambda: school.decide(other_filing, number=filing.number), "filing_number_taken")
    supersede(school, filing)
    second = actions.submit_filing(
        training_class=filing.training_class,
        actor=school.cast.manager,
        at=school.at + datetime.timedelta(hours=1),
    )
    refused(lambda: school.decide(other_filing, number=filing.number), "filing_number_taken")
    assert school.decide(second, number=filing.number).number == filing.number


def test_the_change_is_made_on_its_page(school, manager, officer, rival):
    filing = approved(school)
    page = reverse("classes:filing", args=[filing.training_class_id])
    url = reverse("classes:change", args=[filing.pk])
    shown = client_of(manager).get(page).content.decode()
    assert url in shown
    assert "要办变更备案，重新提交、重新审核" in shown
    assert "现在的备案就不再有效" in client_of(manager).get(url).content.decode()
    assert client_of(manager).post(url, {"reason": ""}).status_code == 400
    assert client_of(officer).post(url, {"reason": REASON}).status_code == 403
    assert client_of(rival).get(url).status_code == 404
    assert Filing.objects.get().state == FilingState.APPROVED
    done = client_of(manager).post(url, {"reason": REASON}, follow=True).content.decode()
    assert "现在可以改了" in done
    assert REASON in done  # in the history
    again = client_of(manager).post(url, {"reason": REASON})
    assert again.status_code == 409


def test_trainees_are_told_and_do_not_see_the_draft(school):
    filing = approved(school)
    learner = filing.training_class.enrolments.first().person.user
    name, page = filing.training_class.name, reverse("classes:detail", args=[filing.training_class_id])
    client = client_of(learner)
    assert client.get(page).status_code == 200
    supersede(school, filing)
    for address in (reverse("start"), reverse("classes:list")):
        shown = client.get(address).content.decode()
        assert f"“{name}”正在办理变更备案" in shown
        assert page not in shown
    assert client.get(page).status_code == 404

    second = actions.submit_filing(
        training_class=TrainingClass.objects.get(), actor=school.cast.manager, at=school.at
    )
    school.decide(second, number="郑创备〔2026〕0413 号")
    shown = client.get(reverse("classes:list")).content.decode()
    assert page in shown
    assert "正在办理变更备案" not in shown


def test_the_api_changes_too(school, manager, rival):
    filing = approved(school)
    client = APIClient()
    client.force_authenticate(rival)
    url = f"/api/v1/filings/{filing.pk}/change/"
    assert client.post(url, {"reason": REASON}, format="json").status_code == 404
    client.force_authenticate(manager)
    assert client.post(url, {}, format="json").status_code == 400
    assert client.post(url, {"reason": REASON}, format="json").json()["state"] == "superseded"


def test_a_returned_class_shows_what_it_changed_before_it_is_sent_again(school, manager):
    filing = school.decide(school.filed(), approved=False)
    page = reverse("classes:filing", args=[filing.training_class_id])
    assert "和上次提交相比" not in client_of(manager).get(page).content.decode()
    school.schedule(filing.training_class, [*gyb_drafts()[:-1], draft(6, "09:30", "exam", 2, "考试改期")])
    assert "和上次提交相比，现在有 1 处不同" in client_of(manager).get(page).content.decode()


def test_a_trainee_whose_name_was_mended_is_a_difference(school):
    filing = school.decide(school.filed(), approved=False)
    person = filing.training_class.enrolments.first().person
    before, person.name = person.name, "改名人"
    person.save()
    second = actions.submit_filing(
        training_class=filing.training_class,
        actor=school.cast.manager,
        at=school.at + datetime.timedelta(hours=1),
    )
    [difference] = differences(filing.snapshot, second.snapshot)
    assert before in difference.old
    assert difference.new.startswith("改名人，身份证号 ")
