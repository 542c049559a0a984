"""A platform without the demo, from an empty database to a trainee's start page, through every door."""

import io
import re
from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Bureau, Institution, User
from accounts.states import Role
from audit.models import Entry
from classes.models import TrainingClass
from config.demo.cast import made_up_id_number
from courses.models import Course
from tests.classes.school import roster_file, trainee_row

pytestmark = pytest.mark.django_db

PASSWORD = "中原的小麦 2026"
CODE = re.compile(r"[2-9A-Z]{5}-[2-9A-Z]{5}")


def arrive(username: str, said: str) -> Client:
    """Somebody who holds a slip: sets a password, is led to their start page, and signs in again later."""
    code = CODE.search(said)
    assert code is not None, said
    form = {"username": username, "code": code[0], "password": PASSWORD, "repeated": PASSWORD}
    first = Client().post(reverse("accounts:activate"), form, follow=True)
    assert first.status_code == 200
    assert first.redirect_chain[0] == (reverse("start"), 302)
    browser = Client()
    browser.post(reverse("accounts:login"), {"username": username, "password": PASSWORD})
    assert browser.session["_auth_user_id"] == str(User.objects.get(username=username).pk)
    return browser


def seen(browser: Client, name: str, *numbers: int) -> str:
    answer = browser.get(reverse(name, args=numbers))
    assert answer.status_code == 200
    return answer.content.decode()


def led_to(browser: Client, name: str, form: Mapping[str, object], *numbers: int) -> str:
    """Send a form that leads on, and return where to."""
    answer = browser.post(reverse(name, args=numbers), dict(form))
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def slip(browser: Client, name: str, form: Mapping[str, object], *numbers: int) -> str:
    """Send a form that is answered with somebody's code."""
    answer = browser.post(reverse(name, args=numbers), dict(form))
    assert answer.status_code == 200, answer.content.decode()
    return str(answer.content.decode())


@pytest.fixture
def edition(settings, tmp_path) -> str:
    """The province's own edition: the norm with the numbers that it leaves to the offices."""
    trial = (settings.ROOT / "platform" / "policy" / "editions" / "demo.yaml").read_text("utf-8")
    own = (
        trial.replace("id: demo", "id: henan-2026")
        .replace("demo: true", "demo: false")
        .replace("试用", "示例")
    )
    (tmp_path / "henan-2026.yaml").write_text(own, "utf-8")
    settings.DEMO = False
    settings.EDITION_DIRS = [tmp_path]
    return "henan-2026"


def test_an_empty_platform_lets_everybody_in_one_by_one(edition):
    assert not User.objects.exists()

    # Whoever runs the server: bin/run --no-demo prints this.
    printed = io.StringIO()
    call_command("found", stdout=printed)
    operator = arrive("operator", printed.getvalue())
    start = seen(operator, "start")
    assert "登记人社部门，给经办人员开账号" in start
    assert "登记第一家定点机构" in start

    # The operator: an institution and a bureau, and the people who act for them.
    school = {
        "name": "新乡牧野创业培训学校",
        "credit_code": "91410711MA9F3KXT7U",
        "region": "410711",
        "designated_from": "2026-01-01",
    }
    led_to(operator, "accounts:institution_create", school)
    institution = Institution.objects.get()
    assert "1 家机构还没有机构管理员" in seen(operator, "start")
    bureau = {"name": "新乡市人力资源和社会保障局", "department": "hrss", "region": "410700"}
    led_to(operator, "accounts:bureau_create", bureau)
    person = {"role": "officer", "name": "冯立", "username": "fengli"}
    officer = arrive("fengli", slip(operator, "accounts:bureau", person, Bureau.objects.get().pk))
    assert "开班备案" in seen(officer, "classes:filings")
    person = {"role": "manager", "name": "吴春来", "username": "wuchunlai"}
    manager = arrive("wuchunlai", slip(operator, "accounts:institution", person, institution.pk))
    assert "现在没有要办的事" in seen(operator, "start")

    # The manager: a lecturer, a class, its roster.
    assert "登记讲师和助教" in seen(manager, "start")
    number = made_up_id_number(81, region="410711").value
    lecturer = {"role": "lecturer", "name": "秦怀远", "id_number": number, "phone": "13700000081"}
    said = slip(manager, "accounts:staff", lecturer)
    teacher = User.objects.get(memberships__role=Role.LECTURER)
    trainer = arrive(teacher.username, said)
    begins = timezone.localdate() + timedelta(days=40)
    details = {
        "name": "牧野区 GYB 第 1 期",
        "course": Course.objects.get(course_type="GYB").pk,
        "mode": "full_live",
        "edition": edition,
        "starts_on": begins.isoformat(),
        "ends_on": (begins + timedelta(days=6)).isoformat(),
        "lecturer": teacher.person_id,
    }
    led_to(manager, "classes:create", details)
    made = TrainingClass.objects.get()
    assert made.name in seen(trainer, "classes:list")
    file = SimpleUploadedFile("花名册.xlsx", roster_file([trainee_row(1), trainee_row(2)]))
    preview = manager.post(reverse("classes:roster", args=[made.pk]), {"file": file})
    assert manager.post(preview["Location"]).status_code == 302
    assert seen(manager, "classes:roster", made.pk).count("没有发激活码") == 2

    # The trainees: a slip each.
    sheet = slip(manager, "classes:activation_sheet", {}, made.pk)
    slips = re.findall(r'<dd class="mono">(t\d{8})</dd>(.*?)</section>', sheet, re.DOTALL)
    assert len(slips) == 2
    for username, rest in slips:
        trainee = arrive(username, rest)
        assert "您好" in seen(trainee, "start")
        assert made.name not in seen(trainee, "classes:list")  # before it is filed
    assert seen(manager, "classes:roster", made.pk).count("已激活") == 2

    # Nobody's code is kept or left in the evidence.
    assert User.objects.count() == 6
    assert Entry.objects.filter(kind="account.activated").count() == 6
    assert not User.objects.filter(activation__isnull=False).exists()
    assert not CODE.search(str(list(Entry.objects.values_list("facts", flat=True))))
