"""What breaks no page: NUL in an address, text in which nothing shows, numbers too long to read."""

import pytest
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from django.urls import reverse

from accounts.models import Bureau
from config.inputs import NulMiddleware
from courses.actions import draft_version
from courses.models import Course
from tests.cast import client_of

ASKED = ("search", "q", "number", "state", "page", "campaign", "code", "event", "edition", "course_type")
ASK = "&".join(f"{name}=%00" for name in ASKED)


def test_a_query_is_read_without_nul(rf: RequestFactory) -> None:
    request = rf.get("/supervision/?q=%00a%00&q=b&%00page=2")
    NulMiddleware(lambda _: HttpResponse()).process_request(request)
    assert request.GET.urlencode() == "q=a&q=b&page=2"


def test_a_path_with_nul_leads_nowhere(rf: RequestFactory) -> None:
    with pytest.raises(Http404):
        NulMiddleware(lambda _: HttpResponse()).process_request(rf.get("/certificates/%00/verify/"))


@pytest.mark.parametrize(
    ("who", "path"),
    [
        (None, "/certificates/check/"),
        (None, "/courses/"),
        (None, "/institutions/"),
        (None, "/register/"),
        (None, "/notices/"),
        ("manager", "/classes/"),
        ("manager", "/claims/"),
        ("manager", "/recruitment/"),
        ("manager", "/api/v1/classes/"),
        ("manager", "/api/v1/courses/"),
        ("manager", "/api/v1/registrations/"),
        ("officer", "/classes/filings/"),
        ("officer", "/receipts/"),
        ("officer", "/claims/"),
        ("officer", "/api/v1/claims/"),
    ],
)
def test_every_list_survives_nul(cast, who, path) -> None:
    answer = client_of(getattr(cast, who) if who else None).get(f"{path}?{ASK}")
    assert answer.status_code in (200, 400)


@pytest.mark.parametrize("blank", ["\u200b", "\ufeff \u2060", "\u3164"], ids=ascii)
def test_a_required_field_with_nothing_to_see_is_empty_on_every_page(cast, blank) -> None:
    """One of the forms that know nothing of it."""
    form = {"title": blank, "course": "1", "name": blank, "region": "410100", "department": "hrss"}
    address = reverse("accounts:bureau_create")
    answer = client_of(cast.operator).post(address, form)
    assert answer.status_code == 400
    assert answer.context["form"].errors.as_data()["name"][0].code == "required"
    assert answer.context["form"].data["name"] == ""
    assert not Bureau.objects.filter(name__contains=blank).exists()


NINES = "9" * 5000  # more digits than Python reads


@pytest.mark.parametrize("place", [NINES, "９", "²", "-1", ""], ids=lambda place: ascii(place)[:8])
@pytest.mark.parametrize("verb", ["remove", "up"])
def test_a_row_of_the_outline_that_is_none_is_left_alone(cast, catalogue, now, verb, place) -> None:
    course = Course.objects.get(course_type="GYB", institution=None)
    version = draft_version(course=course, actor=cast.operator, at=now)
    address = reverse("courses:outline", args=[course.pk, version.number])
    before = list(version.outline.values_list("title", flat=True))
    sent = {"kind": ["live"], "hours": ["2"], "title": ["第一课"], "whole": "1", "do": f"{verb}-{place}"}
    answer = client_of(cast.operator).post(address, sent)
    assert answer.status_code == 200
    assert 'value="第一课"' in answer.content.decode()
    assert list(version.outline.values_list("title", flat=True)) == before


@pytest.mark.parametrize("left_out", ["whole", "title"])
def test_an_outline_that_did_not_arrive_whole_takes_nothing_away(cast, catalogue, now, left_out) -> None:
    course = Course.objects.get(course_type="GYB", institution=None)
    version = draft_version(course=course, actor=cast.operator, at=now)
    before = list(version.outline.values_list("title", flat=True))
    sent = {"kind": ["live"], "hours": ["2"], "title": ["第一课"], "whole": "1", "do": "save"}
    del sent[left_out]
    address = reverse("courses:outline", args=[course.pk, version.number])
    assert client_of(cast.operator).post(address, sent).status_code == 400
    assert before
    assert list(version.outline.values_list("title", flat=True)) == before


def test_a_number_too_long_to_read_names_nothing(cast, catalogue) -> None:
    client = client_of(cast.manager)
    assert client.get(f"/recruitment/?course={NINES}&campaign={NINES}").status_code == 200
    assert client.post("/recruitment/bulk/", {"picked": [NINES, "1"]}).status_code == 302
    assert client.get(f"/register/questionnaire/?registration={NINES}").status_code == 404
    assert client.get(f"/courses/?page={NINES}").status_code == 200
