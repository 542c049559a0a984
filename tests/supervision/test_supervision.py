"""The supervision house: read-only without exception, scoped by region, every look on record."""

from typing import Any

import pytest
from django.db import DatabaseError, connections, transaction
from django.urls import get_resolver, reverse
from django.utils import timezone
from django.utils.translation import gettext

from accounts.editions import edition
from audit import kinds
from audit.models import Entry
from classes.live.queries import judge_live
from classes.models import TrainingClass
from config.demo.cast import build_cast, find_cast
from config.demo.registers import order_correction
from subsidies.models import Claim
from supervision.looks import chain_new_looks
from supervision.models import ChainedLook, Look
from tests.cast import client_of
from tests.frozen import Frozen
from tests.world import World, build_world

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.xdist_group("supervision"),  # one world
]


@pytest.fixture(scope="module")
def frozen_world(django_db_setup: None, django_db_blocker: Any) -> tuple[Frozen, World]:
    made: list[World] = []

    def build() -> None:
        now = timezone.now()
        made.append(build_world(build_cast(at=now, password=None), now=now, most=2))

    with django_db_blocker.unblock():
        return Frozen("the_world", build), made[0]


@pytest.fixture
def world(frozen_world: tuple[Frozen, World], db: None) -> World:
    frozen, made = frozen_world
    frozen.thaw()
    classes = {stage: TrainingClass.objects.get(pk=one.pk) for stage, one in made.classes.items()}
    return World(cast=find_cast(at=made.now), classes=classes, now=made.now)


def pages(world: World) -> list[str]:
    """Every page of the house."""
    claimed = world["claimed"]
    lesson = claimed.lessons.order_by("starts_at")[0]
    claim = Claim.objects.get(training_class=claimed)
    one_class = {"pk": claimed.pk}
    return [
        reverse("supervision:home"),
        *(
            reverse(f"supervision:{name}", kwargs=one_class)
            for name in ("class", "attendance", "results", "evidence")
        ),
        reverse("supervision:lesson", kwargs={**one_class, "lesson_pk": lesson.pk}),
        reverse("supervision:lecturers"),
        reverse("supervision:institutions"),
        reverse("supervision:claims"),
        reverse("supervision:claim", kwargs={"pk": claim.pk}),
        reverse("supervision:claim-line", kwargs={"pk": claim.pk, "n": 1}),
        "/api/v1/supervision/figures/",
        "/api/v1/supervision/classes/",
        f"/api/v1/supervision/classes/{claimed.pk}/trainees/",
        f"/api/v1/supervision/classes/{claimed.pk}/lessons/{lesson.pk}/events/",
        "/api/v1/supervision/lecturers/",
        "/api/v1/supervision/measures/",
        "/api/v1/supervision/claims/",
    ]


def test_a_lesson_that_was_held_says_whether_it_was_live(world):
    """A1 is judged from what the room recorded: lecturer there, trainees there, taking part."""
    claimed = world["claimed"]
    lesson = claimed.lessons.filter(kind="live", closed_at__isnull=False).order_by("starts_at")[0]
    address = reverse("supervision:lesson", kwargs={"pk": claimed.pk, "lesson_pk": lesson.pk})
    found = judge_live(lesson, edition(claimed.edition))
    assert found.row == "A1"
    assert "trainees" in str(found.actual)
    page = client_of(world.cast.regulator).get(address).content.decode()
    assert found.render(gettext)["message"] in page
    without = claimed.lessons.filter(kind="homework")[0]
    other = reverse("supervision:lesson", kwargs={"pk": claimed.pk, "lesson_pk": without.pk})
    assert client_of(world.cast.regulator).get(other).context["live"] is None


def test_a_lesson_in_which_nobody_was_is_not_live(world):
    lesson = world["filed"].lessons.filter(kind="live")[0]
    found = judge_live(lesson, edition(lesson.training_class.edition))
    assert (found.passed, found.actual) == (False, [])
    assert found.message == "没有讲师本人在线的记录，只播放录像的不算直播。"


def test_the_house_opens_to_supervision_reads_only_and_records_every_look(world):
    regulator = client_of(world.cast.regulator)
    stranger = client_of(world.cast.rival)
    addresses = pages(world)
    for n, address in enumerate(addresses, start=1):
        answer = regulator.get(address)
        assert answer.status_code == 200, address
        assert Look.objects.count() == n, address
        assert Look.objects.latest("pk").path == address
        assert stranger.get(address).status_code == 404, address
        for method in ("post", "put", "patch", "delete"):
            refused = getattr(regulator, method)(address)
            assert refused.status_code in (404, 405), (method, address)
    assert Look.objects.count() == len(addresses)

    # The looks go into the evidence log once, each in the chain of what was looked at.
    assert chain_new_looks(at=timezone.now()) == len(addresses)
    assert chain_new_looks(at=timezone.now()) == 0
    assert ChainedLook.objects.count() == len(addresses)
    chained = Entry.objects.filter(kind="supervision.looked")
    assert chained.filter(chain=world["claimed"].subject).exists()
    assert chained.filter(chain=f"bureau/{world.cast.regulator.bureau.pk}").exists()


