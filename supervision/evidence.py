"""What this app leaves in the evidence log."""

from datetime import datetime

from django.urls import Resolver404, resolve
from django.utils.translation import gettext_lazy as _

from audit.kinds import Kind, register

_PAGES = {
    "supervision:home": _("总览"),
    "supervision:class": _("班级与课次"),
    "supervision:attendance": _("班级考勤"),
    "supervision:results": _("班级的考试与证书"),
    "supervision:lesson": _("一节课的经过"),
    "supervision:evidence": _("班级留痕"),
    "supervision:lecturers": _("讲师"),
    "supervision:institutions": _("机构"),
    "supervision:claims": _("补贴申请"),
    "supervision:claim": _("一件补贴申请"),
    "supervision:claim-line": _("一名学员的补贴和学时"),
}


def _page(path: str) -> str:
    """What the page is called; data fetched by a program, or a page that is gone, keeps its address."""
    try:
        name = resolve(path).view_name
    except Resolver404:
        return path
    return f"“{_PAGES[name]}”" if name in _PAGES else path


register(
    Kind(
        "supervision.looked",
        sentence=_("监管账号在 {seen_at} 查看了 {path}"),
        schema={"look": int, "bureau": int, "path": str, "seen_at": datetime},
        words={"path": _page},
    )
)
