"""A single lesson or day: what makes it live (A1), and how long a day may be (I3)."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from fractions import Fraction

from policy.editions import Edition
from policy.findings import Finding
from policy.messages import Msgid, gettext_noop


class LivePart(StrEnum):
    """What a live session takes (A1); members are in the sentence's order."""

    LECTURER = "lecturer"
    TRAINEES = "trainees"
    INTERACTION = "interaction"

    @property
    def label(self) -> Msgid:
        return _LIVE_PARTS[self]


_LIVE_PARTS = {
    LivePart.LECTURER: gettext_noop("讲师在线"),
    LivePart.TRAINEES: gettext_noop("学员在线"),
    LivePart.INTERACTION: gettext_noop("课堂互动"),
}


def judge_live_session(
    edition: Edition, *, lecturer_seconds: Fraction | int, trainees: int, interactions: int
) -> Finding:
    """Judge whether a session counts as live (A1): the lecturer there in person, trainees there, interaction.

    `lecturer_seconds` is the lecturer's proven presence in the room, `trainees` how many had any,
    `interactions` the recorded events of taking part (questions, answers, hands, messages, roll calls). A
    stream of a recording with nobody there is not live (reading `live_session`).
    """
    reading = edition.reading("live_session")
    met = {
        LivePart.LECTURER: lecturer_seconds > 0,
        LivePart.TRAINEES: trainees > 0,
        LivePart.INTERACTION: interactions > 0 or reading.code == "presence_only",
    }
    passed = all(met.values())
    return Finding(
        code="live_session",
        row="A1",
        passed=passed,
        required=list(met),
        actual=[name for name, true in met.items() if true],
        message=(
            gettext_noop("讲师和学员同时在线，有课堂互动 %(interactions)s 次，算直播。")
            if passed
            else gettext_noop("没有讲师本人在线的记录，只播放录像的不算直播。")
            if not met[LivePart.LECTURER]
            else gettext_noop("没有学员在线的记录，不算直播。")
            if not met[LivePart.TRAINEES]
            else gettext_noop("没有课堂互动的记录，不算直播。")
        ),
        params={"interactions": interactions},
        reading=reading,
    )


def judge_daily_hours(edition: Edition, hours: Mapping[date, Fraction]) -> Finding:
    """Judge the longest day of a timetable against the technical standards' limit (I3); the limit itself
    passes.

    Raises:
        Refusal: `edition_unset` while the edition gives no limit.
    """
    most = edition.whole("daily_hours_cap")
    longest = max(hours, key=lambda day: (hours[day], -day.toordinal()), default=None)
    actual = hours[longest] if longest is not None else Fraction(0)
    passed = actual <= most
    return Finding(
        code="daily_hours",
        row="I3",
        passed=passed,
        required=most,
        actual=actual,
        message=(
            gettext_noop("每天不超过 %(most)s 课时，最长的一天 %(actual)s 课时。")
            if passed
            else gettext_noop("%(day)s 安排了 %(actual)s 课时，超过每天 %(most)s 课时。")
        ),
        params={"most": most, "actual": actual, "day": longest},
        numbers=(edition.parameter("daily_hours_cap"),),
    )
