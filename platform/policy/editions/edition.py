"""One dated edition of the rules: every number with its unit, citation and source document."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum, StrEnum
from fractions import Fraction
from typing import Any

from policy.editions.parameters import SPECS, UNIT_TEXTS, ParameterSpec, Shape, Unit
from policy.messages import Msgid, Translate, exact_text, fill, gettext_noop, untranslated
from policy.refusals import Refusal
from policy.terms import course_type_name

ParameterKey = tuple[str, str | None]
ParameterValue = int | Fraction | Decimal | str | tuple[int, ...] | tuple[Fraction, ...]


class Gap(Enum):
    """What stands where a number could stand."""

    UNSET = "unset"  # the norm leaves it open: the step that needs it is refused
    OFF = "off"  # the edition decides that the rule does not apply


_GAPS = {
    Gap.UNSET: gettext_noop("没有给出"),
    Gap.OFF: gettext_noop("不适用"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """How an ambiguous passage is understood, so that a result can say so."""

    parameter: str
    code: str
    text: Msgid

    def render(self, translate: Translate = untranslated) -> dict[str, str]:
        return {"parameter": self.parameter, "code": self.code, "text": fill(self.text, {}, translate)}


class SourceKind(StrEnum):
    """What stands behind a number."""

    NORM = "norm"
    LAW = "law"
    REFERRED = "referred"  # the norm refers to it (N4); what it says is not loaded yet
    READING = "reading"  # our reading, where the words leave room
    PRACTICE = "practice"
    PRESS = "press"
    TRIAL = "trial"
    OTHER = "other"

    @property
    def label(self) -> Msgid:
        return _SOURCE_KINDS[self]


_SOURCE_KINDS = {
    SourceKind.NORM: gettext_noop("规范原文"),
    SourceKind.LAW: gettext_noop("其他法规文件"),
    SourceKind.REFERRED: gettext_noop("规范指引的文件，尚未录入"),
    SourceKind.READING: gettext_noop("本平台采用的读法"),
    SourceKind.PRACTICE: gettext_noop("各地做法"),
    SourceKind.PRESS: gettext_noop("报道或转载"),
    SourceKind.TRIAL: gettext_noop("试用数"),
    SourceKind.OTHER: gettext_noop("其他"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """The document behind a number. `verified` only where somebody held the number against the document."""

    key: str
    title: str
    kind: SourceKind = SourceKind.OTHER
    document: str = ""
    issued_by: str = ""
    issued_on: date | None = None
    url: str = ""
    verified: bool = False

    def render(self, translate: Translate = untranslated) -> dict[str, Any]:
        return {
            "key": self.key,
            "title": self.title,
            "kind": self.kind.value,
            "kind_label": fill(self.kind.label, {}, translate),
            "document": self.document,
            "issued_by": self.issued_by,
            "issued_on": self.issued_on.isoformat() if self.issued_on else None,
            "url": self.url,
            "verified": self.verified,
        }


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value of an edition. `course_type` is set for values that differ between course types."""

    name: str
    course_type: str | None
    value: ParameterValue | Gap
    unit: Unit
    row: str
    citation: str
    document: Source
    foreign: bool = False  # of an edition that does not follow the norm: `row` is only the comparable demand

    @property
    def source(self) -> str:
        """The source document's title."""
        return self.document.title

    @property
    def key(self) -> str:
        """The name, unique within an edition: `standard_hours.GYB`."""
        return self.name if self.course_type is None else f"{self.name}.{self.course_type}"

    @property
    def reading(self) -> Reading | None:
        """The reading taken, for a parameter that chooses one."""
        if self.spec.shape is not Shape.READING or not isinstance(self.value, str):
            return None
        return Reading(self.name, self.value, self.spec.options[self.value])

    @property
    def spec(self) -> ParameterSpec:
        return SPECS[self.name]

    @property
    def label(self) -> Msgid:
        return self.spec.label

    def value_text(self, translate: Translate = untranslated) -> str:
        """Say the value with its unit: `60 %`, `5 个工作日`; for a reading, its sentence."""
        if isinstance(self.value, Gap):
            return fill(_GAPS[self.value], {}, translate)
        if self.reading is not None:
            return fill(self.reading.text, {}, translate)
        shown = self._json_value()
        numbers = [str(item) for item in shown] if isinstance(shown, list) else str(shown)
        return fill(UNIT_TEXTS[self.unit], {"n": numbers}, translate)

    @property
    def alternatives(self) -> tuple[Msgid, ...]:
        """The other ways in which this passage can be read; empty for a number."""
        return tuple(text for code, text in self.spec.options.items() if code != self.value)

    def render(self, translate: Translate = untranslated) -> dict[str, Any]:
        """Return the JSON form; `name` is unique within an edition, e.g. `standard_hours.GYB`."""
        return {
            "name": self.key,
            "label": fill(self.label, {}, translate),
            "course_type": self.course_type,
            "value": self._json_value(),
            "status": self.value.value if isinstance(self.value, Gap) else "set",
            "unit": self.unit.value,
            "row": self.row,
            "citation": self.citation,
            "source": self.source,
            "verified": self.document.verified,
        }

    def _json_value(self) -> Any:
        if isinstance(self.value, Gap):
            return None
        if self.spec.shape is Shape.SHARE and isinstance(self.value, Fraction):
            return _json_number(self.value * 100)
        if isinstance(self.value, tuple):
            factor = 100 if self.spec.shape is Shape.SHARES else 1
            return [_json_number(Fraction(item) * factor) for item in self.value]
        return self.value if isinstance(self.value, str) else _json_number(self.value)


