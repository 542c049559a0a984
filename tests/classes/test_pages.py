"""The pages of a class: what each person meets there, and what a form leaves behind."""

import datetime
import io
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import Person
from audit.models import Entry
from classes import actions
from classes.models import Enrolment, Filing, Lesson, TrainingClass
from classes.rosters import HEADERS, SHEET
from classes.states import ClassState, FilingState, LessonStanding
from classes.timetables import MOST_LESSONS, drafts_of
from courses.models import Course
from tests.cast import client_of
from tests.classes.school import FIRST_DAY, draft, gyb_drafts, roster_file, trainee_row, weeks_later


@pytest.fixture(autouse=True)
def _monday(time_machine, now):
    """Views ask the clock themselves: it is the Monday of the cast."""
    time_machine.move_to(now.astimezone(datetime.UTC), tick=False)


def page(user, name, *args, **query):
    return client_of(user).get(reverse(f"classes:{name}", args=args), query)


def text(response) -> str:
    return str(response.content.decode())


def upload(content: bytes) -> dict[str, SimpleUploadedFile]:
    return {"file": SimpleUploadedFile("花名册.xlsx", content)}


# --- list ---


def test_the_list_says_how_to_begin_when_it_is_empty(manager, trainer):
    assert "先建一个班，再导入花名册" in text(page(manager, "list"))
    assert "新建培训班" not in text(page(trainer, "list"))


def test_the_list_is_filtered_by_state_and_name(school, manager, rival):
    school.create(name="第 1 期")
    school.create(name="第 2 期")
    assert "第 1 期" in text(page(manager, "list"))
    only = text(page(manager, "list", search="第 2"))
    assert "第 2 期" in only
    assert "第 1 期" not in only
    assert "没有符合的培训班" in text(page(manager, "list", state="running"))
    assert "第 1 期" not in text(page(rival, "list"))
    assert page(manager, "list", state="nonsense", page="99", search="\0").status_code == 200


@pytest.mark.parametrize("name", ["list", "filings"])
def test_lists_take_as_many_queries_for_three_as_for_one(school, cast, name):
    user = cast.manager if name == "list" else cast.officer
    client = client_of(user)

    def count():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse(f"classes:{name}")).status_code == 200
        return len(captured)

    school.filed(name="第 1 期")
    count()
    one = count()
    school.filed(name="第 2 期", **weeks_later(1))
    school.filed(name="第 3 期", **weeks_later(2))
    assert count() == one


# --- details ---


def form_data(school, **changes):
    return {
        "name": "2026 年第 7 期",
        "course": school.course.pk,
        "mode": "full_live",
        "edition": "demo",
        "starts_on": "2026-09-21",
        "ends_on": "2026-10-04",
        "lecturer": school.cast.trainer.person_id,
        "assistant": school.cast.assistant.person_id,
    } | changes


def test_a_class_is_made_on_a_page_and_leads_to_its_roster(school, manager):
    client = client_of(manager)
    assert "政策版本" in text(client.get(reverse("classes:create")))
    response = client.post(reverse("classes:create"), form_data(school))
    training_class = TrainingClass.objects.get()
    assert response["Location"] == reverse("classes:roster", args=[training_class.pk])
    changed = client.post(
        reverse("classes:edit", args=[training_class.pk]), form_data(school, name="改过的名字")
    )
    assert changed["Location"] == reverse("classes:detail", args=[training_class.pk])
    training_class.refresh_from_db()
    assert training_class.name == "改过的名字"


