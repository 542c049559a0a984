"""The package of a filing: asked for on submission, written once by the worker, sealed, and handed to two."""

import datetime
import io
import json

import pytest
from django.http import Http404
from django.urls import reverse
from django.utils.translation import override
from openpyxl import load_workbook

from audit.models import Entry
from classes import actions
from classes.models import Filing
from classes.packages import FILING, filing_id_of, reference_of
from classes.queries import history_of
from classes.tasks import write_waiting_packages
from exchange.gateway import gateway
from exchange.models import Package
from exchange.states import PackageState
from policy.refusals import Refusal
from tests.cast import client_of
from tests.classes.school import trainee_row


@pytest.fixture
def filing(school, django_capture_on_commit_callbacks) -> Filing:
    """A filing whose package the worker has written."""
    with django_capture_on_commit_callbacks(execute=True):
        filed = school.filed()
    return Filing.objects.select_related("package").get(pk=filed.pk)


def kinds(filing: Filing) -> list[str]:
    return list(
        Entry.objects.filter(chain=f"class/{filing.training_class_id}", kind__startswith="filing.package")
        .order_by("seq")
        .values_list("kind", flat=True)
    )


def package_of(filing: Filing) -> Package:
    assert filing.package is not None
    return filing.package


def refused(call) -> str:
    with pytest.raises(Refusal) as error:
        call()
    return error.value.code


def test_a_submission_has_its_package_written(filing):
    package = package_of(filing)
    assert (package.state, package.reference, package.attempts) == ("written", reference_of(filing), 1)
    assert package.rows_done == package.rows_total == 1 + 3 + 8
    assert kinds(filing) == ["filing.package_written"]
    entry = Entry.objects.get(kind="filing.package_written")
    assert entry.facts == {"filing": filing.pk, "package": package.sha256}


def test_the_package_holds_what_was_filed_with_numbers_in_full(filing, manager, now):
    content = actions.read_package(filing=filing, actor=manager, at=now)
    read = gateway().read_receipt(FILING, content)
    assert read.all_faults == []
    assert read.digests == read.claimed
    [head] = [row.values for row in read.rows["班级"]]
    assert (head["备案包编号"], head["学员人数"], head["开班日期"], head["直播课时"]) == (
        reference_of(filing),
        3,
        datetime.date(2026, 9, 21),
        16,
    )
    assert head["政策版本"] == "试用版本（按规范，空缺的数仅供试用）"  # a trial says so wherever it goes
    assert head["提交时间"] == datetime.datetime(2026, 9, 7, 9, 0)  # noqa: DTZ001  Henan's wall clock
    roster = read.rows["花名册"]
    assert {row.values["身份证号"] for row in roster} == {trainee_row(n)["身份证号"] for n in range(3)}
    assert [row.values["课时"] for row in read.rows["课表"]] == [4, 4, 4, 4, 3, 2, 1, 2]
    assert load_workbook(io.BytesIO(content)).sheetnames == [
        "班级",
        "花名册",
        "课表",
        "申请的例外",
        "数据字典",
        "校验",
    ]
    assert read.rows["申请的例外"] == ()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_exceptions_asked_for_are_in_the_package_before_and_after_the_decision(
    school, manager, now, language
):
    """The package says what was filed: a worker that writes it after the decision makes the same bytes."""
    reason = "山区学员集中线下三天有困难，多上直播。"
    filed = actions.submit_filing(
        training_class=school.mostly_online(), actor=manager, at=now, exceptions={"offline_share": reason}
    )
    with override(language):
        filing = actions.write_package(filing=filed, at=now)
    package = package_of(filing)
    assert package.rows_done == package.rows_total
    read = gateway().read_receipt(FILING, actions.read_package(filing=filing, actor=manager, at=now))
    assert read.all_faults == []
    assert read.digests == read.claimed
    [row] = [row.values for row in read.rows["申请的例外"]]
    assert row == {
        "备案包编号": reference_of(filing),
        "序号": 1,
        "要求": "线下课时",
        "应为": "16.8",
        "实际": "16",
        "依据": filing.exceptions[0]["citation"],
        "理由": reason,
    }
    assert {one["name"]: one["rows"] for one in package.manifest["sheets"]}["申请的例外"] == 1
    school.decide(filing, accepted=["offline_share"])
    Package.objects.filter(pk=package.pk).update(state="writing", sha256="", file="", ended_at=None)
    again = package_of(actions.write_package(filing=Filing.objects.get(pk=filing.pk), at=now))
    assert again.sha256 == package.sha256


def test_the_package_is_sealed_at_rest_and_written_once(filing, now):
    stored = package_of(filing).file.open("rb").read()
    assert not stored.startswith(b"PK")
    assert trainee_row(0)["身份证号"].encode() not in stored
    again = actions.write_package(filing=filing, at=now + datetime.timedelta(days=1))
    assert (package_of(again).sha256, package_of(again).attempts) == (package_of(filing).sha256, 1)
    assert kinds(filing) == ["filing.package_written"]


def test_a_second_worker_makes_the_same_bytes(filing, now, manager):
    first = actions.read_package(filing=filing, actor=manager, at=now)
    Package.objects.filter(pk=package_of(filing).pk).update(
        state="writing", sha256="", file="", ended_at=None
    )
    again = actions.write_package(filing=filing, at=now + datetime.timedelta(days=3))
    assert package_of(again).sha256 == package_of(filing).sha256
    assert actions.read_package(filing=again, actor=manager, at=now) == first


