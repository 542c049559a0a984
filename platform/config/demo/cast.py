"""The standing cast (DESIGN §4), built through the same actions as real people; demo data and tests share it.

Every ID number here is made up: the sequence numbers 9xx of a day are not the ones an office hands out
first, and the names are invented.
"""

import datetime
from dataclasses import dataclass
from functools import cached_property

from django.db import transaction

from accounts import actions
from accounts.bodies import register_bureau
from accounts.id_numbers import IdNumber, parse
from accounts.models import Bureau, Institution, Person, Region, User
from accounts.states import Department, Role
from config.demo.registers import build_registers

PASSWORD = "yuchuang-demo"  # noqa: S105  (the demo's published password; production refuses demo mode)
SCHOOL, RIVAL_SCHOOL = "郑州启航创业培训学校", "洛阳新程创业培训中心"
BUREAU = "郑州市人力资源和社会保障局"

TRAINEES = [
    "王小满", "陈国强", "杜秀英", "樊素琴", "高新建", "韩玉梅", "贾铁成", "李春霞", "刘保全", "孟凡军",
    "牛艳丽", "乔麦收", "任志远", "宋桂枝", "田永红", "吴庆丰", "徐爱莲", "闫怀兵", "范留柱", "张麦香",
    "赵长河", "周月琴", "孙大勇", "马秋菊", "郭胜利", "何桂兰", "郑开封", "谢银环", "罗成才", "曹巧云",
]  # fmt: skip
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def made_up_id_number(serial: int, *, region: str = "410105", born: datetime.date | None = None) -> IdNumber:
    """Return a well-formed number of nobody: `serial` 0–99 within the day."""
    born = born or datetime.date(1970 + serial % 30, 1 + serial % 12, 1 + serial % 28)
    body = f"{region}{born:%Y%m%d}{900 + serial % 100:03d}"
    check = "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]
    return parse(body + check)


@dataclass(frozen=True)
class Cast:
    """The people of DESIGN §4, by their user names."""

    at: datetime.datetime  # when it was entered, or looked up
    school: Institution
    rival_school: Institution
    bureau: Bureau

    @cached_property
    def _users(self) -> dict[str, User]:
        return {user.username: user for user in User.objects.select_related("person")}

    def __getitem__(self, username: str) -> User:
        return self._users[username]

    @property
    def learner(self) -> User:
        return self["learner"]

    @property
    def trainer(self) -> User:
        return self["trainer"]

    @property
    def assistant(self) -> User:
        return self["assistant"]

    @property
    def manager(self) -> User:
        return self["manager"]

    @property
    def rival(self) -> User:
        return self["rival"]

    @property
    def officer(self) -> User:
        return self["officer"]

    @property
    def regulator(self) -> User:
        return self["regulator"]

    @property
    def finance(self) -> User:
        return self["finance"]

    @property
    def operator(self) -> User:
        return self["operator"]

    def id_number(self, serial: int) -> IdNumber:
        """The made-up number of one of the school's people."""
        return made_up_id_number(serial, region="410102")

    def trainees(self, count: int = len(TRAINEES)) -> list[Person]:
        """The first `count` trainees, 王小满 first."""
        return [
            actions.find_or_create_person(
                name=name, id_number=made_up_id_number(n), phone=f"1380000{n:04d}", at=self.at
            )
            for n, name in enumerate(TRAINEES[:count])
        ]


def _account(username: str, display_name: str, password: str | None, person: Person | None = None) -> User:
    user = User.objects.filter(username=username).first()
    return user or User.objects.create_user(username, password, display_name=display_name, person=person)


def build_cast(*, at: datetime.datetime, password: str | None = PASSWORD) -> Cast:
    """Enter the cast, or return the one that is already there. Call inside a transaction."""
    zhengzhou, luoyang, henan = (Region.objects.get(code=code) for code in ("410100", "410300", "410000"))
    jinshui = Region.objects.get(code="410105")
    school = Institution.objects.filter(name=SCHOOL).first() or actions.register_institution(
        actor=None,
        name=SCHOOL,
        credit_code="52410105MJY123456L",
        region=jinshui,
        designated_from=datetime.date(2024, 1, 1),
        address="郑州市金水区文化路 97 号",
        contact="周文博",
        contact_phone="0371-60000097",
        at=at,
    )
    rival_school = Institution.objects.filter(name=RIVAL_SCHOOL).first() or actions.register_institution(
        actor=None,
        name=RIVAL_SCHOOL,
        credit_code="52410303MJX765432A",
        region=luoyang,
        designated_from=datetime.date(2024, 1, 1),
        address="洛阳市西工区中州中路 18 号",
        contact="秦晓峰",
        contact_phone="0379-60000018",
        at=at,
    )
    bureaus = {
        name: Bureau.objects.filter(name=name).first()
        or register_bureau(actor=None, name=name, department=department, region=region, at=at)
        for name, department, region in (
            (BUREAU, Department.HRSS, zhengzhou),
            ("河南省人力资源和社会保障厅", Department.HRSS, henan),
            ("郑州市财政局", Department.FINANCE, zhengzhou),
        )
    }

    def human(name: str, serial: int) -> Person:
        return actions.find_or_create_person(
            name=name,
            id_number=made_up_id_number(serial, region="410102"),
            phone=f"1390000{serial:04d}",
            at=at,
        )

    trainer = _account("trainer", "", password, human("李明远", 40))
    assistant = _account("assistant", "", password, human("赵晓宁", 41))
    learner = _account("learner", "", password, actions.find_or_create_person(
        name=TRAINEES[0], id_number=made_up_id_number(0), phone="13800000000", at=at
    ))  # fmt: skip
    people = [
        (trainer, Role.LECTURER, school, None),
        (assistant, Role.ASSISTANT, school, None),
        (learner, Role.TRAINEE, None, None),
        (_account("manager", "周文博", password), Role.MANAGER, school, None),
        (_account("rival", "秦晓峰", password), Role.MANAGER, rival_school, None),
        (_account("officer", "孙立群", password), Role.OFFICER, None, bureaus[BUREAU]),
        (
            _account("regulator", "省厅监管账号", password),
            Role.REGULATOR,
            None,
            bureaus["河南省人力资源和社会保障厅"],
        ),
        (_account("finance", "市财政监管账号", password), Role.REGULATOR, None, bureaus["郑州市财政局"]),
        (_account("operator", "平台运营", password), Role.OPERATOR, None, None),
    ]
    for user, role, institution, bureau in people:
        membership = actions.grant_role(user=user, role=role, institution=institution, bureau=bureau)
        with transaction.atomic():
            actions.record_membership("role.granted", membership, actor=None, at=at)
    cast = find_cast(at=at)
    build_registers(cast, at=at)
    return cast


def find_cast(*, at: datetime.datetime) -> Cast:
    """Return the cast that has been entered."""
    return Cast(
        at=at,
        school=Institution.objects.get(name=SCHOOL),
        rival_school=Institution.objects.get(name=RIVAL_SCHOOL),
        bureau=Bureau.objects.get(name=BUREAU),
    )