def _json_number(number: int | Fraction | Decimal) -> int | str:
    if isinstance(number, Decimal):  # money keeps its cents
        return exact_text(number)
    return int(number) if Fraction(number).denominator == 1 else exact_text(number)


@dataclass(frozen=True, slots=True, eq=False)
class Edition:
    """A set of rules in force from a date. Values are asked for by name and never have a default."""

    id: str
    title: str
    issued_by: str
    effective_from: date
    demo: bool
    parameters: Mapping[ParameterKey, Parameter] = field(repr=False)
    effective_until: date | None = None
    note: str = ""
    legal_bases: tuple[str, ...] = ()
    follows_norm: bool = True

    def in_force(self, day: date) -> bool:
        """Whether a class starting on this day is judged by this edition (N5); both end days are included."""
        begun = self.effective_from <= day
        return begun and (self.effective_until is None or day <= self.effective_until)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The documents behind the numbers, each once, in the order of the numbers (N4)."""
        return tuple(dict.fromkeys(one.document for one in self.parameters.values()))

    def parameter(self, name: str, course_type: str | None = None) -> Parameter:
        """Return the parameter with its source, whether set or not.

        Raises:
            Refusal: `edition_unset` if the edition has no entry for this course type (A4).
            KeyError: for a name that no edition knows.
        """
        spec = SPECS[name]
        found = self.parameters.get((name, course_type if spec.by_course_type else None))
        if found is None:
            raise self._unset(spec, course_type, row="A4")
        return found

    def value(self, name: str, course_type: str | None = None) -> ParameterValue:
        """Return the value of a parameter: shares as exact Fractions, money as Decimal.

        Raises:
            Refusal: `edition_unset` if the edition leaves it open; the step that needs it stops here.
        """
        found = self.parameter(name, course_type)
        if isinstance(found.value, Gap):
            raise self._unset(
                found.spec, course_type, row=found.row, citation=found.citation if found.foreign else ""
            )
        return found.value

    def is_set(self, name: str, course_type: str | None = None) -> bool:
        """Whether `value` would answer: neither unset nor switched off."""
        spec = SPECS[name]
        found = self.parameters.get((name, course_type if spec.by_course_type else None))
        return found is not None and not isinstance(found.value, Gap)

    def is_off(self, name: str) -> bool:
        """Whether the edition says that this rule does not apply."""
        return self.parameter(name).value is Gap.OFF

    def whole(self, name: str, course_type: str | None = None) -> int:
        """Return a whole number in the parameter's own unit; see `seconds` for durations."""
        value = self.value(name, course_type)
        if not isinstance(value, int):
            raise TypeError(f"{name} is not a whole number")
        return value

    def number(self, name: str, course_type: str | None = None) -> Fraction:
        """Return an exact number or share (0.8 for 80 %)."""
        value = self.value(name, course_type)
        if not isinstance(value, int | Fraction):
            raise TypeError(f"{name} is not a number")
        return Fraction(value)

    def money(self, name: str, course_type: str | None = None) -> Decimal:
        """Return an amount in yuan."""
        value = self.value(name, course_type)
        if not isinstance(value, Decimal):
            raise TypeError(f"{name} is not an amount of money")
        return value

    def wholes(self, name: str) -> tuple[int, ...]:
        """Return a list of whole numbers, such as the months of follow-up visits."""
        value = self.value(name)
        if not isinstance(value, tuple):
            raise TypeError(f"{name} is not a list")
        return tuple(int(item) for item in value)

    def shares(self, name: str) -> tuple[Fraction, ...]:
        """Return shares that add up to one, such as the parts in which a subsidy is paid."""
        value = self.value(name)
        if not isinstance(value, tuple):
            raise TypeError(f"{name} is not a list")
        return tuple(Fraction(item) for item in value)

    def seconds(self, name: str) -> int:
        """Return a duration in seconds, whichever unit the edition states it in."""
        unit = self.parameter(name).unit
        return self.whole(name) * _SECONDS[unit]

    def reading(self, name: str) -> Reading:
        """Return how the edition reads an ambiguous passage."""
        value = self.value(name)
        if not isinstance(value, str):
            raise TypeError(f"{name} is not a reading")
        return Reading(parameter=name, code=value, text=SPECS[name].options[value])

    @property
    def lesson_hour_seconds(self) -> int:
        """The length of one lesson hour (课时) in seconds (P9)."""
        return self.seconds("lesson_hour")

    @property
    def course_types(self) -> tuple[str, ...]:
        """Course types for which the edition names standard hours, set or not."""
        return tuple(kind for name, kind in self.parameters if name == "standard_hours" and kind)

    def unset(self) -> tuple[Parameter, ...]:
        """Everything this edition leaves open, in file order."""
        return tuple(one for one in self.parameters.values() if one.value is Gap.UNSET)

    def render(self, translate: Translate = untranslated) -> dict[str, Any]:
        """Return the JSON form that the API lists."""
        return {
            "id": self.id,
            "title": self.title,
            "issued_by": self.issued_by,
            "effective_from": self.effective_from.isoformat(),
            "effective_until": self.effective_until.isoformat() if self.effective_until else None,
            "demo": self.demo,
            "note": self.note,
            "follows_norm": self.follows_norm,
            "legal_bases": list(self.legal_bases),
            "sources": [source.render(translate) for source in self.sources],
            "parameters": [one.render(translate) for one in self.parameters.values()],
        }

    def _unset(
        self, spec: ParameterSpec, course_type: str | None, *, row: str, citation: str = ""
    ) -> Refusal:
        params: dict[str, object] = {"edition": self.title, "parameter": spec.label}
        if spec.by_course_type and course_type is not None:
            message = gettext_noop(
                "政策版本《%(edition)s》没有给出%(course_type)s的“%(parameter)s”，这一步不能继续。"
            )
            params["course_type"] = course_type_name(course_type)
        else:
            message = gettext_noop("政策版本《%(edition)s》没有给出“%(parameter)s”，这一步不能继续。")
        return Refusal(
            "edition_unset",
            message,
            found=False,
            required=spec.label,
            rule=row,
            citation=citation,
            next_step=gettext_noop("请联系人力资源社会保障部门，补录“%(parameter)s”和它的依据文件。"),
            params=params,
            details={"edition": self.id, "parameter": spec.name, "course_type": course_type},
        )


_SECONDS: Mapping[Unit, int] = {Unit.SECONDS: 1, Unit.MINUTES: 60}
