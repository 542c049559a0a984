"""Rosters as schools really send them: whatever is wrong is told with its row and column."""

import datetime
import io
import re
import zipfile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.worksheet.formula import ArrayFormula

from accounts.models import Person, User
from accounts.vault import unseal
from audit.models import Entry
from classes import actions
from classes.actions.roster import MOST_NAME_FAULTS, commitment_of
from classes.models import Enrolment
from classes.rosters import (
    CATEGORY,
    HEADERS,
    ID_NUMBER,
    MOST_BYTES,
    MOST_ROWS,
    NAME,
    PHONE,
    SHEET,
    marked_workbook,
    read_roster,
    template_workbook,
)
from classes.states import EnrolmentState
from config.demo.cast import made_up_id_number
from policy.refusals import Refusal
from tests.cast import client_of
from tests.classes.school import roster_file, saved, trainee_row


def faults_of(content: bytes) -> list[tuple[int | None, str, str]]:
    return [(fault.row, fault.column, fault.code) for fault in read_roster(content).faults]


def three_rows(**changes):
    """Three trainees, the middle one changed."""
    return [trainee_row(0), trainee_row(1, **changes), trainee_row(2)]


def test_a_sound_roster_is_read_as_it_was_written():
    sheet = read_roster(roster_file([trainee_row(0), trainee_row(1)]))
    assert sheet.faults == ()
    assert [(row.row, row.name, row.phone, row.category.value) for row in sheet.rows] == [
        (2, "王小满", "13900000000", "poor_family"),
        (3, "陈国强", "13900000001", "graduate"),
    ]


@pytest.mark.parametrize(
    ("changes", "place", "code"),
    [
        ({"id_number": 410122198005069006}, "B3", "id_number_numeric"),
        ({"id_number": 4.10122198005069e17}, "B3", "id_number_numeric"),
        ({"id_number": "410122198005069005"}, "B3", "id_number_checksum"),
        ({"id_number": "41012219800230900X"}, "B3", "id_number_date"),
        ({"id_number": "4101221980050690"}, "B3", "id_number_form"),
        ({"id_number": "410122-19800506-9006"}, "B3", "id_number_form"),
        ({"id_number": "无"}, "B3", "id_number_form"),
        ({"id_number": None}, "B3", "id_number_missing"),
        ({"id_number": "   "}, "B3", "id_number_missing"),
        ({"name": None}, "A3", "name_missing"),
        ({"name": "　"}, "A3", "name_missing"),
        ({"name": 123}, "A3", "name_form"),
        ({"name": "<script>"}, "A3", "name_form"),
        ({"name": "王" * 41}, "A3", "name_form"),
        ({"category": "干部"}, "D3", "category_unknown"),
        ({"category": None}, "D3", "category_missing"),
        ({"phone": "1390000"}, "C3", "phone_form"),
        ({"phone": "0371-60000097"}, "C3", "phone_form"),
        ({"phone": "23900000001"}, "C3", "phone_form"),
        ({"id_number": '=CONCATENATE("4101","22")'}, "B3", "cell_formula"),
        ({"name": '=HYPERLINK("http://example.invalid","王")'}, "A3", "cell_formula"),
        ({"phone": "=1390000000+1"}, "C3", "cell_formula"),
        ({"category": ArrayFormula("D3:D3", "=E3:E3")}, "D3", "cell_formula"),
        ({"phone": "#N/A"}, "C3", "cell_error"),
    ],
)
def test_a_bad_cell_is_told_with_row_and_column(changes, place, code):
    sheet = read_roster(roster_file(three_rows(**changes)))
    assert [(f"{fault.column}{fault.row}", fault.code) for fault in sheet.faults] == [(place, code)]
    assert [row.row for row in sheet.rows] == [2, 4]


def test_several_faults_of_one_row_are_all_told():
    content = roster_file(three_rows(name=None, phone="1", category="?"))
    assert faults_of(content) == [
        (3, "A", "name_missing"),
        (3, "C", "phone_form"),
        (3, "D", "category_unknown"),
    ]


