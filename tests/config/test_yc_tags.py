"""What pages say in figures and words: exact, cut, never rounded up, in the legal zone and both languages."""

import datetime
import importlib
import importlib.util
import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import TextChoices
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation
from django.utils.translation import gettext_lazy

from config import context
from config.templatetags import yc
from policy.refusals import Refusal

SHANGHAI = ZoneInfo("Asia/Shanghai")
NBSP = "\N{NO-BREAK SPACE}"


def at(hour: int, minute: int = 0, second: int = 0, day: int = 18) -> datetime.datetime:
    return datetime.datetime(2026, 11, day, hour, minute, second, tzinfo=SHANGHAI)


def render(source: str, **values: object) -> str:
    return Template(source).render(Context(values)).strip()


# --- durations ---


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 秒"),
        (40, "40 秒"),
        (60, "1 分钟"),
        (65, "1 分 05 秒"),
        (1_880, "31 分 20 秒"),
        (2_700, "45 分钟"),
        (3_600, "1 小时"),
        (3_605, "1 小时 0 分 05 秒"),
        (5_400, "1 小时 30 分"),
        (7_660, "2 小时 7 分 40 秒"),
        (38_780, "10 小时 46 分 20 秒"),
        (3_600_000, "1,000 小时"),
        (-65, "−1 分 05 秒"),
    ],
)
def test_a_duration_is_said_in_words(seconds, words):
    assert yc.duration(seconds) == words


def test_a_full_duration_keeps_its_zeros():
    assert yc.duration(51_840, "full") == "14 小时 24 分 00 秒"


@pytest.mark.parametrize(
    "value",
    [datetime.timedelta(seconds=59, microseconds=999_999), Fraction(5_999, 100), Decimal("59.999")],
)
def test_a_second_that_is_not_over_is_not_earned(value):
    assert yc.duration(value) == "59 秒"


def test_a_negative_duration_is_cut_towards_zero_too():
    assert yc.hms(-datetime.timedelta(seconds=1, microseconds=999_999)) == "−0:00:01"


def test_hms_is_for_tables():
    assert yc.hms(9_080) == "2:31:20"


# --- shares and money ---


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Fraction(57_485, 64_800), "88.71"),
        (Fraction(38_780, 64_800), "59.84"),  # 59.845…: rounding would say 59.85
        (Fraction(79_999, 100_000), "79.99"),
        (Fraction(51_839, 64_800), "79.99"),  # one second short of the pass line
        (Fraction(51_840, 64_800), "80.00"),
        (Fraction(10**30 * 4 - 1, 10**30 * 5), "79.99"),  # nearer to 80 % than a float can tell
        (Fraction(2, 3), "66.66"),
        (1, "100.00"),
        (0, "0.00"),
        (Decimal("0.79999"), "79.99"),
        ("57485/64800", "88.71"),
        (Fraction(-1, 3), "−33.33"),
    ],
)
def test_a_share_is_cut_and_never_rounded(value, written):
    assert yc.share(value) == f"{written}{NBSP}%"
    assert yc.share_number(value) == written


def test_a_share_of_a_float_is_not_exact_and_refused():
    with pytest.raises(TypeError):
        yc.share(0.8)


def test_a_limit_is_written_as_short_as_it_is_exact():
    assert yc.percent(Fraction(4, 5)) == f"80{NBSP}%"
    assert yc.percent(Fraction(1, 3)) == f"33.33{NBSP}%"
    assert yc.percent(Fraction(799_999, 1_000_000)) == f"79.99{NBSP}%"


def test_a_width_stays_inside_its_bar():
    assert [yc.width(share) for share in (Fraction(1, 3), 2, -1, None)] == [
        "33.333%",
        "100.000%",
        "0.000%",
        "0%",
    ]


def test_a_part_of_nothing_is_nothing():
    assert yc.of(5, 0) == 0
    assert yc.of(38_780, 64_800) == Fraction(38_780, 64_800)


