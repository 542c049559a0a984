"""What this app leaves in the evidence log. Everything about a class is in the chain `class/<id>`.

Names and ID numbers stay out: a trainee enters as a commitment, a free text as its digest. The row they
belong to holds the words themselves.
"""

import datetime
from decimal import Decimal

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.editions import all_editions
from audit.kinds import Commitment, Digest, Kind, register
from policy.terms import HourKind, Mode

_CLASS = {
    "course": int,
    "course_version": int | None,
    "mode": Mode,
    "edition": str,
    "starts_on": datetime.date,
    "ends_on": datetime.date,
    "lecturer": int | None,
    "assistant": int | None,
}


# Where somebody on a roster came from, by the start of the source (I4).
_SOURCES = {
    "campaign": _("推介页面"),
    "event": _("线下活动"),
    "staff": _("机构代填"),
    "roster": _("花名册导入"),
}


def _edition(edition_id: str) -> str:
    """Its title; an edition that is gone keeps its id."""
    known = all_editions().get(edition_id)
    return gettext("《%(title)s》") % {"title": known.title} if known else edition_id


def _source(source: str) -> str:
    return str(_SOURCES.get(source.partition("/")[0], source))


def register_kinds() -> None:
    """Make this app's kinds known to the log."""
    register(
        Kind(
            "class.created",
            sentence=_("建班，{starts_on} 开班，政策版本 {edition}"),
            schema=_CLASS,
            words={"edition": _edition},
        ),
        Kind(
            "class.changed",
            sentence=_("修改班级信息，{starts_on} 开班，政策版本 {edition}"),
            schema=_CLASS,
            words={"edition": _edition},
        ),
        Kind("class.cancelled", sentence=_("取消开班"), schema={"reason": Digest}),
        Kind("class.started", sentence=_("第一次上课，培训开始")),
        Kind("class.finished", sentence=_("培训结束"), schema={"lessons": int, "trainees": int}),
        Kind(
            "roster.imported",
            sentence=_("导入花名册 {imported} 人，现在共 {trainees} 人"),
            schema={"imported": int, "trainees": int, "file": Digest, "commitments": list[Commitment]},
        ),
        Kind(
            "roster.names_differ",
            sentence=_("核对花名册，{rows} 名学员的姓名和身份证号对不上，没有导入"),
            schema={"rows": int, "file": Digest},
        ),
        Kind(
            "roster.trainee_added",
            sentence=_("编入 1 名学员，报名来源 {source}，现在共 {trainees} 人"),
            schema={"trainee": int, "trainees": int, "source": str, "commitment": Commitment},
            words={"source": _source},
        ),
        Kind(
            "roster.trainee_removed",
            sentence=_("移出 1 名学员，现在共 {trainees} 人"),
            schema={"trainee": int, "trainees": int},
        ),
        Kind(
            "timetable.set",
            sentence=_("排课表，共 {lessons} 节、{total} 课时"),
            schema={"lessons": int, "total": Decimal, "hours": dict[str, Decimal], "timetable": Digest},
        ),
        Kind(
            "filing.submitted",
            sentence=_("第 {round} 次提交开班备案：学员 {trainees} 人，{lessons} 节课"),
            schema={
                "filing": int,
                "round": int,
                "lessons": int,
                "trainees": int,
                "snapshot": Digest,
                "findings": Digest | None,
                "exceptions": list[str],
            },
        ),
        Kind(
            "filing.approved",
            sentence=_("同意备案，备案号 {number}"),
            schema={
                "filing": int,
                "number": str,
                "reason": Digest,
                "receipt": int | None,
                "decided_on": datetime.date | None,
                "exceptions": list[str],
            },
        ),
        Kind(
            "filing.returned",
            sentence=_("退回补正"),
            schema={
                "filing": int,
                "reason": Digest,
                "receipt": int | None,
                "decided_on": datetime.date | None,
            },
        ),
        Kind(
            "filing.superseded",
            sentence=_("办理变更备案，原备案不再有效"),
            schema={"filing": int, "reason": Digest},
        ),
        Kind("filing.withdrawn", sentence=_("撤回备案"), schema={"filing": int}),
        Kind(
            "filing.package_written",
            sentence=_("生成备案材料包"),
            schema={"filing": int, "package": Digest},
        ),
        Kind(
            "filing.package_downloaded",
            sentence=_("下载备案材料包"),
            schema={"filing": int, "package": Digest},
        ),
        Kind(
            "receipt.uploaded",
            sentence=_("上传省系统回执，{rows} 行"),
            schema={"receipt": int, "office": int, "file": Digest, "rows": int},
        ),
        Kind(
            "receipt.applied",
            sentence=_("按回执办理：同意 {approved} 件，退回 {returned} 件"),
            schema={"receipt": int, "file": Digest, "approved": int, "returned": int},
        ),
        Kind("receipt.discarded", sentence=_("回执作废"), schema={"receipt": int}),
        Kind("calendar.issued", sentence=_("取得新的日历订阅地址"), schema={"user": int}),
        Kind("calendar.ended", sentence=_("停用日历订阅地址"), schema={"user": int}),
        Kind("lesson.opened", sentence=_("开课"), schema={"kind": HourKind, "hours": Decimal}),
        Kind("lesson.closed", sentence=_("下课"), schema={"opened_at": datetime.datetime}),
    )