def test_a_version_that_other_classes_take_is_offered_once_and_kept(school, manager):
    first, _second = school.create(name="第 1 期"), school.create(name="第 2 期")
    address = reverse("classes:edit", args=[first.pk])
    offered = client_of(manager).get(address).context["form"].fields["course_version"].queryset
    assert list(offered) == [first.course_version]
    sent = form_data(school, name="第 1 期", course_version=first.course_version_id)
    saved = client_of(manager).post(address, sent)
    assert saved["Location"] == reverse("classes:detail", args=[first.pk])
    first.refresh_from_db()
    assert first.course_version_id == sent["course_version"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "form"),
        ({"course": "999"}, "form"),
        ({"starts_on": "soon"}, "form"),
        ({"ends_on": "2026-09-20"}, "早于开班日期"),
        ({"edition": "henan-2020-97"}, "没有给出"),
        ({"assistant": "1"}, "form"),
    ],
)
def test_a_bad_form_says_what_to_change_and_leaves_nothing(school, manager, changes, words):
    response = client_of(manager).post(reverse("classes:create"), form_data(school, **changes))
    assert response.status_code == 400
    assert words == "form" or words in text(response)
    assert 'class="yc-errors' in text(response)
    assert not TrainingClass.objects.exists()


def test_a_class_page_shows_each_person_what_is_theirs(school, cast):
    training_class = school.approved()
    manager = text(page(cast.manager, "detail", training_class.pk))
    assert "花名册 3 人" in manager
    assert "办理经过" in manager
    trainer = text(page(cast.trainer, "detail", training_class.pk))
    assert "进课堂" in trainer
    assert "取消开班" not in trainer
    assert "取消开班" in manager
    assert training_class.lessons.count() == 8


def test_a_trainee_sees_the_timetable_but_not_the_others(school, learner):
    from config.demo.cast import made_up_id_number

    training_class = school.create()
    school.enrol(training_class, 3, first=1)
    own = trainee_row(0, name=learner.person.name, id_number=made_up_id_number(0).value)
    actions.import_roster(
        training_class=training_class, content=roster_file([own]), actor=school.cast.manager, at=school.at
    )
    school.take_as_approved(training_class)
    body = text(page(learner, "detail", training_class.pk))
    assert "陈国强" not in body
    assert "办理经过" not in body
    assert page(learner, "roster", training_class.pk).status_code == 403
    assert page(learner, "filing", training_class.pk).status_code == 403


def test_cancelling_asks_why_first(school, manager):
    training_class = school.create()
    client = client_of(manager)
    url = reverse("classes:cancel", args=[training_class.pk])
    assert "不能恢复" in text(client.get(url))
    client.post(url, {"reason": ""})
    training_class.refresh_from_db()
    assert training_class.state == ClassState.DRAFT
    client.post(url, {"reason": "人数不够"})
    training_class.refresh_from_db()
    assert training_class.state == ClassState.CANCELLED


# --- strangers ---


def urls(training_class, filing, enrolment):
    names = ["detail", "edit", "cancel", "roster", "roster_template", "timetable", "filing", "package"]
    return (
        [("get", reverse(f"classes:{name}", args=[training_class.pk])) for name in names]
        + [
            ("post", reverse(f"classes:{name}", args=[training_class.pk]))
            for name in (
                "edit",
                "cancel",
                "roster",
                "timetable",
                "timetable_check",
                "filing",
            )
        ]
        + [("post", reverse(f"classes:{name}", args=[filing.pk])) for name in ("decide", "withdraw")]
        + [("post", reverse("classes:roster_remove", args=[enrolment.pk]))]
    )


def everything():
    return [
        list(model.objects.order_by("pk").values()) for model in (TrainingClass, Enrolment, Lesson, Filing)
    ] + [Entry.objects.count()]


def test_strangers_meet_404_on_every_page_and_change_nothing(school, cast):
    filing = school.filed()
    enrolment = filing.training_class.enrolments.first()
    before = everything()
    for user in (cast.rival, cast.regulator, cast.finance, cast.learner):
        client = client_of(user)
        for method, url in urls(filing.training_class, filing, enrolment):
            response = getattr(client, method)(url, {"approved": "1", "reason": "x", "number": "1"})
            assert response.status_code == 404, (user, method, url)
    assert everything() == before


def test_who_is_not_signed_in_is_asked_to(school):
    filing = school.filed()
    enrolment = filing.training_class.enrolments.first()
    before = everything()
    client = client_of(None)
    for method, url in [*urls(filing.training_class, filing, enrolment), ("get", reverse("classes:list"))]:
        response = getattr(client, method)(url)
        assert response.status_code == 302, (method, url)
        assert response["Location"].startswith(reverse("accounts:login"))
    assert everything() == before