def test_money_has_two_decimals_and_is_cut():
    assert yc.money(Decimal("5400")) == "5,400.00"
    assert yc.money(Decimal("15616200.999")) == "15,616,200.99"
    assert yc.yuan(Decimal("200")) == f"200.00{NBSP}元"
    with translation.override("en"):
        assert yc.yuan(Decimal("200")) == "¥200.00"


def test_money_is_never_a_float():
    with pytest.raises(TypeError):
        yc.money(200.0)


@pytest.mark.parametrize(
    "write",
    [
        yc.duration,
        yc.hms,
        yc.thousands,
        yc.money,
        yc.yuan,
        yc.share,
        yc.cn_date,
        yc.cn_time,
        yc.cn_datetime,
        yc.iso,
        yc.mask,
    ],
)
def test_nothing_known_prints_nothing(write):
    assert write(None) == ""


def test_zero_is_known():
    assert (yc.thousands(0), yc.money(0), yc.said(0)) == ("0", "0.00", "0")


# --- dates and times ---


def test_times_are_shown_in_the_legal_zone():
    late = datetime.datetime(2026, 11, 17, 16, 30, 5, tzinfo=datetime.UTC)  # already the 18th in Henan
    assert yc.cn_date(late) == "2026年11月18日"
    assert yc.cn_time(late) == "00:30"
    assert yc.cn_datetime(late) == "2026年11月18日 00:30:05"
    assert yc.iso(at(8, 30)) == "2026-11-18T00:30:00+00:00"


@pytest.mark.parametrize("write", [yc.cn_date, yc.cn_time, yc.cn_datetime, yc.iso])
def test_a_time_without_a_zone_is_refused(write):
    with pytest.raises(ValueError, match="zone"):
        write(datetime.datetime(2026, 11, 18, 8, 30))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("", "2026年11月18日"),
        ("short", "11月18日"),
        ("week", "11月18日 周三"),
        ("full", "2026年11月18日 周三"),
    ],
)
def test_a_day_has_four_forms(form, written):
    assert yc.cn_date(datetime.date(2026, 11, 18), form) == written


def test_a_moment_has_four_forms():
    moment = at(8, 30, 26)
    assert yc.cn_datetime(moment, "m") == "2026年11月18日 08:30"
    assert yc.cn_datetime(moment, "short") == "11月18日 08:30"
    assert yc.cn_datetime(moment, "week") == "11月18日 周三 08:30"
    assert yc.cn_time(moment, "s") == "08:30:26"


def test_a_range_says_no_more_than_needed():
    assert yc.until(at(8, 30), at(11, 30)) == "08:30–11:30"
    assert yc.until(at(22), at(1, day=19)) == "11月18日 22:00–11月19日 01:00"
    first, last = datetime.date(2026, 11, 16), datetime.date(2026, 11, 24)
    assert yc.until(first, last) == "2026年11月16日 至 11月24日"
    assert yc.until(first, datetime.date(2027, 1, 5)) == "2026年11月16日 至 2027年1月5日"
    assert yc.until(first, first) == "2026年11月16日"
    with translation.override("en"):
        assert yc.until(first, last) == "16 Nov – 24 Nov 2026"
        assert yc.cn_date(last) == "24 Nov 2026"


# --- words ---


def test_personal_data_is_covered():
    assert yc.mask("410122199905200524") == "4101**********0524"
    assert yc.mask("13712345521", "phone") == "137****5521"
    assert [yc.mask(name, "name") for name in ("王小满", "李明", "欧阳修文", "王")] == [
        "王*满",
        "李*",
        "欧**文",
        "王",
    ]
    assert yc.mask("12345", "id") == "*****"


def test_a_digest_is_shortened():
    assert yc.digest("5b7e90aa41d2c812") == "5b7e 90aa … c812"
    assert yc.digest(bytes.fromhex("5b7e90aa41d2c812")) == "5b7e 90aa … c812"


