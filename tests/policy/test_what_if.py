"""The what-if report: existing classes under another edition, seen by those who see the classes."""

import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.editions import all_editions
from accounts.editions import edition as find_edition
from classes.models import TrainingClass
from classes.whatif import ClassFacts, classes_to_judge, judge, what_if
from config.demo.cast import Cast
from config.demo.stages import build
from policy.calendar import state_council_calendar
from policy.refusals import Refusal
from policy.terms import HourKind
from tests.cast import client_of
from tests.policy.cases import load


@pytest.mark.parametrize("case", load("what_if"))
def test_a_classes_facts_are_judged_by_the_edition_asked_about(editions: Any, case: dict[str, Any]) -> None:
    facts = {
        "course_type": "SYB",
        "mode": "full_live",
        "trainees": 30,
        "lecturers": (1,),
        "assistants": (2,),
        "starts_on": datetime.date(2026, 10, 19),
        "filed_on": datetime.date(2026, 10, 12),
    } | case["given"]
    facts["hours"] = {HourKind(kind): Fraction(hours) for kind, hours in facts["hours"].items()}
    findings = judge(editions[case["edition"]], ClassFacts(**facts), state_council_calendar())
    blocking = [finding for finding in findings if finding.blocks]
    assert [(finding.row, finding.outcome.value) for finding in blocking] == [
        tuple(one) for one in case["expected"]
    ]


@pytest.fixture
def world(cast: Cast, catalogue: None, now: datetime.datetime) -> dict[str, TrainingClass]:
    """A class that is being drafted and one that is filed."""
    return {stage: build(cast, stage, now=now, most=1) for stage in ("draft", "filed")}


def test_a_manager_sees_which_classes_would_fail_and_why(world: dict[str, TrainingClass], cast: Cast) -> None:
    page = client_of(cast.manager).get("/classes/what-if/?edition=ningxia-2020")
    html = page.content.decode()
    assert page.status_code == 200
    assert world["filed"].name in html
    assert "作业和考试" in html
    assert "40 课时" in html
    assert "未经核对" in html


def test_it_changes_nothing_about_the_classes(world: dict[str, TrainingClass], cast: Cast) -> None:
    before = list(TrainingClass.objects.order_by("pk").values())
    client_of(cast.officer).get("/classes/what-if/?edition=ningxia-2020")
    assert list(TrainingClass.objects.order_by("pk").values()) == before


def test_its_own_edition_finds_nothing_new(
    world: dict[str, TrainingClass], cast: Cast, now: datetime.datetime
) -> None:
    results = what_if(list(classes_to_judge(cast.manager)), find_edition("demo"), today=now.date())
    assert results
    assert [one.newly for one in results] == [()] * len(results)
    stricter = what_if(list(classes_to_judge(cast.manager)), find_edition("ningxia-2020"), today=now.date())
    assert all(one.newly and not one.passes for one in stricter)


def test_the_rival_sees_none_of_it(world: dict[str, TrainingClass], cast: Cast) -> None:
    html = client_of(cast.rival).get("/classes/what-if/").content.decode()
    assert world["filed"].name not in html
    assert "还没有可以试算的培训班" in html
    assert client_of(cast.rival).get("/api/v1/policy/what-if/?edition=demo").json()["count"] == 0


@pytest.mark.parametrize("who", ["learner", "trainer", "assistant", "regulator"])
def test_it_is_for_those_who_answer_for_classes(cast: Cast, who: str) -> None:
    client = client_of(getattr(cast, who))
    assert client.get("/classes/what-if/").status_code == 403
    refused = client.get("/api/v1/policy/what-if/?edition=demo")
    assert (refused.status_code, refused.json()["code"]) == (403, "role_required")


def test_the_api_gives_findings_with_numbers_and_reading(world: dict[str, TrainingClass], cast: Cast) -> None:
    answer = client_of(cast.officer).get("/api/v1/policy/what-if/?edition=ningxia-2020").json()
    one = next(item for item in answer["results"] if item["id"] == world["filed"].pk)
    assert (one["edition"], one["passed"], one["passes"]) == ("demo", True, False)
    assert "total_hours" in one["newly"]
    total = next(finding for finding in one["findings"] if finding["code"] == "total_hours")
    assert (total["outcome"], total["required"]) == ("failed", 40)
    assert total["numbers"][0]["source"].endswith("未经核对")


def test_an_unknown_edition_is_refused(cast: Cast, db: None) -> None:
    refused = client_of(cast.manager).get("/api/v1/policy/what-if/?edition=nowhere")
    assert (refused.status_code, refused.json()["code"]) == (400, "edition_unknown")
    details = refused.json()["details"]
    assert "demo" in details["required"]
    assert all_editions()["demo"].title in details["words"]["required"]
    page = client_of(cast.manager).get("/classes/what-if/?edition=nowhere")
    assert page.status_code == 400
    html = page.content.decode()
    assert all_editions()["demo"].title in html
    assert "henan-2020-97" not in html


def test_pages_go_by_state(world: dict[str, TrainingClass], cast: Cast) -> None:
    world["filed"].refresh_from_db()
    html = client_of(cast.manager).get(f"/classes/what-if/?state={world['filed'].state}").content.decode()
    assert world["filed"].name in html
    assert world["draft"].name not in html


@pytest.mark.parametrize("count", [1, 2])
def test_two_queries_judge_one_class_or_two(
    world: dict[str, TrainingClass],
    cast: Cast,
    now: datetime.datetime,
    count: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    classes = list(classes_to_judge(cast.manager)[:count])
    assert len(classes) == count
    with django_assert_num_queries(2):
        assert len(what_if(classes, find_edition("henan-2020-97"), today=now.date())) == count


def test_hours_are_summed_by_kind(
    world: dict[str, TrainingClass], cast: Cast, now: datetime.datetime
) -> None:
    filed = world["filed"]
    [one] = what_if(
        list(classes_to_judge(cast.manager).filter(pk=filed.pk)), find_edition("demo"), today=now.date()
    )
    total = sum((lesson.hours for lesson in filed.lessons.all()), Decimal(0))
    assert next(finding for finding in one.own if finding.code == "total_hours").actual == total


def test_nobody_asks_without_a_role(learner: Any) -> None:
    with pytest.raises(Refusal) as refused:
        classes_to_judge(learner)
    assert refused.value.code == "role_required"