def test_staff_see_but_do_not_manage(school, trainer):
    filing = school.filed()
    enrolment = filing.training_class.enrolments.first()
    before = everything()
    client = client_of(trainer)
    for method, url in urls(filing.training_class, filing, enrolment):
        if method == "post":
            assert getattr(client, method)(url).status_code in (403, 404), url
    assert everything() == before


# --- roster ---


def test_a_roster_is_imported_on_its_page(school, manager):
    training_class = school.create()
    client = client_of(manager)
    url = reverse("classes:roster", args=[training_class.pk])
    template = client.get(reverse("classes:roster_template", args=[training_class.pk]))
    sheet = load_workbook(io.BytesIO(template.content))[SHEET]
    assert [cell.value for cell in sheet[1]] == list(HEADERS)
    looked = client.post(url, upload(roster_file([trainee_row(0), trainee_row(1)])), follow=True)
    body = text(looked)
    assert "核对花名册：还没有导入" in body
    assert "王小满" in body
    assert trainee_row(0)["身份证号"] not in body
    assert not Enrolment.objects.exists()
    assert not Person.objects.filter(name="陈国强").exists()
    response = client.post(looked.redirect_chain[-1][0], follow=True)
    assert "导入了 2 名学员。" in text(response)
    assert "预览已过期" in text(client.post(looked.redirect_chain[-1][0], follow=True))
    assert training_class.enrolments.count() == 2
    enrolment = training_class.enrolments.first()
    removal = reverse("classes:roster_remove", args=[enrolment.pk])
    roster = text(client.get(reverse("classes:roster", args=[training_class.pk])))
    assert f'href="{removal}"' in roster
    assert f'action="{removal}"' not in roster  # nobody goes by one press
    asked = text(client.get(removal))
    assert f"把 {enrolment.person.name} 移出花名册" in asked
    assert "不移出" in asked
    assert training_class.enrolments.filter(state="active").count() == 2
    gone = client.post(removal, follow=True)
    assert f"已移出 {enrolment.person.name}。" in text(gone)


def test_a_rejected_roster_shows_every_cell_and_how_to_mend_it(school, manager):
    training_class = school.create()
    content = roster_file([trainee_row(0), trainee_row(1, phone="1")])
    client = client_of(manager)
    response = client.post(reverse("classes:roster", args=[training_class.pk]), upload(content), follow=True)
    url = response.redirect_chain[-1][0]
    body = text(response)
    assert "花名册导入：一行也没有导入" in body
    assert "C3" in body
    assert "手机号应为 11 位数字" in body
    assert not Enrolment.objects.exists()
    marked = client.get(f"{url}marked/")
    assert load_workbook(io.BytesIO(marked.content))[SHEET]["C3"].comment is not None
    told = load_workbook(io.BytesIO(client.get(f"{url}faults/").content)).worksheets[0]
    assert [cell.value for cell in told[2]][:3] == ["3", "C", "手机号"]
    assert client.post(url).status_code == 409
    assert not Enrolment.objects.exists()


def test_faults_and_people_are_shown_page_by_page(school, manager):
    client = client_of(manager)
    url = reverse("classes:roster", args=[school.create().pk])
    response = client.post(
        url, upload(roster_file([trainee_row(n, phone="1") for n in range(60)])), follow=True
    )
    assert text(response).count('class="yc-cell"') == 50
    second = text(client.get(response.redirect_chain[-1][0], {"page": "2"}))
    assert "C61" in second
    assert "C2<" not in second
    good = client.post(url, upload(roster_file([trainee_row(n) for n in range(60)])), follow=True)
    assert "将导入 60 人" in text(good)
    assert text(client.get(good.redirect_chain[-1][0], {"page": "2"})).count('<tr><td class="name">') == 10