def test_the_same_person_twice_is_told_on_the_second_row():
    [fault] = read_roster(roster_file([trainee_row(0), trainee_row(1), trainee_row(0)])).faults
    assert (fault.row, fault.column, fault.code) == (4, "B", "doubled_in_file")
    assert fault.refusal.params == {"first": 2}
    assert str(fault.refusal) == "和第 2 行是同一个人。"


def test_a_lower_case_x_and_full_width_digits_are_the_same_number():
    value = next(
        row[ID_NUMBER] for row in (trainee_row(n) for n in range(60)) if row[ID_NUMBER].endswith("X")
    )
    wide = value.translate({ord(str(d)): 0xFF10 + d for d in range(10)})
    rows = read_roster(roster_file([trainee_row(0, id_number=value.lower())])).rows
    assert rows[0].id_number == read_roster(roster_file([trainee_row(0, id_number=wide)])).rows[0].id_number


def test_padding_inside_a_short_name_is_not_part_of_it():
    [row] = read_roster(roster_file([trainee_row(0, name=" 王　芳 ")])).rows
    assert row.name == "王芳"


def test_a_phone_that_excel_made_a_number_has_lost_nothing():
    [row] = read_roster(roster_file([trainee_row(0, phone=13900000001)])).rows
    assert row.phone == "13900000001"


def test_a_trainee_without_a_phone_is_welcome():
    [row] = read_roster(roster_file([trainee_row(0, phone=None)])).rows
    assert row.phone == ""


def test_columns_may_stand_in_another_order():
    rows = [trainee_row(0, id_number="1")]
    assert faults_of(roster_file(rows, headers=[CATEGORY, PHONE, ID_NUMBER, NAME])) == [
        (2, "C", "id_number_form")
    ]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([NAME, ID_NUMBER, PHONE], [(1, "", "header_missing")]),
        ([NAME, "身份证", PHONE, CATEGORY], [(1, "B", "header_unknown"), (1, "", "header_missing")]),
        ([NAME, NAME, ID_NUMBER, PHONE, CATEGORY], [(1, "B", "header_doubled")]),
        ([*HEADERS, "序号"], [(1, "E", "header_unknown")]),
    ],
)
def test_a_wrong_header_stops_the_reading(headers, expected):
    assert faults_of(roster_file([trainee_row(0)], headers=headers)) == expected


def test_a_sheet_without_a_header_names_all_four():
    assert [code for _row, _column, code in faults_of(saved(Workbook()))] == ["header_missing"] * 4


def test_a_sheet_with_a_header_alone_is_empty():
    assert faults_of(roster_file([])) == [(None, "", "roster_empty")]


def test_merged_cells_are_refused_where_they_are():
    content = roster_file(three_rows(), dress=lambda sheet: sheet.merge_cells("D2:D4"))
    assert faults_of(content) == [(2, "D", "cells_merged")]


def test_a_hidden_row_is_not_imported_unseen():
    def hide(sheet):
        sheet.row_dimensions[3].hidden = True

    assert faults_of(roster_file(three_rows(), dress=hide)) == [(3, "", "row_hidden")]


def test_a_note_beside_the_table_is_not_guessed_about():
    content = roster_file(three_rows(), dress=lambda sheet: sheet.cell(3, 6, "此人退出"))
    assert faults_of(content) == [(3, "F", "cell_outside")]


def test_a_roster_for_a_whole_county_is_too_long():
    faults = faults_of(roster_file([trainee_row(0)] * (MOST_ROWS + 1)))
    assert faults == [(None, "", "too_many_rows")]


def test_a_cell_far_outside_does_not_make_the_reader_walk_there():
    def stray(sheet):
        sheet["XFD1048576"] = "x"

    assert faults_of(roster_file(three_rows(), dress=stray)) == [(None, "", "sheet_too_wide")]