def test_what_a_refusal_found_is_said_plainly():
    assert yc.said(31, "现在") == "现在 31"
    assert yc.said("14.4", "要求") == "要求 14.4"
    assert yc.said("2026-09-23", "最早") == "最早 2026年9月23日"
    assert yc.said("身份证号必须齐全", "要求") == "身份证号必须齐全"
    assert yc.said(["直播", "作业"]) == "直播、作业"
    assert yc.said(True) == "是"


# --- parts ---


def test_an_icon_is_passed_over_unless_it_has_a_label():
    assert render('{% icon "clock" %}') == (
        '<svg class="i" aria-hidden="true"><use href="/static/vendor/icons.svg#tabler-clock"/></svg>'
    )
    assert 'role="img" aria-label="通知"' in render('{% icon "bell" "" "通知" %}')


def test_a_state_is_icon_word_and_colour():
    html = render('{% state "returned" "退回补正" %}')
    assert 'class="yc-state is-stop"' in html
    assert "#tabler-circle-x" in html
    assert "退回补正" in html


def test_a_state_brings_its_own_word():
    class Mood(TextChoices):
        RUNNING = "running", gettext_lazy("培训中")

    assert re.sub("<[^>]+>", "", render("{% state mood %}", mood=Mood.RUNNING)) == "培训中"


def test_a_word_from_outside_is_escaped():
    assert "<b>" not in render('{% state "ok" word %}', word="<b>x</b>")
    assert "<b>" not in render('{% icon "clock" "" word %}', word='"><b>')
    assert "<b>" not in render("{% cite word %}", word="<b>")


def state_enums() -> Iterator[type[TextChoices]]:
    for app in settings.INSTALLED_APPS:
        if "." in app and not app.startswith(("classes.", "exams.")):
            continue
        if importlib.util.find_spec(app) and importlib.util.find_spec(f"{app}.states"):
            module = importlib.import_module(f"{app}.states")
            for name, value in vars(module).items():
                if name.endswith("State") and isinstance(value, type) and issubclass(value, TextChoices):
                    yield value


def test_every_state_of_the_trade_has_a_look():
    codes = {str(member.value) for enum in state_enums() for member in enum}
    assert {"draft", "approved"} <= codes
    assert codes - set(yc._LOOK_OF_STATE) == set()


def test_a_state_has_one_look():
    words = [code for codes in yc.STATE_LOOKS.values() for code in codes.split()]
    assert len(words) == len(set(words))


def test_a_bar_is_drawn_to_scale_and_says_its_sentence():
    html = render(
        '{% bar parts 64800 "直播 34305 秒" %}', parts=[("live", 34_305), ("replay", 0), ("exam", 10_800)]
    )
    assert 'role="img" aria-label="直播 34305 秒"' in html
    assert re.findall(r'class="(k-\w+)" style="width:([\d.]+)%"', html) == [
        ("k-live", "52.939"),
        ("k-work", "16.666"),
    ]


def test_a_bar_without_a_sentence_is_passed_over():
    assert 'aria-hidden="true"' in render("{% bar parts %}", parts={"live": Fraction(1, 2)})


def test_a_meter_shows_its_pass_line():
    html = render('{% meter parts 1 line "已计入" %}', parts=[("live", Fraction(1, 2))], line=Fraction(4, 5))
    assert "left:80.000%" in html
    assert f"合格线 80{NBSP}%" in html


def test_a_ribbon_cuts_what_lies_outside():
    pieces = [("live", at(8, 0), at(9, 0)), ("unproven", at(10, 30), at(12, 0)), ("live", at(12), at(13))]
    html = render('{% ribbon a b pieces "在场" %}', a=at(8, 30), b=at(11, 30), pieces=pieces)
    assert re.findall(r'class="(k-\w+)" style="left:([\d.]+)%;width:([\d.]+)%"', html) == [
        ("k-live", "0.000", "16.666"),
        ("k-unproven", "66.666", "33.333"),
    ]


def test_hours_show_what_lacks_and_what_is_over():
    html = render('{% hours groups "直播 3 课时" %}', groups=[("live", 3, 4), ("quality", 2, None, 1)])
    assert re.findall(r'<i class="([^"]+)">', html) == ["k-live"] * 3 + ["lack", "k-care", "k-care over"]