def test_a_preview_is_for_who_uploaded_it_and_for_its_class_alone(school, manager, cast):
    from django.core.cache import cache

    from accounts.actions import grant_role
    from accounts.models import User

    training_class, other = school.create(), school.create(name="另一个班")
    client = client_of(manager)
    content = roster_file([trainee_row(1)])
    url = client.post(reverse("classes:roster", args=[training_class.pk]), upload(content))["Location"]
    token = url.rstrip("/").rsplit("/", 1)[-1]
    [sealed] = [value for value in (cache.get(f"roster-preview:{token}"),) if value]
    assert content not in sealed
    colleague = User.objects.create_user("manager2")
    grant_role(user=colleague, role="manager", institution=cast.school)
    elsewhere = reverse("classes:roster_preview", args=[other.pk, token])
    for user, address in ((colleague, url), (manager, elsewhere)):
        assert client_of(user).post(address).status_code == 302
    assert client_of(cast.rival).get(url).status_code == 404
    assert not Enrolment.objects.exists()
    assert "将导入 1 人" in text(client.get(url))


@pytest.mark.parametrize("content", [b"", b"no workbook"])
def test_a_file_that_is_no_workbook_is_refused_on_the_page(school, manager, content):
    training_class = school.create()
    response = client_of(manager).post(reverse("classes:roster", args=[training_class.pk]), upload(content))
    assert response.status_code == 400
    assert "yc-refusal" in text(response)
    nothing = client_of(manager).post(reverse("classes:roster", args=[training_class.pk]))
    assert nothing.status_code == 400


# --- timetable ---


def rows_of(drafts, **changes):
    """The editor's repeated fields."""
    columns: dict[str, list[str]] = {
        "key": [],
        "day": [],
        "starts": [],
        "ends": [],
        "kind": [],
        "hours": [],
        "title": [],
    }
    for number, row in enumerate(drafts):
        cells = {
            "key": f"r{number}",
            "day": row.starts_at.date().isoformat(),
            "starts": row.starts_at.strftime("%H:%M"),
            "ends": row.ends_at.strftime("%H:%M"),
            "kind": row.kind.value,
            "hours": str(row.hours),
            "title": row.title,
        } | (changes if number == 0 else {})
        for name, value in cells.items():
            columns[name].append(value)
    return columns | {"whole": ["1"]}


@pytest.mark.parametrize("cut", ["everything", "the end", "a field"])
def test_a_timetable_that_did_not_arrive_whole_takes_nothing_away(school, manager, cut):
    training_class = school.ready()
    before = drafts_of(training_class.lessons.all())
    sent = rows_of(before)
    if cut == "everything":
        sent = {"form-TOTAL_FORMS": ["x"]}
    elif cut == "the end":
        del sent["whole"]
    else:
        sent["title"].pop()
    url = reverse("classes:timetable", args=[training_class.pk])
    response = client_of(manager).post(url, sent)
    assert response.status_code == 400
    assert "没有完整收到" in text(response)
    assert drafts_of(training_class.lessons.all()) == before
    emptied = client_of(manager).post(url, {"whole": "1"})
    assert (emptied.status_code, training_class.lessons.count()) == (302, 0)


def test_the_editor_saves_what_is_typed(school, manager):
    training_class = school.create()
    url = reverse("classes:timetable", args=[training_class.pk])
    client = client_of(manager)
    assert "加一节" in text(client.get(url))
    saved = client.post(url, rows_of(gyb_drafts()))
    assert saved["Location"] == url
    assert training_class.lessons.count() == 8
    onwards = client.post(url, rows_of(gyb_drafts()) | {"next": "filing"})
    assert onwards["Location"] == reverse("classes:filing", args=[training_class.pk])


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"day": ""}, 400, "请填好日期"),
        ({"day": "2026-02-30"}, 400, "请填好日期"),
        ({"starts": "25:00"}, 400, "请填好日期"),
        ({"hours": "许多"}, 400, "请填课时数"),
        ({"hours": "NaN"}, 400, "请填课时数"),
        ({"hours": "1e400"}, 400, "请填课时数"),
        ({"kind": "party"}, 400, "请选课时类别"),
        ({"title": ""}, 409, "内容要写 1 到"),
        ({"ends": "08:30"}, 409, "结束时间不晚于开始时间"),
        ({"day": "2027-01-01"}, 409, "不在开班"),
        ({"hours": "5"}, 409, "至少要 225 分钟"),
    ],
)
def test_a_row_that_cannot_be_saved_keeps_its_text_and_says_why(school, manager, changes, status, words):
    training_class = school.create()
    url = reverse("classes:timetable", args=[training_class.pk])
    response = client_of(manager).post(url, rows_of(gyb_drafts(), **changes))
    assert response.status_code == status
    assert words in text(response)
    assert "发现身边的商机" in text(response)
    assert not Lesson.objects.exists()


