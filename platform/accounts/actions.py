"""Writes about people, bodies and accounts."""

import datetime

from django.contrib.auth.tokens import default_token_generator
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop
from pypinyin import Style, lazy_pinyin
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError as StdnumError

import audit
from accounts.id_numbers import IdNumber
from accounts.models import Bureau, Institution, Membership, Person, Region, User, id_number_index
from accounts.states import Role
from policy.refusals import Refusal


def check_credit_code(text: str) -> str:
    """Return the unified social credit code (GB 32100) in canonical form.

    Raises Refusal `credit_code_invalid`.
    """
    try:
        return str(uscc.validate(text.strip().upper()))
    except StdnumError:
        raise Refusal(
            "credit_code_invalid",
            gettext_noop("统一社会信用代码不对：应为 18 位，校验位要对得上。"),
            required=18,
            found=len(text.strip()),
            rule="I1",
            citation="GB 32100",
            next_step=gettext_noop("请对照营业执照重新输入。"),
            status=400,
        ) from None


def register_institution(
    *,
    actor: User | None,
    name: str,
    credit_code: str,
    region: Region,
    designated_from: datetime.date | None,
    designated_until: datetime.date | None = None,
    address: str = "",
    contact: str = "",
    contact_phone: str = "",
    at: datetime.datetime,
) -> Institution:
    """Enter a designated institution (I1); raises Refusal `credit_code_invalid` or `institution_exists`."""
    code = check_credit_code(credit_code)
    try:
        with transaction.atomic():
            institution = Institution.objects.create(
                name=name,
                credit_code=code,
                region=region,
                designated_from=designated_from,
                designated_until=designated_until,
                address=address,
                contact=contact,
                contact_phone=contact_phone,
            )
            audit.record(
                "institution.registered",
                actor_id=actor.pk if actor else None,
                subject=f"institution/{institution.pk}",
                facts={
                    "credit_code": code,
                    "region": region.code,
                    "designated_from": designated_from.isoformat() if designated_from else None,
                    "designated_until": designated_until.isoformat() if designated_until else None,
                },
                at=at,
            )
    except IntegrityError:
        raise Refusal(
            "institution_exists",
            gettext_noop("这家机构已经登记过。"),
            rule="I1",
            next_step=gettext_noop("请核对名称和统一社会信用代码。"),
        ) from None
    return institution


def find_or_create_person(*, name: str, id_number: IdNumber, phone: str = "") -> Person:
    """Return the one person with this ID number, entering them when new (P7).

    Raises Refusal `name_differs` when the number is known under another name; the stored name is not
    revealed.
    Call inside a transaction. A known person's phone is not overwritten by an institution's table.
    """
    index = id_number_index(id_number)
    person = Person.objects.filter(id_number_index=index).first()
    if person is None:
        person = Person(name=name, name_pinyin=pinyin_key(name))
        person.seal_id_number(id_number)
        person.seal_phone(phone)
        try:
            with transaction.atomic():
                person.save()
        except IntegrityError:  # entered by somebody else in the same moment
            person = Person.objects.get(id_number_index=index)
    if person.name != name:
        raise Refusal(
            "name_differs",
            gettext_noop("这个身份证号已用另一个姓名登记。"),
            rule="P7",
            next_step=gettext_noop("请对照身份证核对姓名和号码；两样都没错，请联系当地人社部门。"),
        )
    return person


def pinyin_key(name: str) -> str:
    """The key by which Chinese names sort: PostgreSQL here has no ICU collation for pinyin."""
    return " ".join(lazy_pinyin(name, style=Style.TONE3))[:160]


def ensure_trainee_account(*, person: Person, at: datetime.datetime) -> User:
    """Return the person's account with the trainee role, made when missing.

    A new account has no usable password: the trainee sets one with the code that the institution hands over
    (`issue_activation`). Its user name is not derived from personal data.
    """
    with transaction.atomic():
        user = User.objects.filter(person=person).first()
        if user is None:
            user = User.objects.create_user(username=f"t{person.pk:08d}", password=None, person=person)
            audit.record(
                "account.created",
                actor_id=None,
                subject=f"person/{person.pk}",
                facts={"user": user.pk},
                at=at,
            )
        grant_role(user=user, role=Role.TRAINEE)
    return user


def grant_role(
    *, user: User, role: str, institution: Institution | None = None, bureau: Bureau | None = None
) -> Membership:
    """Give an account a role at a body; idempotent."""
    membership, _created = Membership.objects.get_or_create(
        user=user, role=role, institution=institution, bureau=bureau
    )
    user.__dict__.pop("active_memberships", None)
    return membership


def issue_activation(*, user: User) -> str:
    """Return a signed code with which the trainee sets a password once; void as soon as one is set."""
    return f"{user.username}-{default_token_generator.make_token(user)}"


def activate(*, code: str, password: str, at: datetime.datetime) -> User:
    """Set the first password of an account; raises Refusal `activation_invalid`."""
    username, _dash, token = code.strip().partition("-")
    with transaction.atomic():
        user = User.objects.select_for_update().filter(username=username, is_active=True).first()
        if user is None or not default_token_generator.check_token(user, token):
            raise Refusal(
                "activation_invalid",
                gettext_noop("这个激活码不能用：可能输错了，或者已经用过。"),
                next_step=gettext_noop("请向培训机构要一个新的激活码。"),
                status=400,
            )
        user.set_password(password)
        user.save(update_fields=["password"])
        audit.record(
            "account.activated",
            actor_id=user.pk,
            subject=f"person/{user.person_id}",
            facts={"user": user.pk},
            at=at,
        )
    return user