def test_facts_leave_out_what_is_not_known():
    html = render('{% facts "人数" 0 "金额" none "首课" "9月24日" %}', none=None)
    assert re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html) == [("人数", "0"), ("首课", "9月24日")]


def test_steps_say_where_one_is():
    html = render('{% steps 2 "班级" "花名册" "课表" %}')
    assert html.count('class="done"') == 1
    assert re.search(r'aria-current="step"><b>2</b>花名册', html)
    assert "已完成" in html


def test_crumbs_end_where_one_is():
    html = render('{% crumbs "培训班" "/classes/" "花名册" %}')
    assert '<a href="/classes/">培训班</a>' in html
    assert '<li aria-current="page">花名册</li>' in html


def test_a_refusal_says_rule_found_and_next_step_in_this_order():
    refusal = Refusal(
        "class_too_large",
        "每班不超过 %(cap)s 人，现在 %(size)s 人。",
        found=31,
        required=30,
        citation="规范五（四）",
        next_step="请移出 1 人，或另开一班。",
        params={"cap": 30, "size": 31},
    )
    html = render("{% refusal refusal %}", refusal=refusal)
    parts = re.findall(r"<dt>(.*?)</dt>", html)
    assert parts == ["规则", "这次", "怎么办"]
    assert "每班不超过 30 人，现在 31 人。" in html
    assert 'role="alert"' in html
    assert "规范五（四）" in html
    assert html.index("请移出 1 人") < html.index("技术信息") < html.index("class_too_large<")


def test_a_refusal_with_nothing_found_leaves_the_part_out():
    body = {
        "code": "closed",
        "message": "已经结束",
        "details": {"found": None, "next": "请联系助教"},
        "citation": "",
    }
    assert re.findall(r"<dt>(.*?)</dt>", render("{% refusal body %}", body=body)) == ["怎么办"]


def test_a_pager_keeps_the_query():
    request = RequestFactory().get("/classes/", {"state": "draft", "page": "2"})
    html = render("{% pager page %}", request=request, page=Paginator(range(120), 50).page(2))
    assert "共 120 条，第 51–100 条" in html
    assert 'href="?state=draft&amp;page=3"' in html
    assert '<span aria-current="page">2</span>' in html


def test_one_page_needs_no_pager():
    html = render("{% pager page %}", request=RequestFactory().get("/"), page=Paginator(range(7), 50).page(1))
    assert "共 7 条" in html
    assert "<ul" not in html


def test_a_job_says_that_one_may_leave():
    html = render('{% job "正在生成导出表" 12400 100000 began %}', began=at(9, 15, 2))
    assert "第 12,400，共 100,000" in html
    assert "09:15:02 开始。您可以先离开" in html


# --- icons ---

ICON_NAMES = (Path(settings.ROOT) / "platform/config/static/yc/icons.txt").read_text("utf-8").split()


def test_every_icon_that_a_page_draws_is_in_the_sprite():
    drawn = {
        name
        for path in (Path(settings.ROOT) / "templates").rglob("*.html")
        for name in re.findall(r"""{%\s*(?:icon|nothing)\s+["']([a-z0-9-]+)["']""", path.read_text("utf-8"))
    }
    for folder in ("platform", "courses", "classes", "attendance", "exams", "subsidies", "supervision"):
        for path in (Path(settings.ROOT) / folder).rglob("*.py"):
            drawn |= set(re.findall(r"""\bicon(?:: str)? ?= ?"([a-z0-9-]+)\"""", path.read_text("utf-8")))
    for targets in (context.PUBLIC, *context.NAVIGATION.values()):
        drawn |= {target.icon for target in targets}
    assert {"circle-check", "home"} <= drawn
    assert (drawn | set(yc.STATE_ICONS.values())) - set(ICON_NAMES) == set()


def test_icon_names_are_sorted_and_named_once():
    assert sorted(set(ICON_NAMES)) == ICON_NAMES