@pytest.mark.parametrize("name", ["timetable", "timetable_check"])
def test_a_row_of_nonsense_is_told_everything_at_once(school, manager, name):
    training_class = school.create()
    sent = {"key": "r0", "day": "x", "starts": "y", "ends": "z", "kind": "q", "hours": "NaN", "title": "一课"}
    url = reverse(f"classes:{name}", args=[training_class.pk])
    response = client_of(manager).post(url, sent | {"whole": "1"})
    assert response.status_code == (400 if name == "timetable" else 200)
    body = text(response)
    for words in ("请填好日期、开始和结束时间。", "请填课时数。", "请选课时类别。"):
        assert words in body
    if name == "timetable":
        for typed in ("x", "y", "z", "NaN", "一课"):
            assert f'value="{typed}"' in body
    assert not Lesson.objects.exists()


@pytest.mark.parametrize("day", ["20260914", "2026-W38-1", "２０２６-09-14"])
def test_a_day_is_written_in_one_way(school, manager, day):
    training_class = school.create()
    url = reverse("classes:timetable", args=[training_class.pk])
    assert "请填好日期" in text(client_of(manager).post(url, rows_of(gyb_drafts(), day=day)))


def test_a_title_is_kept_without_nul(school, manager):
    training_class = school.create()
    url = reverse("classes:timetable", args=[training_class.pk])
    assert client_of(manager).post(url, rows_of(gyb_drafts(), title="第一\0课")).status_code == 302
    assert training_class.lessons.first().title == "第一课"


