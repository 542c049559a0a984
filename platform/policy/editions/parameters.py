"""Which numbers and readings an edition has to give, and in which shape.

This list is the vocabulary; the values live in the edition files. A `Shape.READING` parameter chooses between
ways of understanding the norm where its words leave room; each way has its sentence here, so that a result
can say which one it used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from policy.messages import NBSP, Msgid, gettext_noop


class Unit(StrEnum):
    LESSON_HOURS = "lesson_hours"
    PERCENT = "percent"
    YUAN_PER_PERSON = "yuan_per_person"
    YUAN_PER_LESSON_HOUR = "yuan_per_lesson_hour"
    PERSONS = "persons"
    POINTS = "points"
    TIMES = "times"
    CLASSES = "classes"
    FACES = "faces"
    SECONDS = "seconds"
    MINUTES = "minutes"
    DAYS = "days"
    WORKING_DAYS = "working_days"
    MONTHS = "months"
    YEARS = "years"
    YEARS_OF_AGE = "years_of_age"
    READING = "reading"


# A number with its unit, as it is read aloud.
UNIT_TEXTS: Mapping[Unit, Msgid] = MappingProxyType(
    {
        Unit.LESSON_HOURS: gettext_noop("%(n)s 课时"),
        Unit.PERCENT: Msgid(f"%(n)s{NBSP}%%"),  # the same in every language
        Unit.YUAN_PER_PERSON: gettext_noop("每人 %(n)s 元"),
        Unit.YUAN_PER_LESSON_HOUR: gettext_noop("每课时 %(n)s 元"),
        Unit.PERSONS: gettext_noop("%(n)s 名"),
        Unit.POINTS: gettext_noop("%(n)s 分"),
        Unit.TIMES: gettext_noop("可以 %(n)s 次"),
        Unit.CLASSES: gettext_noop("%(n)s 个班"),
        Unit.FACES: gettext_noop("%(n)s 人的人脸信息"),
        Unit.SECONDS: gettext_noop("%(n)s 秒"),
        Unit.MINUTES: gettext_noop("%(n)s 分钟"),
        Unit.DAYS: gettext_noop("%(n)s 个自然日"),
        Unit.WORKING_DAYS: gettext_noop("%(n)s 个工作日"),
        Unit.MONTHS: gettext_noop("%(n)s 个月"),
        Unit.YEARS: gettext_noop("%(n)s 年"),
        Unit.YEARS_OF_AGE: gettext_noop("%(n)s 周岁"),
    }
)


class Shape(StrEnum):
    """How a value is written in the file and what it becomes: see `policy.editions.loader`."""

    WHOLE = "whole"  # int
    NUMBER = "number"  # exact Fraction
    SHARE = "share"  # percent in the file, exact Fraction in the program
    MONEY = "money"  # Decimal
    WHOLES = "wholes"  # tuple of int
    SHARES = "shares"  # percents adding up to 100, tuple of Fraction
    READING = "reading"  # one of the listed options


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """A parameter every edition must give, leave `unset`, or (where allowed) switch `off`."""

    name: str
    label: Msgid
    shape: Shape
    units: tuple[Unit, ...]
    by_course_type: bool = False
    may_be_off: bool = False
    least: int = 0
    options: Mapping[str, Msgid] = field(default_factory=dict)


def _share(name: str, label: Msgid, *, may_be_off: bool = False) -> ParameterSpec:
    return ParameterSpec(name, label, Shape.SHARE, (Unit.PERCENT,), may_be_off=may_be_off)


def _whole(
    name: str, label: Msgid, *units: Unit, least: int = 0, by_course_type: bool = False
) -> ParameterSpec:
    return ParameterSpec(name, label, Shape.WHOLE, units, least=least, by_course_type=by_course_type)


def _reading(name: str, label: Msgid, **options: Msgid) -> ParameterSpec:
    return ParameterSpec(name, label, Shape.READING, (Unit.READING,), options=MappingProxyType(options))


_SPECS = (
    # Hours and timetable
    _whole("lesson_hour", gettext_noop("每课时时长"), Unit.MINUTES, Unit.SECONDS, least=1),
    ParameterSpec(
        "standard_hours",
        gettext_noop("全线下培训课时标准"),
        Shape.NUMBER,
        (Unit.LESSON_HOURS,),
        by_course_type=True,
    ),
    _share("full_live_min_live_share", gettext_noop("全程直播：直播课时占总课时的下限")),
    _share("full_live_max_homework_exam_share", gettext_noop("全程直播：作业和考试课时占总课时的上限")),
    _share(
        "full_live_max_quality_tutoring_share",
        gettext_noop("全程直播：质量监督评估和辅导占总课时的上限"),
        may_be_off=True,
    ),
    _share(
        "full_live_min_quality_tutoring_share",
        gettext_noop("全程直播：质量监督评估和辅导占总课时的下限"),
        may_be_off=True,
    ),
    # Off: on-demand hours have no place in a full-live class (H9). Set: they count, up to this share.
    _share(
        "full_live_max_on_demand_share",
        gettext_noop("全程直播：点播课时占总课时的上限"),
        may_be_off=True,
    ),
    _reading(
        "full_live_other_hours",
        gettext_noop("全程直播：点播和线下课时怎么算"),
        not_counted=gettext_noop("全程直播没有点播和线下这两类课时，安排了也不计入总课时。"),
        refused=gettext_noop("全程直播没有点播和线下这两类课时，不得安排。"),
        on_demand_counted=gettext_noop("点播课时在上限以内计入总课时；没有线下这一类，安排了也不计入。"),
    ),
    _reading(
        "workshop_kind",
        gettext_noop("研讨（工作坊）课时记为哪一类"),
        no_such_hours=gettext_noop("没有研讨（工作坊）这一类课时。"),
        tutoring=gettext_noop("研讨（工作坊）课时记为辅导。"),
    ),
    _share("mixed_min_offline_share", gettext_noop("线上+线下：线下课时占总课时的下限")),
    _reading(
        "mixed_offline_exception",
        gettext_noop("线上+线下：“原则上”是否允许例外"),
        approved=gettext_noop("“原则上”按必须执行；低于下限的，要写明理由、经批准，并向监管部门公开。"),
        never=gettext_noop("“原则上”按必须执行，不设例外。"),
    ),
    _share("mixed_min_live_share", gettext_noop("线上+线下：直播课时占线上课时的下限")),
    _share("mixed_max_homework_exam_share", gettext_noop("线上+线下：作业和考试课时占线上课时的上限")),
    _share("mixed_max_on_demand_share", gettext_noop("线上+线下：点播课时占线上课时的上限")),
    _reading(
        "share_comparison",
        gettext_noop("课时比例怎么比较"),
        exact=gettext_noop("比例按分数精确比较，不四舍五入；“不少于”“不低于”“不超过”都包括本数。"),
    ),
    # Course types, classes and filing
    _reading(
        "other_course_types",
        gettext_noop("“以GYB、SYB为主”以外的培训类型"),
        no_numbers_until_given=gettext_noop(
            "可以开设其他培训类型；政策版本没有给出它的课时、人数和补贴标准以前，不能备案和申请补贴。"
        ),
    ),
    _whole("class_size_cap", gettext_noop("每班人数上限"), Unit.PERSONS, least=1, by_course_type=True),
    _whole("lecturers_per_class", gettext_noop("每班直播讲师"), Unit.PERSONS, least=1),
    _whole("assistants_per_class", gettext_noop("每班助教"), Unit.PERSONS, least=1),
    _reading(
        "staff_counting",
        gettext_noop("“各1名”怎么算"),
        at_least_two_people=gettext_noop("讲师、助教各至少1名，由两个人分别担任。"),
    ),
    _reading(
        "class_size_counting",
        gettext_noop("每班人数在什么时候核对"),
        filing_and_every_lesson=gettext_noop(
            "备案时和每次上课时都按在册人数核对；替换学员只能在第一次上课以前。"
        ),
    ),
    _whole("filing_lead_working_days", gettext_noop("开班备案提前的工作日"), Unit.WORKING_DAYS),
    _reading(
        "start_day_counting",
        gettext_noop("提前的工作日怎么数"),
        last_working_day=gettext_noop(
            "提交当天不算，从下一天数起，按国务院办公厅公布的放假调休安排数工作日，数满的那一天就可以开课。"
        ),
        full_days_between=gettext_noop(
            "提交当天和开课当天都不算，中间要隔满规定的工作日，数满后的下一天才可以开课。"
        ),
    ),
    _reading(
        "filing_clock",
        gettext_noop("备案时间从哪一次提交算起"),
        approved_submission=gettext_noop("从最后通过备案的那一次提交算起；没有通过备案，不能开课。"),
    ),
    _reading(
        "outline_coverage",
        gettext_noop("课程大纲怎样算覆盖课表"),
        in_total=gettext_noop("按总课时比：大纲的课时不少于课表；各类课时多少由课时规定管。"),
        by_kind=gettext_noop("逐类比：每一类课时，大纲都不少于课表；大纲里没有的类别，课表里也不能有。"),
    ),
    # Institutions and people
    _reading(
        "open_rectification",
        gettext_noop("责令限期改正怎么影响备案"),
        past_deadline=gettext_noop("期限内可以照常备案，并作提示；过了期限还没有改正的，不能提交新的备案。"),
        while_open=gettext_noop("没有改正以前，一律不能提交新的备案。"),
    ),
    _reading(
        "independence",
        gettext_noop("转包、分包、委托怎么核查"),
        signals_noted=gettext_noop(
            "软件不能证明转包、分包或者委托：记录招生人、场地、讲师合同和付款方，发现与其他机构相同的，只作提示，由人核查。"
        ),
    ),
    _whole("lecturer_min_years", gettext_noop("讲师从事创业培训工作的年限"), Unit.YEARS),
    _share("disqualifying_loss_share", gettext_noop("讲师取消资格：学员流失比例")),
    _whole(
        "disqualifying_consecutive_classes", gettext_noop("讲师取消资格：连续次数"), Unit.CLASSES, least=1
    ),
    ParameterSpec(
        "lecturer_hour_fee",
        gettext_noop("讲师课时费标准"),
        Shape.MONEY,
        (Unit.YUAN_PER_LESSON_HOUR,),
    ),
    _whole("working_age_from", gettext_noop("适龄劳动者：不低于"), Unit.YEARS_OF_AGE),
    _whole("working_age_to", gettext_noop("适龄劳动者：超过的作提示"), Unit.YEARS_OF_AGE),
    _reading(
        "eligibility_date",
        gettext_noop("学员类别按哪一天核对"),
        class_start=gettext_noop(
            "按开班当天核对学员类别；每人只能按一个类别申请补贴，其他人可以参训，但不计补贴。"
        ),
    ),
    _reading(
        "category_evidence_due",
        gettext_noop("学员类别证明最晚什么时候交齐"),
        filing=gettext_noop("备案时就要有开班当天有效的类别证明。"),
        claim=gettext_noop("备案时没有的只作提示，申请补贴以前交齐开班当天有效的类别证明。"),
    ),
    _reading(
        "paid_once",
        gettext_noop("同一学员可享受几次补贴"),
        per_course_type=gettext_noop("同一学员同一培训类型只补贴一次；其他人可以参训，但不计补贴。"),
        any_course_type=gettext_noop("同一学员不分培训类型，只补贴一次；其他人可以参训，但不计补贴。"),
        each_class=gettext_noop("同一学员每参加一个班都可以补贴。"),
    ),
    # Attendance
    _reading(
        "live_session",
        gettext_noop("什么样的课次算直播"),
        presence_and_interaction=gettext_noop(
            "讲师本人在线、学员在线、有课堂互动，三样都有记录的，才算直播；只播放录像的不算。"
        ),
        presence_only=gettext_noop("讲师本人和学员同时在线就算直播。"),
    ),
    _share("min_attendance_share", gettext_noop("考勤合格的学习时长比例")),
    _reading(
        "attendance_base",
        gettext_noop("学习时长比例以什么为分母"),
        filed_online_hours=gettext_noop(
            "以备案课表的线上培训总课时为分母：全程直播为总课时，线上+线下为线上部分；提前下课不减少分母。"
        ),
    ),
    _share("min_live_presence_share", gettext_noop("直播课时另设的学习时长比例"), may_be_off=True),
    _share("offline_attendance_share", gettext_noop("线下课时的出勤比例")),
    _whole("full_live_replay_cap", gettext_noop("全程直播：回放最多计入的课时"), Unit.LESSON_HOURS),
    _whole("mixed_replay_cap", gettext_noop("线上+线下：回放最多计入的课时"), Unit.LESSON_HOURS),
    _reading(
        "replay_counting",
        gettext_noop("回放怎么计入直播时长"),
        missed_live_once=gettext_noop(
            "每人每班合计，只补本人没有听到的直播；同一段只算一次，按实际观看时间和内容时长中较短的算。"
        ),
    ),
    _reading(
        "replay_deadline",
        gettext_noop("回放最晚什么时候看"),
        before_final_exam=gettext_noop("结业考试开始以前看完的回放可以计入。"),
        none=gettext_noop("不设期限。"),
    ),
    _reading(
        "missing_sign_out",
        gettext_noop("没有签退怎么算"),
        last_verified_presence=gettext_noop("没有签退的，算到最后一次能够证明在线的时间，并作标记。"),
    ),
    _reading(
        "unanswered_check",
        gettext_noop("没有应答点名或答题怎么算"),
        unproven_since_last_proof=gettext_noop(
            "从上一次能够证明在课堂的时间到这次点名或答题结束，不计入学习时长，可以申请复核。"
        ),
        evidence_only=gettext_noop("只作记录，不扣减学习时长。"),
    ),
    _whole("sign_in_opens_before", gettext_noop("上课前多久开放签到"), Unit.MINUTES, Unit.SECONDS),
    _whole("sign_out_closes_after", gettext_noop("下课后多久截止签退"), Unit.MINUTES, Unit.SECONDS),
    _whole("roll_call_answer", gettext_noop("在线点名的应答时间"), Unit.SECONDS, least=1),
    _whole("question_answer", gettext_noop("随机答题的应答时间"), Unit.SECONDS, least=1),
    _whole("lecturer_early", gettext_noop("讲师提前进入直播间的时间"), Unit.MINUTES, Unit.SECONDS),
    _whole("daily_hours_cap", gettext_noop("每天最多安排的课时"), Unit.LESSON_HOURS, least=1),
    # Identity
    _reading(
        "identity_paths",
        gettext_noop("用什么方式核对学员本人"),
        face_or_equal_other=gettext_noop(
            "默认人脸识别；不同意人脸识别的，用一次性验证码加助教在线点名核对，学时一样算。"
        ),
    ),
    _whole("face_check_interval", gettext_noop("课中人脸核对的间隔"), Unit.MINUTES, Unit.SECONDS, least=1),
    _whole("face_template_retention", gettext_noop("补贴结清后人脸特征保存期限"), Unit.DAYS),
    _whole("face_filing_threshold", gettext_noop("人脸信息达到多少须向网信部门备案"), Unit.FACES, least=1),
    _whole("face_filing_deadline", gettext_noop("人脸信息备案期限"), Unit.WORKING_DAYS),
    # Exam, completion, money
    ParameterSpec(
        "exam_pass_mark", gettext_noop("结业考试合格分数（满分100分）"), Shape.NUMBER, (Unit.POINTS,)
    ),
    _whole("exam_resits", gettext_noop("结业考试补考次数"), Unit.TIMES),
    _reading(
        "outcome_gate",
        gettext_noop("培训成果评分是否影响发证"),
        recorded_only=gettext_noop("培训成果要评分、留存，不作为发证条件。"),
        required=gettext_noop("培训成果评分合格才能发证。"),
    ),
    ParameterSpec(
        "subsidy_rate",
        gettext_noop("补贴标准"),
        Shape.MONEY,
        (Unit.YUAN_PER_PERSON,),
        by_course_type=True,
    ),
    ParameterSpec("payment_split", gettext_noop("补贴分几次拨付"), Shape.SHARES, (Unit.PERCENT,)),
    _whole("public_notice_days", gettext_noop("公示期限"), Unit.WORKING_DAYS, least=0),
    # After the class
    _whole("archive_retention", gettext_noop("学员电子档案保存期限"), Unit.YEARS, least=1),
    _reading(
        "archive_retention_start",
        gettext_noop("档案保存期限从哪一天算起"),
        year_end_after_settlement=gettext_noop("从补贴结清（没有申请补贴的，从培训班结束）当年的年底算起。"),
    ),
    _whole("video_retention", gettext_noop("直播录像保存期限"), Unit.MONTHS),
    _whole("materials_deadline", gettext_noop("培训班结束后整理资料的期限"), Unit.WORKING_DAYS),
    ParameterSpec("visit_months", gettext_noop("结业后第几个月回访"), Shape.WHOLES, (Unit.MONTHS,), least=1),
    _reading(
        "daily_feedback",
        gettext_noop("每日意见反馈表怎么填"),
        each_attended_day=gettext_noop("学员在每个到课的培训日填写一次。"),
    ),
)

SPECS: Mapping[str, ParameterSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
