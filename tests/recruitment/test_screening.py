"""The screening tool: scored exactly, classified by the first rule that fits (F4-F6)."""

import pytest

from classes.recruitment.questionnaires import for_course, judge, load, questionnaire
from policy.refusals import Refusal
from policy.terms import GYB, SYB

BEST = "best"
LEAST = "least"


def answers_of(course_type: str, start: str, **changes: str) -> dict[str, str]:
    """All best or all least answers, some of them changed."""
    pick = max if start == BEST else min
    chosen = {
        question.id: pick(question.options, key=lambda option: option.points).id
        for question in for_course(course_type).questions
    }
    return chosen | changes


NO_MARKET = {"idea": "clear", "project": "none", "money": "unknown", "work": "none"}
PLANNED = {"idea": "clear", "market": "written", "risk": "adjust", "time": "enough"}
BEGINNER = {"device": "phone", "time": "some"}
# (course type, start, changed answers, points, stage, course type that fits)
CASES = [
    (GYB, BEST, {}, 37, "start_up", SYB),
    (GYB, BEST, {"idea": "vague"}, 34, "awareness", GYB),  # many points without an idea are no start-up
    (GYB, BEST, {"time": "none"}, 34, "not_yet", ""),  # no time for lessons: nothing else counts
    (GYB, BEST, {"device": "none"}, 34, "not_yet", ""),
    (GYB, BEST, NO_MARKET, 24, "start_up", SYB),  # exactly 24
    (GYB, BEST, NO_MARKET | {"device": "phone"}, 23, "awareness", GYB),
    (GYB, LEAST, BEGINNER, 5, "not_yet", ""),
    (GYB, LEAST, BEGINNER | {"goal": "start"}, 8, "awareness", GYB),  # exactly 8
    (GYB, LEAST, BEGINNER | {"goal": "learn", "risk": "unsure"}, 7, "not_yet", ""),
    (SYB, BEST, {}, 38, "start_up", SYB),
    (SYB, LEAST, BEGINNER, 4, "not_yet", ""),
    (SYB, LEAST, BEGINNER | {"risk": "unsure"}, 5, "not_yet", ""),
    (SYB, LEAST, BEGINNER | {"idea": "vague"}, 6, "awareness", GYB),  # exactly 6
    (SYB, LEAST, PLANNED | {"device": "computer"}, 18, "start_up", SYB),  # exactly 18
    (SYB, LEAST, PLANNED | {"device": "phone"}, 17, "awareness", GYB),
]


@pytest.mark.parametrize(("course_type", "start", "changes", "points", "stage", "fits"), CASES)
def test_answers_are_scored_and_classified(course_type, start, changes, points, stage, fits):
    result = judge(for_course(course_type), answers_of(course_type, start, **changes))
    assert (result.score, result.stage, result.course_type) == (points, stage, fits)
    assert result.score <= result.most == for_course(course_type).most


def test_what_a_person_has_to_learn_follows_from_the_answers():
    result = judge(for_course(GYB), answers_of(GYB, BEST, accounts="none", risk="quit"))
    assert result.needs == ("成本与利润核算", "风险防范", "开业指导")


def test_a_need_that_two_answers_name_is_named_once():
    result = judge(for_course(GYB), answers_of(GYB, BEST, money="borrow", project="none"))
    assert result.needs == ("市场调查", "创业担保贷款政策", "开业指导")


def test_a_question_left_out_is_named():
    answers = answers_of(GYB, BEST)
    del answers["risk"]
    with pytest.raises(Refusal) as refused:
        judge(for_course(GYB), answers)
    assert (refused.value.code, refused.value.found, refused.value.required) == ("answers_missing", 9, 10)
    assert refused.value.details == {"missing": ["risk"]}


def test_an_answer_that_is_no_option_is_refused():
    with pytest.raises(Refusal) as refused:
        judge(for_course(GYB), answers_of(GYB, BEST, risk="whatever"))
    assert (refused.value.code, refused.value.status) == ("answer_unknown", 400)


def test_another_course_type_is_screened_with_the_first_steps_questionnaire():
    assert for_course("IYB").version == for_course(GYB).version == questionnaire("gyb-2026-01").version


@pytest.mark.parametrize("course_type", [GYB, SYB])
def test_every_questionnaire_asks_about_the_six_subjects(course_type):
    found = for_course(course_type)
    assert 10 <= len(found.questions) <= 12
    dimensions = {question.dimension for question in found.questions}
    assert dimensions >= {"创业想法", "资金与资源", "经验与技能", "风险意识", "学习时间", "设备与网络"}
    assert len({question.id for question in found.questions}) == len(found.questions)
    for rule in found.rules:
        assert rule.stage in found.suggests
        for asked, accepted in rule.answers.items():
            question = next(each for each in found.questions if each.id == asked)
            assert all(question.option(option) for option in accepted)


def test_a_questionnaire_whose_rules_leave_somebody_out_is_not_loaded():
    source = """
version: broken
course_type: GYB
title: t
introduction: i
source: s
questions: []
rules: [{stage: awareness, at_least: 5, because: b}]
suggests: {awareness: GYB}
"""
    with pytest.raises(ValueError, match="broken"):
        load(source)