def test_as_many_lessons_as_a_class_may_have_fit_into_one_form(school, manager):
    training_class = school.create()
    url = reverse("classes:timetable", args=[training_class.pk])
    start = gyb_drafts()[0].starts_at.replace(hour=0, minute=0)
    length = datetime.timedelta(minutes=45)
    drafts = [
        replace(
            gyb_drafts()[0],
            starts_at=start + datetime.timedelta(days=number // 20) + length * (number % 20),
            ends_at=start + datetime.timedelta(days=number // 20) + length * (number % 20 + 1),
            hours=Decimal(1),
            title=f"第 {number + 1} 节",
        )
        for number in range(MOST_LESSONS + 1)
    ]
    assert client_of(manager).post(url, rows_of(drafts[:-1])).status_code == 302
    assert training_class.lessons.count() == MOST_LESSONS
    one_more = client_of(manager).post(url, rows_of(drafts))
    assert (one_more.status_code, "一个班最多排 200 节课，现在 201 节。" in text(one_more)) == (400, True)
    assert training_class.lessons.count() == MOST_LESSONS


def test_the_check_answers_while_drafting_and_saves_nothing(school, manager):
    training_class = school.create()
    school.enrol(training_class)
    drafts = gyb_drafts()
    drafts[3] = draft(3, "08:30", "live", 3, "创业的第一笔账")
    drafts[4] = draft(3, "14:30", "tutoring", 4, "分组创业咨询")
    url = reverse("classes:timetable_check", args=[training_class.pk])
    body = text(client_of(manager).post(url, rows_of(drafts)))
    assert "还有 2 处要改" in body
    assert "15 + 4 + 4 = 23" in body
    assert "把“分组创业咨询”的 1 课时改成直播" in body
    assert 'id="faults-r4" hx-swap-oob="true"' in body
    assert not Lesson.objects.exists()
    assert client_of(manager).post(url, {"whole": "1"}).status_code == 200
    assert client_of(manager).post(url).status_code == 400


def test_a_fix_changes_the_rows_and_makes_the_timetable_lawful(school, manager):
    training_class = school.create()
    school.enrol(training_class)
    drafts = gyb_drafts()
    drafts[3] = draft(3, "08:30", "live", 3, "创业的第一笔账")
    drafts[4] = draft(3, "14:30", "tutoring", 4, "分组创业咨询")
    url = reverse("classes:timetable", args=[training_class.pk])
    body = text(client_of(manager).post(url, rows_of(drafts) | {"fix": "to_live"}))
    assert "可以提交备案" in body
    assert "还没有保存" in body
    assert not Lesson.objects.exists()


def test_the_outline_fills_an_empty_timetable(school, manager):
    training_class = school.create()
    school.enrol(training_class)
    url = reverse("classes:timetable", args=[training_class.pk])
    body = text(client_of(manager).post(url, {"fix": "outline", "whole": "1"}))
    assert "可以提交备案" in body
    assert "共 24 课时" in body


def test_a_missing_hour_is_added_at_the_end(school, manager):
    training_class = school.create()
    school.enrol(training_class)
    drafts = [*gyb_drafts()[:3], draft(3, "08:30", "live", 3, "少一课时"), *gyb_drafts()[4:]]
    url = reverse("classes:timetable", args=[training_class.pk])
    body = text(client_of(manager).post(url, rows_of(drafts) | {"fix": "add_live"}))
    assert "可以提交备案" in body
    assert "共 24 课时" in body


def test_a_class_that_begins_too_early_is_postponed_with_its_lessons(school, manager):
    early = datetime.date(2026, 9, 11)
    training_class = school.create(starts_on=early, ends_on=early + datetime.timedelta(days=13))
    school.enrol(training_class)
    url = reverse("classes:timetable", args=[training_class.pk])
    client = client_of(manager)
    drafts = gyb_drafts(early)
    body = text(client.post(reverse("classes:timetable_check", args=[training_class.pk]), rows_of(drafts)))
    assert "开班和课表都顺延 3 天" in body
    assert "可开课" in body
    response = client.post(url, rows_of(drafts) | {"fix": "postpone"}, follow=True)
    training_class.refresh_from_db()
    assert training_class.starts_on == datetime.date(2026, 9, 14)
    assert training_class.lessons.first().day == datetime.date(2026, 9, 14)
    assert "可以提交备案" in text(response)


def test_a_filed_timetable_is_only_to_be_read(school, manager):
    filing = school.filed()
    url = reverse("classes:timetable", args=[filing.training_class_id])
    body = text(client_of(manager).get(url))
    assert "加一节" not in body
    assert "认识创业：我适合创业吗" in body
    refused = client_of(manager).post(url, rows_of(gyb_drafts()[:1]))
    assert refused.status_code == 409
    assert filing.training_class.lessons.count() == 8


def test_enter_in_the_editor_saves(school, manager):
    """A browser presses the first button that belongs to the form, wherever on the page it stands."""
    html = text(page(manager, "timetable", school.ready().pk))
    before, _form, _after = html.partition('<form id="timetable"')
    first, *_others = re.findall(r'<button[^>]* form="timetable"[^>]*>', before)
    assert "name=" not in first


# --- filing ---


def decision(client, filing, **sent):
    return client.post(reverse("classes:decide", args=[filing.pk]), sent)


APPROVAL = {"decision": "approve", "number": "郑创备 1", "reason": "材料齐全", "staff_seen": "on"}


def test_a_filing_goes_its_way_on_pages(school, manager, officer, django_capture_on_commit_callbacks):
    training_class = school.ready()
    url = reverse("classes:filing", args=[training_class.pk])
    assert "核对并提交" in text(client_of(manager).get(url))
    repeated = text(client_of(manager).post(url))
    assert "核对：提交开班备案" in repeated
    assert "8 节，24 课时" in repeated
    assert not Filing.objects.exists()
    assert client_of(officer).post(url).status_code == 403
    with django_capture_on_commit_callbacks(execute=True):
        submitted = client_of(manager).post(url, {"confirmed": "1"}, follow=True)
    assert "经办人员会在这里答复" in text(submitted)
    filing = Filing.objects.get()
    office = client_of(officer)
    assert training_class.name in text(office.get(reverse("classes:filings")))
    assert "1 件开班备案等您审核" in text(office.get(reverse("classes:list")))
    assert "您的决定" in text(office.get(url))
    asked = decision(office, filing, **APPROVAL)
    assert "核对：同意备案" in text(asked)
    filing.refresh_from_db()
    assert filing.state == FilingState.SUBMITTED
    done = decision(office, filing, **APPROVAL, confirmed="1")
    assert done["Location"] == url
    filing.refresh_from_db()
    assert (filing.state, filing.number) == (FilingState.APPROVED, "郑创备 1")
    assert "下载备案材料包" in text(client_of(manager).get(url))
    package = client_of(manager).get(reverse("classes:package", args=[training_class.pk]))
    assert load_workbook(io.BytesIO(package.content)).sheetnames == [
        "班级",
        "花名册",
        "课表",
        "申请的例外",
        "数据字典",
        "校验",
    ]
    again = decision(office, filing, decision="return", reason="改主意", confirmed="1")
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"number": ""}, "同意备案要填备案编号"),
        ({"staff_seen": ""}, "请看过以后勾选"),
        ({"decision": "return", "reason": ""}, "退回补正要写明理由"),
        ({"decision": "perhaps"}, "yc-errors"),
    ],
)
def test_half_a_decision_is_sent_back(school, officer, changes, words):
    filing = school.filed()
    response = decision(client_of(officer), filing, **(APPROVAL | changes), confirmed="1")
    assert response.status_code == 400
    assert words in text(response) or changes.get("decision") == "perhaps"
    filing.refresh_from_db()
    assert filing.state == FilingState.SUBMITTED