def test_formatted_empty_rows_are_no_trainees():
    def format_below(sheet):
        for row in range(5, 500):
            sheet.cell(row, 2).number_format = "@"
            sheet.cell(row, 1).font = Font(bold=True)

    assert len(read_roster(roster_file(three_rows(), dress=format_below)).rows) == 3


def test_the_printer_settings_that_excel_leaves_behind_do_no_harm():
    content = rezip(SOUND, **{"xl__printerSettings__printerSettings1.bin": b"x"})
    assert len(read_roster(content).rows) == 1


def test_a_named_sheet_is_found_behind_others():
    book = load_workbook(io.BytesIO(roster_file(three_rows())))
    book.create_sheet("说明", 0).append(["请看第二张表"])
    assert read_roster(saved(book)).title == SHEET


# --- files that are not opened ---


def rezip(content: bytes, **parts: bytes) -> bytes:
    """The same package with parts added or replaced; `__` in a name stands for a slash."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        replaced = {name.replace("__", "/"): data for name, data in parts.items()}
        for item in old.infolist():
            if item.filename not in replaced:
                new.writestr(item.filename, old.read(item))
        for name, data in replaced.items():
            new.writestr(name, data)
    return out.getvalue()


def empty_package() -> bytes:
    out = io.BytesIO()
    zipfile.ZipFile(out, "w").close()
    return out.getvalue()


SOUND = roster_file([trainee_row(0)])
OLD_EXCEL = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1024)


@pytest.mark.parametrize(
    ("content", "code", "status"),
    [
        (b"", "file_empty", 400),
        ("姓名,身份证号\n王小满,1\n".encode(), "file_not_xlsx", 400),
        (OLD_EXCEL, "file_not_xlsx", 400),
        (b"PK\x03\x04" + bytes(64), "file_not_xlsx", 400),
        (SOUND[: len(SOUND) // 2], "file_not_xlsx", 400),
        (SOUND + b"\0" * MOST_BYTES, "file_too_large", 413),
        (rezip(SOUND, **{"xl__vbaProject.bin": b"x"}), "file_has_macros", 400),
        (rezip(SOUND, **{"xl__embeddings__oleObject1.bin": b"x"}), "file_has_macros", 400),
        (rezip(SOUND, **{"xl__externalLinks__externalLink1.xml": b"<a/>"}), "file_has_links", 400),
        (rezip(SOUND, **{"xl__media__bomb.xml": b"<a>" + b" " * 50_000_000}), "file_too_large", 413),
        (rezip(SOUND, **{f"xl__media__{n}.png": b"x" for n in range(200)}), "file_too_large", 413),
        (rezip(SOUND, **{"xl__workbook.xml": b"<broken"}), "file_not_xlsx", 400),
        (
            empty_package(),
            "file_not_xlsx",
            400,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_roster_is_not_opened(content, code, status):
    with pytest.raises(Refusal) as refused:
        read_roster(content)
    assert (refused.value.code, refused.value.status) == (code, status)
    assert refused.value.next_step


def test_the_template_has_text_columns_and_the_five_categories():
    sheet = load_workbook(io.BytesIO(template_workbook()))[SHEET]
    assert [cell.value for cell in sheet[1]] == list(HEADERS)
    assert {sheet.cell(row, 2).number_format for row in range(2, 62)} == {"@"}
    [choices] = sheet.data_validations.dataValidation
    assert "城镇登记失业人员" in choices.formula1
    assert faults_of(template_workbook()) == [(None, "", "roster_empty")]


def test_the_marked_file_shows_each_fault_at_its_cell():
    content = roster_file(three_rows(phone="1"))
    marked = load_workbook(io.BytesIO(marked_workbook(content, read_roster(content).faults, str)))[SHEET]
    assert "手机号应为 11 位数字" in marked["C3"].comment.text
    assert marked["C2"].comment is None


# --- importing ---


def test_an_import_enters_people_accounts_and_one_entry_of_evidence(school, manager, now):
    training_class = school.create()
    content = roster_file([trainee_row(0), trainee_row(1)])
    result = actions.import_roster(training_class=training_class, content=content, actor=manager, at=now)
    assert (result.accepted, result.rejected, result.imported) == (2, (), True)
    enrolments = list(Enrolment.objects.filter(training_class=training_class).order_by("person__name"))
    assert [(e.person.name, e.category, e.state, e.source) for e in enrolments] == [
        ("王小满", "poor_family", "active", "roster"),
        ("陈国强", "graduate", "active", "roster"),
    ]
    assert all(User.objects.get(person=e.person).has_role("trainee") for e in enrolments)
    entry = Entry.objects.get(chain=training_class.subject, kind="roster.imported")
    assert (entry.facts["imported"], entry.facts["trainees"], entry.facts["file"]) == (2, 2, result.sha256)


def test_the_log_holds_commitments_that_only_the_salt_opens(school, manager, now):
    training_class = school.create()
    row = trainee_row(1)
    actions.import_roster(training_class=training_class, content=roster_file([row]), actor=manager, at=now)
    enrolment = Enrolment.objects.get(training_class=training_class)
    entry = Entry.objects.get(chain=training_class.subject, kind="roster.imported")
    salt = unseal(enrolment.commitment_salt_sealed, context=Enrolment.SALT_CONTEXT)
    assert entry.facts["commitments"] == [
        commitment_of(row[ID_NUMBER], row[NAME], enrolment.category, salt=salt)
    ]
    assert row[NAME] not in str(entry.facts)
    assert row[ID_NUMBER] not in str(entry.facts)


def refused(school, content, code="roster_rejected", **changes):
    """Import, expect a refusal, and assert that it left nothing behind."""
    training_class = changes.pop("training_class", None) or school.create()
    told = Entry.objects.exclude(kind="roster.names_differ")  # the only thing that may be said of it
    before = (Person.objects.count(), User.objects.count(), Enrolment.objects.count(), told.count())
    with pytest.raises(Refusal) as error:
        actions.import_roster(
            training_class=training_class,
            content=content,
            actor=changes.get("actor", school.cast.manager),
            at=school.at,
        )
    after = (Person.objects.count(), User.objects.count(), Enrolment.objects.count(), told.count())
    assert after == before
    assert error.value.code == code
    return error.value


def codes(refusal):
    return [(fault.row, fault.column, fault.code) for fault in refusal.details["rejected"]]


def test_one_bad_row_keeps_the_whole_sheet_out(school):
    refusal = refused(
        school, roster_file([*(trainee_row(n) for n in range(1, 20)), trainee_row(20, phone="1")])
    )
    assert codes(refusal) == [(21, "C", "phone_form")]
    assert refusal.details["accepted"] == 19
    assert str(refusal) == "20 行里有 1 行要改，整张表都没有导入。"


def test_a_fault_of_the_whole_sheet_is_not_counted_in_rows(school):
    """Nothing was read row by row, so no sentence speaks of rows."""
    training_class, trainees = school.create(), [trainee_row(1)]
    hidden = roster_file(trainees, dress=lambda s: setattr(s.column_dimensions["C"], "hidden", True))
    for content, code in (
        (hidden, "column_hidden"),
        (roster_file(trainees, dress=lambda s: s.merge_cells("F9:G9")), "cells_merged"),
        (roster_file([]), "roster_empty"),
    ):
        refusal = refused(school, content, training_class=training_class)
        assert [fault.code for fault in refusal.details["rejected"]] == [code]
        assert str(refusal) == "这张表先要改 1 处才能逐行核对，一行也没有导入。"
        assert refusal.render()["details"]["found"] == "1 处要改，还没有逐行读"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            rezip(SOUND, **{str(n): b"" for n in range(20_000)}),
            "文件由 20009 个部件组成，最多 200 个，平台不打开。",
        ),
        (SOUND + b"\0" * MOST_BYTES, r"文件太大，平台不打开：有 205\d KB，最多 2048 KB。"),
        (
            rezip(SOUND, xl__bomb=b" " * 50_000_000),
            r"文件太大，平台不打开：展开后 488.. KB，最多 16384 KB。",
        ),
    ],
    ids=["parts", "packed", "unpacked"],
)
def test_a_file_that_is_too_much_is_told_what_of(content, words):
    with pytest.raises(Refusal) as error:
        read_roster(content)
    assert error.value.code == "file_too_large"
    assert re.fullmatch(words, str(error.value))


def test_a_dry_run_says_the_same_and_writes_nothing(school, manager, now):
    training_class = school.create()
    before = (Person.objects.count(), Entry.objects.count())
    result = actions.import_roster(
        training_class=training_class,
        content=roster_file([trainee_row(3), trainee_row(4, name=None)]),
        actor=manager,
        at=now,
        dry_run=True,
    )
    assert (result.accepted, [fault.code for fault in result.rejected]) == (1, ["name_missing"])
    assert not result.imported
    assert (Person.objects.count(), Entry.objects.count()) == before


def test_a_known_number_under_another_name_is_refused_without_telling_whose_it_is(school):
    refusal = refused(school, roster_file([trainee_row(5, name="李四", id_number=known_number())]))
    assert codes(refusal) == [(2, "A", "name_differs")]
    assert "王小满" not in str(refusal.render())


def known_number() -> str:
    """That of 王小满 of the cast."""
    return made_up_id_number(0).value


def dry_run(school, training_class, content):
    return actions.import_roster(
        training_class=training_class,
        content=content,
        actor=school.cast.manager,
        at=school.at,
        dry_run=True,
    )


def test_who_asks_whose_number_it_is_leaves_a_trace_and_is_answered_ten_times_a_day(school):
    training_class, told = school.create(), Entry.objects.filter(kind="roster.names_differ")
    for guess in range(MOST_NAME_FAULTS):
        assert told.count() == guess
        guessed = trainee_row(5, name=f"李{'甲乙丙丁戊己庚辛壬癸'[guess]}", id_number=known_number())
        content = roster_file([guessed, trainee_row(6)])
        for _again in range(2):  # the same file is told again, and on record once
            result = dry_run(school, training_class, content)
            assert [fault.code for fault in result.rejected] == ["name_differs"]
    [entry] = told.order_by("-pk")[:1]
    assert (entry.chain, entry.actor_id) == (training_class.subject, school.cast.manager.pk)
    assert entry.facts == {"rows": 1, "file": result.sha256}
    other = school.create(name="换一个班再问")
    with pytest.raises(Refusal) as refused_:
        dry_run(school, other, roster_file([trainee_row(5, name="王小满", id_number=known_number())]))
    refusal = refused_.value
    assert (refusal.code, refusal.status, refusal.rule) == ("name_checks_used_up", 429, "P7")
    assert (refusal.found, refusal.required) == (10, 9)
    school.at += datetime.timedelta(hours=15)  # past midnight
    assert dry_run(school, other, roster_file([trainee_row(7)])).accepted == 1


def test_in_a_roster_that_is_too_large_nobody_is_looked_for(school):
    rows = [trainee_row(n) for n in range(1, 61)]
    rows.append(trainee_row(61, name="李四", id_number=known_number()))
    refusal = refused(school, roster_file(rows))
    assert codes(refusal) == [(None, "", "class_size")]
    assert not Entry.objects.filter(kind="roster.names_differ").exists()


def test_a_school_sees_and_claims_with_the_phone_number_it_was_given(school, rival):
    school.enrol(school.create(), 1, first=1)
    details = school.details(lecturer=None, assistant=None)
    theirs = actions.create_class(details=details, actor=rival, at=school.at)
    for phone, shown in ((None, "—"), ("13812345678", "138****5678")):
        actions.import_roster(
            training_class=theirs,
            content=roster_file([trainee_row(1, phone=phone)]),
            actor=rival,
            at=school.at,
        )
        page = client_of(rival).get(f"/classes/{theirs.pk}/roster/").content.decode()
        assert (shown in page, "139****0001" in page) == (True, False)
        enrolment = theirs.enrolments.get()
        assert enrolment.open_phone() == (phone or "")
        actions.remove_trainee(enrolment=enrolment, actor=rival, at=school.at)
    assert enrolment.person.open_phone() == "13900000001"


def test_somebody_who_is_not_born_yet_is_refused_with_the_row(school):
    training_class, content = school.create(), roster_file([trainee_row(1), trainee_row(2)])
    school.at = datetime.datetime(1950, 1, 1, tzinfo=datetime.UTC)
    refusal = refused(school, content, training_class=training_class)
    assert codes(refusal) == [(2, "B", "id_number_date"), (3, "B", "id_number_date")]


def test_somebody_who_is_on_the_roster_already_is_refused(school):
    training_class = school.create()
    school.enrol(training_class, 2)
    refusal = refused(school, roster_file([trainee_row(1), trainee_row(2)]), training_class=training_class)
    assert codes(refusal) == [(2, "B", "already_enrolled")]


def test_the_lecturer_cannot_sit_in_their_own_class(school):
    lecturer = made_up_id_number(40, region="410102").value
    refusal = refused(school, roster_file([trainee_row(0, name="李明远", id_number=lecturer)]))
    assert codes(refusal) == [(2, "B", "is_staff")]


@pytest.mark.parametrize(("course_type", "cap", "row"), [("GYB", 60, "F11"), ("SYB", 30, "F12")])
def test_the_roster_never_exceeds_the_class_size(school, course_type, cap, row):
    from courses.models import Course

    training_class = school.create(course=Course.objects.get(course_type=course_type))
    school.enrol(training_class, cap - 1)
    refusal = refused(
        school, roster_file([trainee_row(cap), trainee_row(cap + 1)]), training_class=training_class
    )
    [fault] = refusal.details["rejected"]
    assert (fault.row, fault.code, fault.refusal.rule) == (None, "class_size", row)
    assert (fault.refusal.found, fault.refusal.required) == (cap + 1, cap)
    school.enrol(training_class, 1, first=cap)
    assert training_class.enrolments.count() == cap


def test_a_removed_trainee_may_come_back(school, manager, now):
    training_class = school.create()
    school.enrol(training_class, 2)
    gone = training_class.enrolments.order_by("pk")[0]
    actions.remove_trainee(enrolment=gone, actor=manager, at=now)
    gone.refresh_from_db()
    assert gone.state == EnrolmentState.LEFT
    with pytest.raises(Refusal) as refused_twice:
        actions.remove_trainee(enrolment=gone, actor=manager, at=now)
    assert refused_twice.value.code == "move_refused"
    number = next(n for n in range(2) if trainee_row(n)[NAME] == gone.person.name)
    school.enrol(training_class, 1, first=number)
    gone.refresh_from_db()
    assert gone.state == EnrolmentState.ACTIVE
    assert Entry.objects.filter(chain=training_class.subject, kind="roster.trainee_removed").count() == 1


def test_after_submission_the_roster_is_frozen(school):
    filing = school.filed()
    refused(
        school,
        roster_file([trainee_row(9)]),
        "class_not_editable",
        training_class=filing.training_class,
    )


def test_the_rival_hears_that_there_is_no_such_class(school):
    from django.http import Http404

    training_class = school.create()
    before = Enrolment.objects.count()
    with pytest.raises(Http404):
        actions.import_roster(
            training_class=training_class,
            content=roster_file([trainee_row(1)]),
            actor=school.cast.rival,
            at=school.at,
        )
    assert Enrolment.objects.count() == before


def test_the_lecturer_hears_that_it_is_the_managers_business(school):
    refused(school, roster_file([trainee_row(1)]), "not_the_manager", actor=school.cast.trainer)
