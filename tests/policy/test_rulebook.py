"""The rules as public pages: every number with unit, source and sentence, every reading with the others."""

from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.editions import all_editions
from accounts.rulebook import articles, compare, the_norm
from policy.citations import citations
from policy.editions import SPECS


@pytest.fixture
def page(client: Client, db: None) -> "Page":
    return Page(client)


class Page:
    def __init__(self, client: Client) -> None:
        self._client = client

    def __call__(self, url: str, status: int = 200) -> str:
        answer = self._client.get(url)
        assert answer.status_code == status
        return unescape(answer.content.decode())


def test_the_norm_is_the_edition_that_is_neither_trial_nor_foreign() -> None:
    assert the_norm().id == "henan-2020-97"


@pytest.mark.parametrize("edition_id", ["henan-2020-97", "demo", "ningxia-2020"])
def test_an_edition_page_gives_every_number_with_unit_and_source(page: Page, edition_id: str) -> None:
    edition = all_editions()[edition_id]
    html = page(f"/policy/{edition_id}/")
    assert edition.title in html
    for one in edition.parameters.values():
        assert one.label in html
        assert one.value_text() in html
        assert one.source in html
        for other in one.alternatives:
            assert other in html
    assert edition.note in html


def test_the_norms_page_shows_every_row_with_its_sentence_once(page: Page) -> None:
    html = page("/policy/henan-2020-97/")
    for row, citation in citations().items():
        assert html.count(f'<li id="{row}">') == 1
        assert f"“{citation.sentence}”" in html
    assert "没有给出" in html
    assert "《河南省就业补助资金管理办法》" in html


def test_another_norms_page_does_not_put_the_norms_words_in_its_mouth(page: Page) -> None:
    html = page("/policy/ningxia-2020/")
    assert citations()["H5"].sentence not in html
    assert "未经核对" in html
    assert "点播占35%，按上限读" in html


def test_every_parameter_stands_in_exactly_one_article() -> None:
    for edition in all_editions().values():
        shown = [one.key for article in articles(edition) for row in article.rows for one in row.parameters]
        assert sorted(shown) == sorted(one.key for one in edition.parameters.values())
        assert {key.partition(".")[0] for key in shown} == set(SPECS)


def test_a_citation_leads_to_its_row(client: Client, db: None) -> None:
    answer = client.get("/policy/rows/H5/")
    assert (answer.status_code, answer.url) == (302, "/policy/henan-2020-97/#H5")  # type: ignore[attr-defined]
    other = client.get("/policy/rows/H5/?edition=ningxia-2020")
    assert other.url == "/policy/ningxia-2020/#H5"  # type: ignore[attr-defined]
    assert client.get("/policy/rows/H99/").status_code == 404
    assert client.get("/policy/nowhere/").status_code == 404


def test_two_editions_side_by_side(page: Page) -> None:
    html = page("/policy/compare/?left=henan-2020-97&right=ningxia-2020")
    assert "全线下培训课时标准" in html
    assert "40 课时" in html
    assert "全程直播：直播课时占总课时的下限" not in html  # 60 % in both
    assert "全程直播：直播课时占总课时的下限" in page(
        "/policy/compare/?left=henan-2020-97&right=ningxia-2020&all=1"
    )
    assert "两个版本没有不同" in page("/policy/compare/?left=demo&right=demo")
    assert page("/policy/compare/?left=nowhere&right=")


def test_a_comparison_names_each_difference_and_no_other() -> None:
    known = all_editions()
    differing = {one.sample.key for one in compare(known["henan-2020-97"], known["demo"]) if one.differs}
    assert {"lesson_hour", "standard_hours.GYB", "subsidy_rate.SYB"} <= differing
    assert "min_attendance_share" not in differing
    assert not [one for one in compare(known["demo"], known["demo"]) if one.differs]


def test_the_list_names_editions_and_calendar_years(page: Page) -> None:
    html = page("/policy/")
    for edition in all_editions().values():
        assert f'href="/policy/{edition.id}/"' in html
    assert "2026 年" in html
    assert "国务院办公厅历年放假通知" in html


@pytest.mark.parametrize("url", ["/policy/", "/policy/henan-2020-97/", "/policy/compare/"])
def test_the_pages_need_no_database(
    page: Page, url: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        page(url)


def test_every_page_links_to_the_rules(page: Page) -> None:
    assert 'href="/policy/"' in page("/")
    assert 'href="/policy/"' in page("/about/")
