"""The frame of every page: who one is, where one may go, in which language; home, about and error pages."""

import json
import re
from pathlib import Path
from typing import cast

import pytest
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, resolve, reverse
from django.utils import translation

from accounts.states import Role
from classes.states import ClassState
from config import context, views
from config.refusals import MethodMiddleware, RefusalMiddleware
from policy.refusals import Refusal
from tests.cast import client_of

PUBLIC_PAGES = ["home", "about", "components"]


def text_of(response: HttpResponseBase) -> str:
    return str(cast("HttpResponse", response).content.decode())


@pytest.mark.parametrize("name", PUBLIC_PAGES)
def test_public_pages_need_no_database(name, client: Client):
    """pytest-django refuses every query in a test without the django_db mark."""
    html = text_of(client.get(reverse(name)))
    assert html.count("<h1") == 1
    assert 'href="#main"' in html
    assert '<main id="main"' in html


def test_home_shows_no_number_that_nobody_counted(client: Client):
    html = text_of(client.get("/"))
    shown = re.sub(r"<[^>]*>", " ", html[html.index('<main id="main"') : html.index("</main>")])
    assert "一笔补贴" in shown
    assert re.findall(r"[0-9]+", shown) == []


@pytest.mark.parametrize(
    "name",
    [
        "recruitment:institutions",
        "recruitment:lookup",
        "courses:list",
        "subsidies:notices",
        "certificates:check",
    ],
)
def test_home_leads_to_what_is_open_to_everybody(name, client: Client):
    html = text_of(client.get("/"))
    main = html[html.index('<main id="main"') : html.index("</main>")]
    assert f'"{reverse(name)}"' in main


def test_the_demo_is_marked_on_every_page(client: Client, settings):
    settings.DEMO = True
    assert 'class="yc-demo"' in text_of(client.get("/about/"))
    settings.DEMO = False
    assert 'class="yc-demo"' not in text_of(client.get("/about/"))


def test_pages_hold_no_inline_script(client: Client):
    for name in PUBLIC_PAGES:
        html = text_of(client.get(reverse(name)))
        assert re.findall(r"<script(?![^>]*\ssrc=)", html) == []
        assert re.findall(r"\son[a-z]+=", html) == []


# --- language ---


def test_the_switch_names_the_other_language_in_itself(client: Client):
    assert re.search(
        r'name="language" value="en" lang="en"[^>]*><span class="long">English<', text_of(client.get("/"))
    )
    response = client.post(reverse("set_language"), {"language": "en", "next": "/about/"})
    assert response.status_code == 302
    assert response["Location"] == "/about/"
    html = text_of(client.get("/"))
    assert '<html lang="en">' in html
    assert 'value="zh-hans" lang="zh-CN"' in html


# --- errors ---


def test_a_missing_page_says_the_way_out(client: Client):
    response = client.get("/no-such-page/")
    assert response.status_code == 404
    assert "没有找到这一页" in text_of(response)
    assert reverse("home") in text_of(response)


@pytest.mark.parametrize(
    ("view", "status", "words"),
    [
        (lambda request: views.bad_request(request, Exception()), 400, "这个请求平台看不懂"),
        (lambda request: views.forbidden(request, Exception()), 403, "当前账号不能做这一步"),
        (lambda request: views.csrf_failure(request), 403, "没有保存"),
        (lambda request: views.server_error(request), 500, "平台这会儿没能处理"),
    ],
)
def test_an_error_says_what_happened_in_plain_words(view, status, words):
    response = view(RequestFactory().get("/"))
    assert response.status_code == status
    html = text_of(response)
    assert words in html
    for blame in ("抱歉", "非法", "异常", "系统错误", "操作失败", "！"):
        assert blame not in html


@pytest.mark.django_db
def test_an_address_that_only_takes_forms_leads_back_to_the_form(manager):
    client = client_of(manager)
    response = client.get("/classes/12/timetable/check/")
    assert (response.status_code, response["Allow"]) == (405, "POST")
    html = text_of(response)
    assert "这一步没有办成" in html
    assert 'href="/classes/12/timetable/"' in html
    assert html.count("<h1") == 1


def test_the_wrong_method_is_told_in_a_page_and_under_api_in_json(client: Client):
    page = client.post("/about/")
    assert (page.status_code, page["Allow"]) == (405, "GET, HEAD")
    assert "这一步没有办成" in text_of(page)

    request = RequestFactory().get("/api/v1/somewhere/")
    answer = MethodMiddleware(lambda _: HttpResponseNotAllowed(["POST"]))(request)
    assert isinstance(answer, HttpResponse)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    body = json.loads(text_of(answer))
    assert (body["code"], body["details"]["required"]) == ("method_not_allowed", ["POST"])