def test_a_returned_class_shows_the_reason_and_then_the_differences(school, manager, officer):
    filing = school.filed()
    decision(client_of(officer), filing, decision="return", reason="请改考试时间", confirmed="1")
    training_class = filing.training_class
    assert "请改考试时间" in text(page(manager, "filing", training_class.pk))
    assert "请改考试时间" in text(page(manager, "detail", training_class.pk))
    school.schedule(training_class, [*gyb_drafts()[:-1], draft(6, "09:30", "exam", 2, "线上结业考试")])
    actions.submit_filing(
        training_class=training_class, actor=manager, at=school.at + datetime.timedelta(hours=3)
    )
    review = text(page(officer, "filing", training_class.pk))
    assert "和上次提交相比，改了 1 处" in review
    assert "待审，第 2 次提交" in review


def test_the_registers_findings_on_the_lecturer_lead_the_office_to_the_papers(school, manager, officer):
    """T1-T3 are findings like any other: the page says nothing of its own beside them."""
    filing = school.filed()
    lecturer = reverse("registers:lecturer", args=[filing.snapshot["staff"]["lecturer"]["id"]])
    office, own = (text(page(user, "filing", filing.training_class_id)) for user in (officer, manager))
    assert {"T1", "T3"} <= {finding["row"] for finding in filing.findings}
    assert (office.count(lecturer), own.count(lecturer)) == (1, 0)
    for shown in (office, own):
        assert "<td>讲师资格</td>" in shown
        assert "<td>取消讲师资格</td>" in shown
        assert "请人工看" not in shown


def test_what_is_only_noted_is_not_counted_as_passed(school, manager):
    filing = school.filed()
    response = page(manager, "filing", filing.training_class_id)
    noted = [one["code"] for one in filing.findings if one["outcome"] == "noted"]
    assert noted
    assert [line.code for line in response.context["pressing"]] == noted
    assert len(response.context["passed"]) == len(filing.findings) - len(noted)
    assert f"{len(filing.findings) - len(noted)} 项符合" in text(response)
    assert f"{len(noted)} 项提示" in text(response)