def test_only_who_files_and_who_decides_may_have_it(filing, cast, now):
    for user in (cast.manager, cast.officer):
        assert actions.read_package(filing=filing, actor=user, at=now).startswith(b"PK")
    assert (
        refused(lambda: actions.read_package(filing=filing, actor=cast.trainer, at=now)) == "not_the_manager"
    )
    with pytest.raises(Http404):
        actions.read_package(filing=filing, actor=cast.rival, at=now)
    downloads = Entry.objects.filter(kind="filing.package_downloaded").values_list("actor_id", flat=True)
    assert list(downloads) == [cast.manager.pk, cast.officer.pk]


def test_many_downloads_push_no_decision_out_of_sight(filing, manager, now):
    for _ in range(31):
        actions.read_package(filing=filing, actor=manager, at=now)
    told = [item.entry.kind for item in history_of(filing.training_class)]
    assert told[:2] == ["filing.package_written", "filing.submitted"]
    assert {item.entry.kind for item in history_of(filing.training_class, downloads=True)} == {
        "filing.package_downloaded"
    }


def test_before_it_is_written_there_is_nothing_to_hand_out(school, manager, now):
    filing = school.filed()
    assert refused(lambda: actions.read_package(filing=filing, actor=manager, at=now)) == "package_not_ready"
    assert Package.objects.get(filing=filing).state == PackageState.WAITING


def test_content_that_is_not_fit_fails_with_its_place_and_is_tried_again(
    school, manager, now, django_capture_on_commit_callbacks
):
    filing = school.filed()
    sound = filing.snapshot["timetable"][2]["title"]
    filing.snapshot["timetable"][2]["title"] = " "
    filing.save(update_fields=["snapshot"])
    failed = package_of(actions.write_package(filing=Filing.objects.get(pk=filing.pk), at=now))
    assert (failed.state, failed.sha256, failed.problem["code"]) == ("failed", "", "package_value")
    assert "“课表”第 4 行“内容”" in failed.problem_text
    assert kinds(filing) == []
    filing.snapshot["timetable"][2]["title"] = sound
    filing.save(update_fields=["snapshot"])
    with django_capture_on_commit_callbacks(execute=True):
        waiting = actions.retry_package(filing=filing, actor=manager)
    assert (package_of(waiting).state, package_of(waiting).problem) == ("waiting", {})
    written = Package.objects.get(filing=filing)
    assert (written.state, written.attempts) == ("written", 2)


def test_a_written_package_is_not_written_again(filing, manager):
    assert refused(lambda: actions.retry_package(filing=filing, actor=manager)) == "move_refused"


def test_an_error_nobody_foresaw_leaves_it_failed(school, now, settings):
    filing = school.filed()
    settings.EXCHANGE_GATEWAY = "tests.classes.broken_gateway.Broken"
    with pytest.raises(OSError, match="no space"):
        actions.write_package(filing=Filing.objects.get(pk=filing.pk), at=now)
    package = Package.objects.get(filing=filing)
    assert (package.state, package.problem["code"]) == ("failed", "package_broken")


def test_what_the_queue_lost_is_taken_up(school, now):
    """Submitted long ago by the clock of these tests; the queue never took it."""
    filing = school.filed()
    Package.objects.update(requested_at=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
    write_waiting_packages()
    assert Package.objects.get(filing=filing).state == PackageState.WRITTEN


def test_references_lead_back_to_their_filing(filing):
    assert filing_id_of(reference_of(filing)) == filing.pk
    assert filing_id_of("BA-1") is filing_id_of("郑创备〔2026〕0412 号") is None


# --- pages and API ---


def test_the_page_shows_the_package_and_the_manifest_says_the_same(filing, manager):
    client = client_of(manager)
    page = client.get(reverse("classes:filing", args=[filing.training_class_id])).content.decode()
    assert reference_of(filing) in page
    assert "下载备案材料包" in page
    manifest = client.get(reverse("classes:package_manifest", args=[filing.training_class_id]))
    body = json.loads(manifest.content)
    assert body == client.get(f"/api/v1/classes/{filing.training_class_id}/filing/package/manifest/").json()
    assert (body["format"], body["kind"]) == ("yuchuang-exchange-2", "filing")
    assert body["file"]["sha256"] == package_of(filing).sha256
    assert "王小满" not in manifest.content.decode()


def test_while_it_waits_the_page_asks_again_and_again(school, manager):
    filing = school.filed()
    client = client_of(manager)
    part = client.get(reverse("classes:package_state", args=[filing.training_class_id])).content.decode()
    assert 'hx-trigger="every 2s"' in part
    assert "排队等待生成" in part
    answer = client.get(f"/api/v1/classes/{filing.training_class_id}/filing/").json()
    assert answer["package"]["state"] == "waiting"


def test_a_failed_package_offers_another_attempt(school, manager, now):
    filing = school.filed()
    Package.objects.update(state="failed", problem={"code": "package_broken", "message": "生成时出了问题。"})
    client = client_of(manager)
    url = reverse("classes:package_retry", args=[filing.training_class_id])
    assert url in client.get(reverse("classes:filing", args=[filing.training_class_id])).content.decode()
    assert client.post(url).status_code == 302
    assert Package.objects.get().state == PackageState.WAITING


def test_the_api_retries_and_refuses_like_the_page(school, manager, rival):
    filing = school.filed()
    Package.objects.update(state="failed")
    url = f"/api/v1/classes/{filing.training_class_id}/filing/package/"
    assert client_of(rival).post(url).status_code == 404
    assert Package.objects.get().state == PackageState.FAILED
    assert client_of(manager).post(url).json()["package"]["state"] == "waiting"
