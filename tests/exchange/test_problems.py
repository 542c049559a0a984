"""A refusal that is stored is said later as it would have been said at once."""

import datetime
import json

from django.utils import translation
from django.utils.translation import gettext

from exchange.problems import said, source_of
from policy.messages import gettext_noop
from policy.refusals import Refusal


def test_days_numbers_and_source_strings_survive_being_stored() -> None:
    refusal = Refusal(
        "decision_day_impossible",
        gettext_noop("办理日期 %(day)s 不在提交备案（%(asked)s）和今天之间。"),
        found=False,
        required=True,
        params={"day": datetime.date(2026, 11, 24), "asked": datetime.date(2026, 11, 23)},
        next_step=gettext_noop("请向省系统核对办理日期。"),
    )
    stored = json.loads(json.dumps(source_of(refusal)))
    at_once = refusal.render()
    later = said(stored)
    assert (
        later["message"]
        == at_once["message"]
        == "办理日期 2026年11月24日 不在提交备案（2026年11月23日）和今天之间。"
    )
    assert later["next"] == at_once["details"]["next"]
    with translation.override("en"):
        assert "24 Nov 2026" in said(stored, gettext)["message"]


def test_what_was_stored_before_is_still_said() -> None:
    problem = {
        "code": "x",
        "message": "%(day)s，%(what)s",
        "params": {"day": "2026-11-24", "what": {"msgid": "姓名"}},
    }
    assert said(problem)["message"] == "2026-11-24，姓名"
