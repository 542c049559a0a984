"""The regulation's own words as codes, each with its Chinese name."""

from enum import StrEnum
from typing import Final

from policy.messages import Msgid, gettext_noop


class Mode(StrEnum):
    """How a class is taught; every class has exactly one mode (A5)."""

    FULL_LIVE = "full_live"
    MIXED = "mixed"

    @property
    def label(self) -> Msgid:
        return _MODES[self]


class HourKind(StrEnum):
    """What a lesson hour is spent on (H5-H15)."""

    LIVE = "live"
    HOMEWORK = "homework"
    EXAM = "exam"
    QUALITY = "quality"
    TUTORING = "tutoring"
    ON_DEMAND = "on_demand"
    OFFLINE = "offline"

    @property
    def label(self) -> Msgid:
        return _HOUR_KINDS[self]


class CreditKind(StrEnum):
    """Where credited online seconds come from (M8); replay stands in for live time that was missed (H8)."""

    LIVE = "live"
    REPLAY = "replay"
    HOMEWORK = "homework"
    EXAM = "exam"
    QUALITY = "quality"
    TUTORING = "tutoring"
    ON_DEMAND = "on_demand"

    @property
    def label(self) -> Msgid:
        return _CREDIT_KINDS[self]


class TraineeCategory(StrEnum):
    """The five kinds of people who may be paid for (S1-S5)."""

    POOR_FAMILY = "poor_family"
    GRADUATE = "graduate"
    SCHOOL_LEAVER = "school_leaver"
    RURAL_WORKER = "rural_worker"
    URBAN_UNEMPLOYED = "urban_unemployed"

    @property
    def label(self) -> Msgid:
        return _CATEGORIES[self][0]

    @property
    def row(self) -> str:
        return _CATEGORIES[self][1]


# Other course types may be offered (A4), but have no numbers until an edition gives them.
GYB: Final = "GYB"
SYB: Final = "SYB"
OTHER: Final = "OTHER"
COURSE_TYPES: Final[dict[str, Msgid]] = {
    GYB: gettext_noop("创业意识培训（GYB）"),
    SYB: gettext_noop("创办企业培训（SYB）"),
}

# What counts towards each mode's hours, and what shares one ceiling.
FULL_LIVE_KINDS: Final = (
    HourKind.LIVE,
    HourKind.HOMEWORK,
    HourKind.EXAM,
    HourKind.QUALITY,
    HourKind.TUTORING,
)
MIXED_ONLINE_KINDS: Final = (HourKind.LIVE, HourKind.HOMEWORK, HourKind.EXAM, HourKind.ON_DEMAND)
HOMEWORK_AND_EXAM: Final = (HourKind.HOMEWORK, HourKind.EXAM)
QUALITY_AND_TUTORING: Final = (HourKind.QUALITY, HourKind.TUTORING)

_MODES: Final = {
    Mode.FULL_LIVE: gettext_noop("全程直播"),
    Mode.MIXED: gettext_noop("线上+线下"),
}
_HOUR_KINDS: Final = {
    HourKind.LIVE: gettext_noop("直播"),
    HourKind.HOMEWORK: gettext_noop("作业"),
    HourKind.EXAM: gettext_noop("考试"),
    HourKind.QUALITY: gettext_noop("质量监督评估"),
    HourKind.TUTORING: gettext_noop("辅导"),
    HourKind.ON_DEMAND: gettext_noop("点播"),
    HourKind.OFFLINE: gettext_noop("线下"),
}
_CREDIT_KINDS: Final = {
    CreditKind.LIVE: gettext_noop("直播"),
    CreditKind.REPLAY: gettext_noop("回放"),
    CreditKind.HOMEWORK: gettext_noop("作业"),
    CreditKind.EXAM: gettext_noop("考试"),
    CreditKind.QUALITY: gettext_noop("质量监督评估"),
    CreditKind.TUTORING: gettext_noop("辅导"),
    CreditKind.ON_DEMAND: gettext_noop("点播"),
}
_CATEGORIES: Final = {
    TraineeCategory.POOR_FAMILY: (gettext_noop("贫困家庭子女"), "S1"),
    TraineeCategory.GRADUATE: (gettext_noop("毕业学年高校毕业生"), "S2"),
    TraineeCategory.SCHOOL_LEAVER: (gettext_noop("城乡未继续升学的应届初高中毕业生"), "S3"),
    TraineeCategory.RURAL_WORKER: (gettext_noop("农村转移就业劳动者"), "S4"),
    TraineeCategory.URBAN_UNEMPLOYED: (gettext_noop("城镇登记失业人员"), "S5"),
}


def course_type_name(course_type: str) -> str:
    """The course type's official name; of a type that the norm does not know, its code."""
    if course_type == OTHER:
        return gettext_noop("其他类型课程")
    return COURSE_TYPES.get(course_type, course_type)