def test_a_form_without_its_token_is_told_apart():
    response = Client(enforce_csrf_checks=True).post(reverse("set_language"), {"language": "en"})
    assert response.status_code == 403
    assert "没有保存" in text_of(response)


def test_a_refused_page_shows_the_refusal(rf: RequestFactory):
    from config.refusals import RefusalMiddleware

    refusal = Refusal("too_early", "还不能开课", found=3, required=5, next_step="请推迟到 9月24日。")
    request = rf.get("/")
    response = RefusalMiddleware(lambda _: HttpResponse()).process_exception(request, refusal)
    assert response is not None
    assert response.status_code == 409
    html = text_of(response)
    assert 'class="yc-refusal"' in html
    assert "请推迟到 9月24日。" in html
    assert html.count("<h1") == 1


def test_a_refusal_names_states_in_words(rf: RequestFactory):
    refusal = Refusal(
        "x", "不行。", found=ClassState.SUBMITTED, required=[ClassState.DRAFT, ClassState.RETURNED]
    )
    response = RefusalMiddleware(lambda _: HttpResponse()).process_exception(rf.get("/"), refusal)
    assert response is not None
    html = text_of(response)
    assert "<dd>待审核</dd>" in html
    assert "草稿、退回补正" in html
    assert "submitted" not in html


def test_an_edition_is_shown_by_its_title(settings):
    settings.DEMO = True
    template = Template("{{ 'demo'|edition_title }}|{{ 'gone'|edition_title }}")
    assert template.render(Context()) == '<span lang="zh-CN">试用版本（按规范，空缺的数仅供试用）</span>|gone'


# --- who one is ---


@pytest.mark.django_db
def test_the_sign_in_page_has_its_frame(client: Client):
    html = text_of(client.get(reverse("accounts:login")))
    assert '<html lang="zh-CN">' in html
    assert 'value="en" lang="en"' in html


def test_a_stranger_sees_public_places_and_may_sign_in(client: Client):
    html = text_of(client.get("/about/"))
    assert reverse("accounts:login") in html
    assert "yc-tabbar" not in html


@pytest.mark.django_db
def test_what_the_tab_bar_has_no_room_for_is_in_the_phones_menu(manager):
    html = client_of(manager).get(reverse("start")).content.decode()
    menu = html[html.index('class="yc-menu"') :]
    staff = reverse("accounts:staff")
    assert f'<a class="d-md-none" href="{staff}"' in menu[: menu.index("</div>")]
    assert staff not in html[html.index('class="yc-tabbar"') :]


@pytest.mark.django_db
def test_a_trainee_has_a_tab_bar(learner):
    html = text_of(client_of(learner).get("/about/"))
    assert 'class="yc-tabbar"' in html
    assert "has-tabbar" in html
    assert "王小满" in html
    assert "is-regulator" not in html


@pytest.mark.django_db
def test_a_manager_is_named_with_the_school(manager):
    html = text_of(client_of(manager).get("/about/"))
    assert "郑州启航创业培训学校·机构管理员" in html


@pytest.mark.django_db
def test_a_read_only_account_looks_read_only(regulator):
    html = text_of(client_of(regulator).get("/about/"))
    assert "yc-bar is-regulator" in html
    assert "只读账号·每次查看都会留痕" in html


@pytest.mark.django_db
def test_the_frame_asks_who_one_is_once(manager, django_assert_max_num_queries):
    client = client_of(manager)
    with django_assert_max_num_queries(4):  # session, user, person, memberships
        client.get("/about/")


@pytest.mark.django_db
def test_the_place_one_is_in_is_marked_once(manager):
    request = HttpRequest()
    request.user = manager
    request.path = reverse("start")
    current = [item.label for item in context.Frame(request).nav if item.current]
    assert [str(label) for label in current] == ["首页"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("who", "address", "place"),
    [
        ("learner", "/classes/7/meter/", "学时"),
        ("learner", "/attendance/3/lessons/9/", "学时"),
        ("learner", "/lessons/9/coursework/", "考试"),
        ("learner", "/lessons/9/sign-in/", "课表"),
        ("learner", "/register/questionnaire/", "报名"),
        ("manager", "/classes/7/conclude/", "培训班"),
        ("manager", "/attendance/3/", "培训班"),
        ("manager", "/claims/5/", "补贴申请"),
        ("officer", "/classes/7/filing/", "开班备案"),
        ("officer", "/registers/measures/2/", "定点机构"),
        ("operator", "/platform/offices/4/end/", "工作人员"),
    ],
)
def test_the_place_that_is_marked_is_the_one_the_page_belongs_to(cast, who, address, place):
    request = RequestFactory().get(address)
    request.user = getattr(cast, who)
    request.resolver_match = resolve(address)
    assert [str(item.label) for item in context.Frame(request).nav if item.current] == [place]