def test_a_city_sees_its_own_region_and_nothing_of_drafts(world):
    world.cast.school.region_id = "410305"  # a county of another city
    world.cast.school.save()
    city = client_of(world.cast.finance)
    province = client_of(world.cast.regulator)
    address = reverse("supervision:class", kwargs={"pk": world["claimed"].pk})
    assert province.get(address).status_code == 200
    assert city.get(address).status_code == 404
    draft = reverse("supervision:class", kwargs={"pk": world["draft"].pk})
    assert province.get(draft).status_code == 404


def test_the_login_itself_cannot_write(world):
    statements = (
        "update classes_trainingclass set name = 'x'",
        "delete from live_presenceinterval",
        "insert into supervision_look (user_id, bureau_id, path, subject, at) values (1, 1, '', '', now())",
        "create table mine (id int)",
        "set transaction read write; update classes_trainingclass set name = 'x'",
    )
    for statement in statements:
        with (
            pytest.raises(DatabaseError),
            transaction.atomic(using="supervision"),
            connections["supervision"].cursor() as cursor,
        ):
            cursor.execute(statement)
    for secret in ("identity_facetemplate", "registers_documentkey", "authtoken_token", "django_session"):
        with (
            pytest.raises(DatabaseError),
            transaction.atomic(using="supervision"),
            connections["supervision"].cursor() as cursor,
        ):
            cursor.execute(f"select * from {secret}")


def test_the_login_for_looks_can_do_nothing_else(world):
    Look.objects.using("looks").create(user_id=1, bureau_id=1, path="/x/", at=timezone.now())
    for statement in (
        "select * from supervision_look",
        "update supervision_look set path = 'x'",
        "delete from supervision_look",
        "select * from accounts_person",
    ):
        with (
            pytest.raises(DatabaseError),
            transaction.atomic(using="looks"),
            connections["looks"].cursor() as cursor,
        ):
            cursor.execute(statement)


def test_lecturers_and_measures_of_the_region_are_seen_and_of_no_other(world):
    order_correction(world.cast, at=timezone.now())
    regulator, city = client_of(world.cast.regulator), client_of(world.cast.finance)
    for name, words in (("lecturers", "李明远"), ("institutions", "责令限期改正")):
        assert words in regulator.get(reverse(f"supervision:{name}")).content.decode()
    world.cast.school.region_id = "410305"  # a county of another city
    world.cast.school.save()
    for name, words in (("lecturers", "李明远"), ("institutions", "责令限期改正")):
        assert words not in city.get(reverse(f"supervision:{name}")).content.decode()
    measures = reverse("api:supervision-measures")
    assert (regulator.get(measures).json()["count"], city.get(measures).json()["count"]) == (1, 0)


def test_every_address_of_the_house_is_walked_above(world):
    named = {
        pattern.name
        for resolver in get_resolver().url_patterns
        if getattr(resolver, "namespace", None) == "supervision" or getattr(resolver, "url_patterns", None)
        for pattern in getattr(resolver, "url_patterns", [])
        if getattr(resolver, "app_name", None) == "supervision"
    }
    assert len(named) == sum(1 for address in pages(world) if address.startswith("/supervision/"))


@pytest.mark.parametrize(
    ("kind", "facts", "words"),
    [
        ("supervision.looked", {"path": "/supervision/classes/2/results/"}, "“班级的考试与证书”"),
        ("supervision.looked", {"path": "/api/v1/supervision/classes/"}, "/api/v1/supervision/classes/"),
        ("supervision.looked", {"path": "/gone/"}, "/gone/"),
        ("class.created", {"edition": "demo", "starts_on": "2026-09-21"}, "《"),
        ("roster.trainee_added", {"source": "campaign/9"}, "报名来源 推介页面，"),
        ("roster.trainee_added", {"source": "event/K7Q2"}, "报名来源 线下活动，"),
    ],
)
def test_evidence_names_pages_editions_and_sources_in_words(kind, facts, words):
    assert words in kinds.get(kind).render(facts)


def test_a_forged_figure_is_shown_as_such_on_the_claim(world: World) -> None:
    claim = Claim.objects.get(training_class=world["claimed"])
    client = client_of(world.cast.regulator)
    address = reverse("supervision:claim", kwargs={"pk": claim.pk})
    assert "和留痕不一致" not in client.get(address).content.decode()
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "update subsidies_claimline set amount = 400 where claim_id = %s and n = 1", [claim.pk]
        )
    content = client.get(address).content.decode()
    assert "和留痕不一致" in content
    assert "申请金额和明细" in content
    assert "subsidies_claim" not in content


@pytest.mark.parametrize(
    "sql", ["exams_exam set total_points = 1", "exams_certificate set issued_on = '2020-01-01'"]
)
def test_results_that_were_changed_are_shown_as_such(world: World, sql: str) -> None:
    client = client_of(world.cast.regulator)
    address = reverse("supervision:results", kwargs={"pk": world["claimed"].pk})
    assert "和留痕不一致" not in client.get(address).content.decode()
    with connections["default"].cursor() as cursor:
        cursor.execute(f"update {sql}")
    answer = client.get(address)
    assert answer.status_code == 200
    assert "和留痕不一致" in answer.content.decode()
