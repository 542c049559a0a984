"""Who decided, who opened, and why: changed past the log, each is found."""

from typing import Any

import pytest
from django.db import connection

from accounts.models import Membership, Person, User
from accounts.states import Role
from audit.reconciliation import differences
from classes.models import TrainingClass
from config.demo.cast import Cast
from identity.actions.codes import issue_code, redeem_code
from subsidies.actions.claims import decide_claim
from subsidies.actions.objections import answer_objection, lodge_objection
from subsidies.models import PublicNotice
from tests.subsidies.conftest import clock

pytestmark = pytest.mark.django_db

SOMEBODY = "(select min(id) from accounts_user where username = 'rival')"

# What is changed of a decided claim: the statement, the table that is named and a word of what is said.
ATTACKS = {
    "who filed": (f"update classes_filing set submitted_by_id = {SOMEBODY}", "classes_filing", "提交人"),
    "filed when": (
        "update classes_filing set submitted_at = submitted_at - interval '1 day'",
        "classes_filing",
        "提交时间",
    ),
    "who approved": (f"update classes_filing set decided_by_id = {SOMEBODY}", "classes_filing", "决定人"),
    "approved when": (
        "update classes_filing set decided_at = decided_at + interval '1 day'",
        "classes_filing",
        "决定时间",
    ),
    "why approved": ("update classes_filing set reason = '特批'", "classes_filing", "理由的摘要"),
    "why changed": ("update classes_filing set change_reason = '换课'", "classes_filing", "变更理由"),
    "what was found": (
        """update classes_filing set findings = '[{"code": "class_size", "passed": true}]'""",
        "classes_filing",
        "检查结果",
    ),
    "who drew up": (f"update subsidies_claim set created_by_id = {SOMEBODY}", "subsidies_claim", "拟制人"),
    "drawn up when": (
        "update subsidies_claim set created_at = created_at - interval '1 day'",
        "subsidies_claim",
        "拟制时间",
    ),
    "handed in when": (
        "update subsidies_claim set submitted_at = submitted_at - interval '1 day'",
        "subsidies_claim",
        "提交时间",
    ),
    "who paid": (f"update subsidies_claim set decided_by_id = {SOMEBODY}", "subsidies_claim", "决定人"),
    "paid when": (
        "update subsidies_claim set decided_at = decided_at - interval '1 day'",
        "subsidies_claim",
        "决定时间",
    ),
    "why paid": ("update subsidies_claim set reason = '特批'", "subsidies_claim", "理由的摘要"),
    "why no longer": ("update subsidies_claim set reason = ''", "subsidies_claim", "理由的摘要"),
    "who announced": (
        f"update subsidies_publicnotice set opened_by_id = {SOMEBODY}",
        "subsidies_publicnotice",
        "公示人",
    ),
    "who answered": (
        f"update subsidies_objection set answered_by_id = {SOMEBODY}",
        "subsidies_objection",
        "答复人",
    ),
    "answered when": (
        "update subsidies_objection set answered_at = answered_at - interval '1 day'",
        "subsidies_objection",
        "答复时间",
    ),
    "the province's number": (
        "update exams_certificate set provincial_number = '410000001'",
        "exams_certificate",
        "省系统证书编号",
    ),
    "who issued": (
        f"update exams_certificate set issued_by_id = {SOMEBODY}",
        "exams_certificate",
        "发证人",
    ),
    "masked number": (
        "update accounts_person set id_number_masked = '4199**********0000'"
        " where id in (select person_id from classes_enrolment)",
        "classes_enrolment",
        "遮挡后的身份证号",
    ),
    "found under another number": (
        "update accounts_person set id_number_index = sha256(id_number_index)"
        " where id in (select person_id from classes_enrolment)",
        "classes_enrolment",
        "索引",
    ),
}