def test_every_role_has_places():
    assert set(context.NAVIGATION) == set(Role)


@pytest.mark.parametrize(
    "name",
    sorted({target.name for targets in (context.PUBLIC, *context.NAVIGATION.values()) for target in targets}),
)
def test_every_place_in_the_navigation_exists(name):
    try:
        reverse(name)
    except NoReverseMatch:
        pytest.fail(f"the navigation leads to {name}, which no urls.py has without arguments")


def test_a_place_that_is_missing_is_an_error_in_production(settings):
    settings.MODE = "production"
    with pytest.raises(NoReverseMatch):
        context._place("nowhere:at_all")


# --- forms ---


class Sample(forms.Form):
    name = forms.CharField(label="姓名", help_text="与身份证一致")
    note = forms.CharField(label="说明", required=False, widget=forms.Textarea(attrs={"class": "num"}))
    way = forms.ChoiceField(
        label="方式", choices=[("face", "刷脸"), ("code", "验证码")], widget=forms.RadioSelect
    )
    seen = forms.BooleanField(label="看过了")


def test_a_field_says_label_help_and_error_to_everybody():
    html = str(Sample({"way": "code"})["name"].as_field_group())
    assert '<label for="id_name">姓名</label>' in html
    assert 'class="form-control"' in html
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext"' in html
    assert 'id="id_name_error"' in html
    assert 'aria-invalid="true"' in html


def test_an_optional_field_says_so_and_keeps_its_own_class():
    html = str(Sample()["note"].as_field_group())
    assert "可不填" in html
    assert 'class="form-control num"' in html


def test_choices_stand_in_a_fieldset():
    html = str(Sample()["way"].as_field_group())
    assert "<legend>方式</legend>" in html
    assert html.count('type="radio"') == 2


def test_a_box_stands_before_its_words():
    html = str(Sample()["seen"].as_field_group())
    assert html.index('type="checkbox"') < html.index("看过了")


def test_a_whole_form_is_rendered_the_same_way():
    form = Sample({})
    form.add_error(None, "这一班已经提交，不能再改")
    html = str(form)
    assert html.count("yc-field") == 4
    assert 'role="alert"' in html
    assert "这一班已经提交" in html


# --- the look's floor: Chromium 84 and iOS 14.5 ---

BEYOND_THE_FLOOR = {
    "color-mix()": r"color-mix\(",
    "light-dark()": r"light-dark\(",
    "oklch()": r"oklch\(",
    ":has()": r":has\(",
    ":is() and :where()": r":(?:is|where)\(",
    "nesting": r"[{;]\s*&",
    "container queries": r"@container",
    "inset": r"[\s{;]inset\s*:",
    "aspect-ratio": r"[\s{;]aspect-ratio\s*:",
    "layers": r"@layer",
}


SHEETS = sorted(
    path
    for folder in ("platform", "courses", "classes", "attendance", "exams", "subsidies", "supervision")
    for path in (Path(settings.ROOT) / folder).rglob("static/**/*.css")
)


@pytest.mark.parametrize("feature", BEYOND_THE_FLOOR)
@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_our_styles_stay_above_the_floor(sheet, feature):
    css = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.S)
    assert re.findall(BEYOND_THE_FLOOR[feature], css) == []


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


TOKENS = dict(
    re.findall(
        r"--((?:yc|k)-[\w-]+): (#[0-9a-f]{6})\b",
        (Path(settings.ROOT) / "platform/config/static/yc/yuchuang.css").read_text("utf-8"),
    )
)


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *[(ink, ground) for ink in ("yc-ink", "yc-ink-2", "yc-ink-3") for ground in ("yc-paper", "yc-sunk")],
        *[(f"yc-{name}", f"yc-{name}-bg") for name in ("indigo", "sprout", "wheat", "brick")],
        *[(f"yc-{name}", "yc-paper") for name in ("indigo", "sprout", "wheat", "brick", "seal")],
    ],
)
def test_text_can_be_read_on_its_ground(text, ground):
    assert contrast(TOKENS[text], TOKENS[ground]) >= 4.5


@pytest.mark.parametrize(
    "mark", ["yc-line-2", "k-live", "k-replay", "k-work", "k-care", "k-demand", "k-offline"]
)
def test_controls_and_drawn_marks_can_be_seen(mark):
    assert contrast(TOKENS[mark], "#ffffff") >= 3


def test_pages_speak_english_when_asked(client: Client):
    with translation.override("en"):
        assert context.Frame(RequestFactory().get("/")).other_language["name"] == "中文"
