"""Pages that belong to no app: the public home page, about, error pages and the living style page."""

from __future__ import annotations

import datetime
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import loader
from django.template.exceptions import TemplateDoesNotExist
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from config.api import not_found_body


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Say what this is and where each visitor goes; needs no database, so it stands when that is down."""
    return render(request, "site/home.html")


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """State the basis in the norm, how personal data is kept, accessibility, and where to complain."""
    return render(request, "site/about.html")


# --- error pages: what happened, why, and the way out ---


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "site/400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "site/403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for what is not there and for what is not this person's to see, alike."""
    if request.path.startswith("/api/"):
        return JsonResponse(not_found_body(), status=404)
    return render(request, "site/404.html", status=404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open too long, or whose cookie was refused: nothing was saved."""
    return render(request, "site/403_csrf.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when the platform itself failed: a page that asks for nothing, neither session nor database."""
    try:
        return HttpResponse(loader.get_template("site/500.html").render(), status=500)
    except TemplateDoesNotExist:
        return HttpResponse(_("平台这会儿没能处理，请稍后再试。"), status=500)


# --- the living style page: every component with the story of LOOK, for people and for axe ---


class SampleForm(forms.Form):
    """One field of each sort."""

    name = forms.CharField(label="姓名", help_text="与身份证一致")
    category = forms.ChoiceField(label="人员类别", choices=[("rural", "农村转移就业劳动者")])
    note = forms.CharField(label="说明", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    way = forms.ChoiceField(
        label="签到方式",
        choices=[("face", "刷脸"), ("code", "验证码")],
        widget=forms.RadioSelect,
    )
    seen = forms.BooleanField(label="2 份扫描件，我已看过")


def _clock(hour: int, minute: int = 0, second: int = 0) -> datetime.datetime:
    shanghai = datetime.timezone(datetime.timedelta(hours=8))
    return datetime.datetime(2026, 11, 18, hour, minute, second, tzinfo=shanghai)


def component_samples() -> dict[str, Any]:
    """The second lesson of 王小满 and the claim it became (LOOK: the story), as plain values."""
    return {
        "credited": 38_780,
        "standard": 64_800,
        "share": Fraction(38_780, 64_800),
        "almost": Fraction(79_999, 100_000),
        "pass_line": Fraction(4, 5),
        "seconds_by_kind": [("live", 23_700), ("replay", 1_880), ("work", 5_400), ("care", 7_800)],
        "lesson_starts": _clock(8, 30),
        "lesson_ends": _clock(11, 30),
        "pieces": [
            ("live", _clock(8, 33), _clock(9, 41, 10)),
            SimpleNamespace(
                kind="live", starts_at=_clock(9, 52, 15), ends_at=_clock(10, 35, 25), is_picked=True
            ),
            ("unproven", _clock(10, 35, 25), _clock(10, 50)),
            ("live", _clock(10, 50), _clock(11, 30)),
        ],
        "hour_groups": [("live", 15, 16, None), ("work", 4, None, 4), ("care", 5, None, 4)],
        "amount": Decimal("5400.00"),
        "day": datetime.date(2026, 11, 23),
        "root": "5b7e90aa41d2f0d2a4f6c8120000c812",
        "refusal": {
            "code": "class_too_large",
            "message": "这个班没有提交备案：现在 31 人",
            "details": {"found": 31, "required": 30, "rule": "F12", "next": "请移出 1 人，或另开一班。"},
            "citation": "规范五（四）",
        },
        "findings": [
            {
                "passed": False,
                "message": "直播课时不够",
                "actual": 15,
                "required": 16,
                "citation": "二、第 2 段",
            },
            {
                "passed": True,
                "message": "总课时",
                "actual": 24,
                "required": 24,
                "citation": "二、第 2 段",
            },
        ],
        "page": Paginator(range(1, 1_053), 50).page(3),
        "form": SampleForm({"name": "", "category": "rural", "way": "code"}),
    }


@require_safe
def components(request: HttpRequest) -> HttpResponse:
    """Show every component once; exists outside production only."""
    return render(request, "site/components.html", component_samples())