def attack(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == ("yuchuang_app",)
        cursor.execute(sql)
        assert cursor.rowcount > 0


@pytest.mark.parametrize(("sql", "table", "word"), ATTACKS.values(), ids=ATTACKS)
def test_who_and_why_are_on_record(
    notice: PublicNotice, officer: User, over: Any, sql: str, table: str, word: str
):
    objection = lodge_objection(
        notice=notice, line_number=2, text="这个人第二天在外地。", contact="", at=notice.opened_at
    )
    answer_objection(actor=officer, objection=objection, upheld=False, answer="查过，不属实。", at=over)
    decide_claim(actor=officer, claim=notice.claim, approved=True, reason="材料齐全。", at=over)
    assert differences() == []
    attack(sql)
    found = differences(notice.claim.training_class.subject)
    assert {one.row.partition("/")[0] for one in found} == {table}
    assert all(word in one.sentence for one in found)
    assert len(differences()) == len(found)


# --- roles ---


@pytest.mark.parametrize(
    "sql",
    [
        "update accounts_membership set role = 'assistant' where role = 'lecturer'",
        "update accounts_membership set user_id = (select id from accounts_user where username = 'rival')"
        " where role = 'officer'",
        "delete from accounts_membership where role = 'officer'",
        "insert into accounts_membership (user_id, role) select id, 'operator' from accounts_user"
        " where username = 'rival'",
        "insert into accounts_membership (user_id, role, bureau_id)"
        " select u.id, 'officer', min(b.id) from accounts_user u, accounts_bureau b"
        " where username = 'learner' group by u.id",
        "insert into accounts_membership (user_id, role) select id, 'trainee' from accounts_user"
        " where username = 'trainer'",
        "delete from accounts_membership where role = 'trainee'",
    ],
)
def test_a_role_given_taken_or_moved_past_the_log_is_found(cast: Cast, sql: str):
    assert differences() == []
    attack(sql)
    found = differences()
    assert {one.row.partition("/")[0] for one in found} == {"accounts_membership"}
    assert all(one.what == "账号的角色" for one in found)
    for one in found:
        assert one in differences(one.chain)


def test_an_operator_from_before_is_borne_out_by_their_account(db: None):
    """Older installations recorded the account of the operator, but not the role."""
    from accounts.actions import account_subject, grant_role
    from tests.on_record import record

    user = User.objects.create_user("yunying")
    grant_role(user=user, role=Role.OPERATOR)
    record("account.created", account_subject(user), clock("08:00"), user=user.pk)
    assert differences() == []
    Membership.objects.update(user=User.objects.create_user("qita"))
    assert {one.code for one in differences()} == {"unrecorded"}


def test_a_trainee_from_before_is_borne_out_by_their_account(cast: Cast):
    """Older installations recorded the account that a roster made, but not its role."""
    from accounts.actions import grant_role
    from tests.on_record import record

    person = cast.trainees(3)[2]
    user = User.objects.create_user("t00000077", person=person)
    grant_role(user=user, role=Role.TRAINEE)
    record("account.created", f"person/{person.pk}", clock("08:00"), user=user.pk)
    assert differences() == []
    Membership.objects.filter(user=user).update(user=cast.trainer)
    assert {one.code for one in differences()} == {"unrecorded"}


# --- one-time codes ---


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("update identity_onetimecode set person_id = (select max(id) from accounts_person)", "人员编号"),
        (f"update identity_onetimecode set issued_by_id = {SOMEBODY}", "发码人"),
        ("update identity_onetimecode set expires_at = expires_at + interval '1 hour'", "有效到"),
        ("update identity_onetimecode set subject = subject || '/x'", "用在哪里"),
        ("update identity_onetimecode set redeemed_at = null", "使用时间"),
        ("delete from identity_onetimecode", "人员编号"),
    ],
)
def test_a_code_that_was_somebody_elses_is_found(finished: TrainingClass, cast: Cast, sql: str, word: str):
    at = clock("08:30")
    person = cast.learner.person
    assert isinstance(person, Person)
    subject = f"{finished.subject}/lesson/{finished.lessons.order_by('pk')[0].pk}"
    digits = issue_code(person=person, subject=subject, actor=cast.trainer, at=at)
    assert differences(finished.subject) == []
    redeem_code(person=person, subject=subject, code=digits, actor=cast.learner, at=at)
    assert differences() == []
    attack(sql)
    [found] = differences(finished.subject)
    assert found.row.startswith("identity_onetimecode/")
    assert word in found.sentence
