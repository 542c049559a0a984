"""Institutions and bureaus: registered, found, kept true, by the operator alone."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import bodies
from accounts.models import Bureau, Institution, Region
from accounts.states import Department
from audit.models import Entry
from policy.refusals import Refusal
from tests.cast import client_of

NEW = reverse("accounts:institution_create")
LIST = reverse("accounts:institutions")
BUREAUS = reverse("accounts:bureaus")
CODE = "91410711MA9F3KXT7U"


@pytest.fixture
def operator(cast):
    return cast.operator


def entry(**changes):
    return {
        "name": "新乡牧野创业培训学校",
        "credit_code": CODE.lower(),
        "region": "410711",
        "designated_from": "2026-01-01",
        "designated_until": "2028-12-31",
        "contact": "吴春来",
        "contact_phone": "0373-6000011",
    } | changes


def test_an_institution_is_registered_with_its_designation_and_evidence(operator):
    answer = client_of(operator).post(NEW, entry())
    made = Institution.objects.get(credit_code=CODE)
    assert answer["Location"] == reverse("accounts:institution", args=[made.pk])
    assert made.is_designated_on(datetime.date(2028, 12, 31))
    recorded = Entry.objects.get(kind="institution.registered", subject=f"institution/{made.pk}")
    assert recorded.actor_id == operator.pk
    page = client_of(operator).get(answer["Location"]).content.decode()
    assert CODE in page
    assert "新乡市 牧野区" in page
    assert "还没有工作人员" in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"credit_code": CODE[:-1] + "A"}, "校验位要对得上"),
        ({"credit_code": "52410105MJY123456L"}, "这家机构已经登记过"),
        ({"name": "郑州启航创业培训学校"}, "这家机构已经登记过"),
        ({"designated_until": "2025-12-31"}, "定点的结束日期要在开始日期以后"),
        ({"designated_from": ""}, "有结束日期就要有开始日期"),
        ({"designated_from": "0001-01-01"}, "定点起写的是 1年1月1日，年份不对"),
        ({"designated_until": "9999-12-31"}, "请改成 1900年1月1日 到 2199年12月31日 之间的日期"),
        ({"region": "410000"}, "选"),
        ({"name": ""}, "请填写这一项"),
    ],
)
def test_a_wrong_entry_comes_back_with_what_is_wrong_and_leaves_nothing(operator, changes, said):
    before = Institution.objects.count(), Entry.objects.count()
    answer = client_of(operator).post(NEW, entry(**changes))
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert before == (Institution.objects.count(), Entry.objects.count())


def test_a_change_is_kept_with_what_changed_and_never_the_contact(cast, operator):
    school = cast.school
    address = reverse("accounts:institution_edit", args=[school.pk])
    form = client_of(operator).get(address).context["form"]
    assert "credit_code" not in form.fields
    same = {name: form[name].value() or "" for name in form.fields}
    client_of(operator).post(address, same)
    assert not Entry.objects.filter(kind="institution.changed").exists()
    changed = same | {"designated_until": "2026-12-31", "contact": "周武", "credit_code": CODE}
    assert client_of(operator).post(address, changed).status_code == 302
    school.refresh_from_db()
    assert school.credit_code == "52410105MJY123456L"
    assert not school.is_designated_on(datetime.date(2027, 1, 1))
    recorded = Entry.objects.get(kind="institution.changed")
    assert recorded.facts["changed"] == ["designated_until", "contact"]
    assert recorded.facts["designated_until"] == "2026-12-31"
    assert "周武" not in str(recorded.facts)
    taken = client_of(operator).post(address, changed | {"name": cast.rival_school.name})
    assert taken.status_code == 400


def test_the_list_is_searched_by_name_code_and_city(cast, operator):
    client = client_of(operator)

    def found(**query):
        return [one.name for one in client.get(LIST, query).context["page"]]

    assert set(found()) == {cast.school.name, cast.rival_school.name}
    assert found(search="启航") == [cast.school.name]
    assert found(search="MJX765432A") == [cast.rival_school.name]
    assert found(city="410100") == [cast.school.name]
    assert found(city="410100", search="新程") == []
    assert "没有符合的机构" in client.get(LIST, {"search": "不存在"}).content.decode()


def test_lists_ask_the_same_number_of_questions_however_long_they_are(operator, now):
    client = client_of(operator)

    def questions(address):
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    few = questions(LIST), questions(BUREAUS)
    for number, (name, code) in enumerate((("甲", CODE), ("乙", "91410403MA9N6Q2Y85"))):
        details = bodies.InstitutionDetails(name, Region.objects.get(code="410711"), None, None)
        bodies.enter_institution(actor=operator, credit_code=code, details=details, at=now)
        region = Region.objects.get(code=("410700", "410711")[number])
        bodies.enter_bureau(actor=operator, name=name, department=Department.HRSS, region=region, at=now)
    assert (questions(LIST), questions(BUREAUS)) == few


def test_a_bureau_is_registered_and_renamed_and_keeps_what_it_decides_on(operator):
    form = {"name": "新乡市人力资源和社会保障局", "department": "hrss", "region": "410700"}
    answer = client_of(operator).post(reverse("accounts:bureau_create"), form)
    made = Bureau.objects.get(name=form["name"])
    assert answer["Location"] == reverse("accounts:bureau", args=[made.pk])
    again = client_of(operator).post(reverse("accounts:bureau_create"), form)
    assert again.status_code == 400
    assert "这个部门已经登记过" in again.content.decode()
    renamed = {"name": "新乡市人社局", "department": "finance", "region": "410000"}
    client_of(operator).post(reverse("accounts:bureau_edit", args=[made.pk]), renamed)
    made.refresh_from_db()
    assert (made.name, made.department, made.region_id) == ("新乡市人社局", "hrss", "410700")
    kinds = Entry.objects.filter(subject=f"bureau/{made.pk}").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["bureau.registered", "bureau.renamed"]


@pytest.mark.parametrize("who", ["manager", "officer", "regulator", "trainer"])
def test_nobody_but_the_operator_registers_anything(cast, who, now):
    details = bodies.InstitutionDetails("甲", cast.school.region, None, None)
    before = Institution.objects.count(), Bureau.objects.count(), Entry.objects.count()
    for act in (
        lambda: bodies.enter_institution(actor=cast[who], credit_code=CODE, details=details, at=now),
        lambda: bodies.change_institution(institution=cast.school, actor=cast[who], details=details, at=now),
        lambda: bodies.enter_bureau(
            actor=cast[who], name="甲", department=Department.HRSS, region=cast.school.region, at=now
        ),
        lambda: bodies.rename_bureau(bureau=cast.bureau, actor=cast[who], name="甲", at=now),
    ):
        with pytest.raises(Refusal) as refused:
            act()
        assert refused.value.code == "role_required"
    assert before == (Institution.objects.count(), Bureau.objects.count(), Entry.objects.count())
