"""The six stages of 规范 五, in their order (F1)."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from policy.findings import Finding
from policy.messages import Msgid, gettext_noop


class Stage(StrEnum):
    """A stage of the process; members are in the norm's order."""

    PROMOTION = "promotion"
    SCREENING = "screening"
    FILING = "filing"
    DELIVERY = "delivery"
    ASSESSMENT = "assessment"
    FOLLOW_UP = "follow_up"

    @property
    def label(self) -> Msgid:
        return _STAGES[self]


_STAGES = {
    Stage.PROMOTION: gettext_noop("项目推介"),
    Stage.SCREENING: gettext_noop("学员筛选"),
    Stage.FILING: gettext_noop("开班备案"),
    Stage.DELIVERY: gettext_noop("实施培训"),
    Stage.ASSESSMENT: gettext_noop("考核要求"),
    Stage.FOLLOW_UP: gettext_noop("后续服务"),
}


def judge_stage_order(began: Mapping[Stage, date]) -> Finding:
    """Judge that no stage began before the one in front of it (F1).

    `began` gives the day on which each stage first began, without those that have not. Two may begin on one
    day.
    """
    latest: date | None = None
    before: Stage | None = None
    broken: tuple[Stage, Stage] | None = None
    absent: Stage | None = None
    for stage in Stage:
        day = began.get(stage)
        if day is None:
            absent = absent or stage
            continue
        if broken is None:
            if absent is not None:
                broken = (stage, absent)
            elif before is not None and latest is not None and day < latest:
                broken = (stage, before)
        latest, before = day if latest is None else max(day, latest), stage
    reached = max((place for place, stage in enumerate(Stage, start=1) if stage in began), default=0)
    return Finding(
        code="stage_order",
        row="F1",
        passed=broken is None,
        required=[stage.value for stage in list(Stage)[:reached]],
        actual=[
            stage.value for stage in sorted(began, key=lambda stage: (began[stage], list(Stage).index(stage)))
        ],
        message=(
            gettext_noop("各个环节按规范的顺序进行。")
            if broken is None
            else gettext_noop("“%(later)s”开始以前，要先有“%(earlier)s”。")
        ),
        params={"later": broken[0].label, "earlier": broken[1].label} if broken else {},
    )
