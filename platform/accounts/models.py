"""People, the accounts they sign in with, and the bodies they act for."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts import vault
from accounts.id_numbers import IdNumber
from accounts.states import BUREAU_ROLES, FREE_ROLES, INSTITUTION_ROLES, Department, RegionLevel, Role


class Region(models.Model):
    """A division of Henan by its GB/T 2260 code.

    The province, its 18 prefecture-level units, their counties (Q1).
    """

    code = models.CharField(
        _("行政区划代码"), max_length=6, primary_key=True, validators=[RegexValidator(r"^[0-9]{6}$")]
    )
    name = models.CharField(_("名称"), max_length=40)
    level = models.PositiveSmallIntegerField(_("级别"), choices=RegionLevel.choices)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")

    class Meta:
        ordering = ["code"]
        verbose_name = _("行政区划")

    def __str__(self) -> str:
        return self.name


class Bureau(models.Model):
    """An office of a department for a region: its officers decide, its supervision accounts look (Q1)."""

    name = models.CharField(_("名称"), max_length=80, unique=True)
    department = models.CharField(_("部门"), max_length=10, choices=Department.choices)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("辖区"), related_name="bureaus")

    class Meta:
        ordering = ["region_id", "department"]
        verbose_name = _("管理部门")

    def __str__(self) -> str:
        return self.name


class Institution(models.Model):
    """A designated entrepreneurship training institution (I1)."""

    name = models.CharField(_("名称"), max_length=80, unique=True)
    credit_code = models.CharField(_("统一社会信用代码"), max_length=18, unique=True)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("所在地"), related_name="institutions")
    address = models.CharField(_("地址"), max_length=200, blank=True)
    contact = models.CharField(_("联系人"), max_length=40, blank=True)
    contact_phone = models.CharField(_("联系电话"), max_length=20, blank=True)
    # Designation holds from the first day to the last, both included; an open end means "until cancelled"
    # (Q9).
    designated_from = models.DateField(_("定点起"), null=True, blank=True)
    designated_until = models.DateField(_("定点止"), null=True, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("定点创业培训机构")
        constraints = [
            models.CheckConstraint(
                name="institution_designation_ends_after_it_begins",
                condition=Q(designated_until__isnull=True)
                | Q(designated_from__isnull=False, designated_until__gte=models.F("designated_from")),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def is_designated_on(self, day: datetime.date) -> bool:
        """Whether the institution may run and claim training on `day` (I1, Q9)."""
        return bool(
            self.designated_from
            and self.designated_from <= day
            and (self.designated_until is None or day <= self.designated_until)
        )


class Reachable(models.Model):
    """Something with a phone number as somebody wrote it: sealed, and masked for screens."""

    phone_sealed = models.BinaryField(null=True, editable=False)
    phone_masked = models.CharField(_("手机号"), max_length=20, blank=True, editable=False)

    PHONE_CONTEXT: ClassVar[bytes]
    PHONE_FIELDS: ClassVar[Sequence[str]] = ("phone_sealed", "phone_masked")

    class Meta:
        abstract = True

    def seal_phone(self, phone: str) -> None:
        """Set both columns together; nothing for an empty number."""
        self.phone_sealed = vault.seal(phone.encode(), context=self.PHONE_CONTEXT) if phone else None
        self.phone_masked = phone[:3] + "****" + phone[-4:] if phone else ""

    def open_phone(self) -> str:
        """Decrypt the number: only for forms that an office requires."""
        return (
            vault.unseal(self.phone_sealed, context=self.PHONE_CONTEXT).decode() if self.phone_sealed else ""
        )


class Person(Reachable):
    """A human being, once, whatever roles they have: presence, faces and claims count per person.

    The ID number is sealed (vault), found again by blind index, shown masked. `id_number_masked` is what
    screens show.
    """

    name = models.CharField(_("姓名"), max_length=40)
    name_pinyin = models.CharField(max_length=160, editable=False, db_index=True)
    id_number_sealed = models.BinaryField(editable=False)
    id_number_index = models.BinaryField(unique=True, max_length=32, editable=False)
    id_number_masked = models.CharField(_("身份证号"), max_length=18, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    ID_CONTEXT: ClassVar[bytes] = b"person.id_number"
    PHONE_CONTEXT: ClassVar[bytes] = b"person.phone"

    class Meta:
        ordering = ["name_pinyin", "pk"]
        verbose_name = _("人员")

    def __str__(self) -> str:
        return self.name

    def seal_id_number(self, number: IdNumber) -> None:
        """Set the three columns of the ID number together."""
        self.id_number_sealed = vault.seal(number.value.encode(), context=self.ID_CONTEXT)
        self.id_number_index = id_number_index(number)
        self.id_number_masked = number.masked

    def open_id_number(self) -> str:
        """Decrypt the ID number: only for forms that an office requires.

        Never for screens, logs or evidence.
        """
        return vault.unseal(self.id_number_sealed, context=self.ID_CONTEXT).decode()

    @property
    def birthday(self) -> datetime.date:
        """Read from the sealed number, for judging an age; not for screens, logs or evidence."""
        return IdNumber(self.open_id_number()).birthday

    @property
    def masked_from_seal(self) -> str:
        """The masked number that belongs to the sealed one."""
        return IdNumber(self.open_id_number()).masked

    @property
    def is_masked_as_sealed(self) -> bool:
        """Whether mask and index, which screens and searches use, are still those of the sealed number."""
        number = IdNumber(self.open_id_number())
        return self.id_number_masked == number.masked and bytes(self.id_number_index) == id_number_index(
            number
        )


def id_number_index(number: IdNumber) -> bytes:
    """The blind index under which a person with this ID number is found."""
    return vault.blind_index(number.value, context="person.id_number")


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username=username)


class User(AbstractBaseUser):
    """An account. What it may do comes from its memberships alone.

    There is no superuser and no staff flag.
    """

    username = models.CharField(_("用户名"), max_length=40, unique=True)
    person = models.OneToOneField(Person, models.PROTECT, null=True, blank=True, related_name="user")
    display_name = models.CharField(_("显示名"), max_length=40, blank=True)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "username"
    objects = UserManager()

    class Meta:
        ordering = ["username"]
        verbose_name = _("账号")

    def __str__(self) -> str:
        return self.person.name if self.person_id and self.person else self.display_name or self.username

    @cached_property
    def active_memberships(self) -> list[Membership]:
        """Everything this account may act as, with the bodies; one query per request."""
        return list(self.memberships.select_related("institution", "bureau__region").order_by("pk"))

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(m.role for m in self.active_memberships)

    def has_role(self, *roles: str) -> bool:
        return not self.roles.isdisjoint(roles)

    @property
    def institution(self) -> Institution | None:
        """The institution this account acts for, if any."""
        return next((m.institution for m in self.active_memberships if m.institution_id), None)

    @property
    def bureau(self) -> Bureau | None:
        """The bureau this account acts for, if any."""
        return next((m.bureau for m in self.active_memberships if m.bureau_id), None)


class Activation(models.Model):
    """The one code with which an account may set its first password; only a keyed hash of it is kept."""

    user = models.OneToOneField(User, models.CASCADE, related_name="activation")
    code_hash = models.BinaryField(max_length=32, editable=False)
    issued_at = models.DateTimeField(_("发放时间"))
    valid_until = models.DateTimeField(_("有效期至"))

    class Meta:
        verbose_name = _("激活码")

    def __str__(self) -> str:
        return f"{self.user_id}"


class Membership(models.Model):
    """A role of an account, at an institution, at a bureau, or on the platform as such."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(_("角色"), max_length=12, choices=Role.choices)
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="memberships"
    )
    bureau = models.ForeignKey(Bureau, models.PROTECT, null=True, blank=True, related_name="memberships")

    class Meta:
        verbose_name = _("任职")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "institution", "bureau"],
                nulls_distinct=False,
                name="membership_once_per_body",
            ),
            models.CheckConstraint(
                name="membership_names_the_body_of_its_role",
                condition=Q(role__in=INSTITUTION_ROLES, institution__isnull=False, bureau__isnull=True)
                | Q(role__in=BUREAU_ROLES, institution__isnull=True, bureau__isnull=False)
                | Q(role__in=FREE_ROLES, institution__isnull=True, bureau__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.role}"