def test_lessons_that_no_room_opens_are_over_when_their_time_has_passed(school):
    training_class = school.approved()
    lessons = {lesson.kind: lesson for lesson in training_class.lessons.all()}
    homework, live = lessons["homework"], lessons["live"]
    assert homework.standing_at(homework.starts_at - datetime.timedelta(seconds=1)) == LessonStanding.AHEAD
    assert homework.standing_at(homework.starts_at) == LessonStanding.UNDER_WAY
    assert homework.standing_at(homework.ends_at) == LessonStanding.OVER
    assert live.standing_at(live.starts_at) == LessonStanding.AHEAD
    assert live.standing_at(live.ends_at) == LessonStanding.NOT_HELD
    training_class.state = ClassState.FINISHED
    homework.training_class = training_class
    assert homework.standing_at(homework.starts_at - datetime.timedelta(days=1)) == LessonStanding.OVER


def test_a_submission_that_fails_says_so_on_the_page(school, manager):
    training_class = school.create()
    response = client_of(manager).post(reverse("classes:filing", args=[training_class.pk]))
    assert response.status_code == 409
    assert "没有提交" in text(response)
    assert not Filing.objects.exists()


def test_a_filing_is_withdrawn_on_its_page(school, manager):
    filing = school.filed()
    client_of(manager).post(reverse("classes:withdraw", args=[filing.pk]))
    filing.refresh_from_db()
    assert filing.state == FilingState.WITHDRAWN
    assert filing.training_class.starts_on == FIRST_DAY


def test_the_queue_is_for_the_office(school, cast):
    for user in (cast.manager, cast.trainer, cast.learner, cast.rival, cast.regulator):
        assert page(user, "filings").status_code == 403


# --- courses ---


def test_everybody_reads_the_catalogue(school):
    client = client_of(None)
    listed = text(client.get(reverse("courses:list")))
    assert "创业认知" in listed
    detail = text(client.get(reverse("courses:detail", args=[school.course.pk])))
    assert "共 24 课时" in detail
    assert client.get(reverse("courses:detail", args=[10**9])).status_code == 404


def test_why_a_class_was_cancelled_is_read_by_manager_and_office_and_not_by_trainees(school, cast, now):
    training_class = school.approved()
    actions.cancel_class(training_class=training_class, reason="报名人数不够", actor=cast.manager, at=now)
    for reader in (cast.manager, cast.officer):
        for name in ("detail", "filing"):
            page = text(client_of(reader).get(reverse(f"classes:{name}", args=[training_class.pk])))
            assert "已取消开班" in page, (reader, name)
            assert "报名人数不够" in page, (reader, name)
        body = client_of(reader).get(f"/api/v1/classes/{training_class.pk}/filing/").json()
        assert (body["class_state"], body["cancel_reason"]) == ("cancelled", "报名人数不够")


def test_only_what_a_class_can_be_made_with_is_offered(school, manager):
    pilot = school.mixed_course()
    Course.objects.filter(pk=pilot.pk).update(course_type="OTHER")
    form = client_of(manager).get(reverse("classes:create")).context["form"]
    assert "ningxia-2020" not in dict(form.fields["edition"].choices)
    assert {course.course_type for course in form.fields["course"].queryset} <= {"GYB", "SYB"}
    sent = form_data(school, edition="ningxia-2020")
    answer = client_of(manager).post("/api/v1/classes/", sent, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "edition_elsewhere")
    assert "ningxia-2020" not in answer.json()["details"]["required"]
    sent = form_data(school, course=pilot.pk)
    answer = client_of(manager).post("/api/v1/classes/", sent, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "edition_unset")
    assert "其他类型课程" in answer.json()["message"]
    assert not TrainingClass.objects.exists()


def test_offline_hours_beyond_the_outline_are_not_said_to_be_foreign_to_a_mixed_class(school, manager):
    training_class = school.create(mode="mixed", course=school.mixed_course())
    school.enrol(training_class)
    school.schedule(training_class, [draft(day, "08:00", "offline", 8, "线下课") for day in range(3)])
    body = text(client_of(manager).get(reverse("classes:timetable", args=[training_class.pk])))
    assert "大纲里线下只有 17 课时，这一节多了" in body
    assert "这种模式没有的课时多了" not in body
    assert re.search(r"把 \d+ 课时线下改成 \d+ 课时", body)
