"""The kinds of evidence, each registered by the app that owns it, with its facts and its sentence.

    # classes/apps.py
    def ready(self) -> None:
        kinds.register(
            Kind(
                "filing.submitted",
                sentence=_("提交开班备案：{lessons} 个课次，名单 {trainees} 人"),
                schema={"filing": int, "lessons": int, "trainees": int, "package": Digest},
            )
        )

A schema names every fact and its type: `str`, `int`, `bool`, `Decimal`, `date`, `datetime`, an enum of
strings, `Digest` (SHA-256 of a file), `Commitment` (personal data, see `audit.commitments`), `list[...]`,
`dict[str, ...]`, plain `list` or `dict` for free JSON, and `... | None` for a fact that may be absent.
There are no floats in evidence: measure in whole seconds, or use Decimal. A string with an ID number or a
mobile number in it is refused.
"""

import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from string import Formatter
from typing import Any, TypeAlias, Union, get_args, get_origin

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from audit.canonical import JSON, canonical, moment
from audit.personal_data import holds_personal_data
from policy.refusals import Refusal

Fact: TypeAlias = (
    bool
    | int
    | str
    | Decimal
    | date
    | Enum
    | Sequence["Fact"]
    | Mapping[str, "Fact"]
    | None  # datetime is a date
)
Sentence: TypeAlias = "str | Promise | Callable[[Mapping[str, Any]], str]"

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_FIELD = re.compile(r"[a-z][a-z0-9_]*")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SAFE_INTEGER = 2**53 - 1
MAX_FACTS_BYTES = 64 * 1024


class Digest(str):
    """Schema type: SHA-256 of a file or a document, 64 hexadecimal digits."""

    __slots__ = ()


class Commitment(str):
    """Schema type: a salted commitment to personal data, as `audit.commit` makes it."""

    __slots__ = ()


class UnknownKind(LookupError):
    """A kind that no app registered."""


class FactsRefused(ValueError):
    """Facts that do not match the schema of their kind: an error of the caller's code."""


@dataclass(frozen=True)
class Kind:
    """One kind of evidence: its dotted name, the sentence people read, and the facts it holds.

    The sentence is a translatable string with `{fact}` places, or a function of the decoded facts. `words`
    says facts that are kept as codes (an edition's id, a page's address) as people know them.
    """

    name: str
    sentence: Sentence
    schema: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not a dotted kind such as filing.submitted")
        for name, expected in self.schema.items():
            if not _FIELD.fullmatch(name):
                raise ValueError(f"{self.name}: {name!r} is not a name for a fact")
            _known(self.name, name, expected)

    @property
    def commitments(self) -> frozenset[str]:
        """The facts that are commitments to personal data."""
        return frozenset(
            name
            for name, expected in self.schema.items()
            if any(arm is Commitment for arm in _arms(expected))
        )

    def encode(self, facts: Mapping[str, Fact]) -> dict[str, JSON]:
        """Check facts against the schema and write them as JSON.

        A fact declared `| None` may be left out and is then null. Raises FactsRefused, and Refusal
        personal_data_in_evidence for text (a reason somebody typed) with an ID or mobile number in it.
        """
        unknown = facts.keys() - self.schema.keys()
        if unknown:
            raise FactsRefused(f"{self.name} has no fact {', '.join(sorted(map(str, unknown)))}")
        encoded = {}
        for name, expected in self.schema.items():
            if name not in facts and type(None) not in _arms(expected):
                raise FactsRefused(f"{self.name} needs the fact {name}")
            encoded[name] = _encode(expected, facts.get(name), f"{self.name}.{name}")
        if (size := len(canonical(encoded))) > MAX_FACTS_BYTES:
            raise FactsRefused(
                f"{self.name}: {size} bytes of facts; keep the digest of a large thing instead"
            )
        return encoded

    def decode(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Read stored facts back as dates, moments and decimals. Those of an older schema stay as is."""
        return {
            name: _decode(self.schema[name], value) if name in self.schema else value
            for name, value in facts.items()
        }

    def render(self, facts: Mapping[str, Any]) -> str:
        """The sentence for stored facts, in the active language. A fact that is not there reads as a dash."""
        decoded = self.decode(facts)
        if callable(self.sentence):
            return self.sentence(decoded)
        readable = _Readable(
            {
                name: self.words[name](value)
                if name in self.words and value is not None
                else _readable(value)
                for name, value in decoded.items()
            }
        )
        return str(self.sentence).format_map(readable)

    def strangers(self) -> set[str]:
        """Places in the sentence, in the active language, that name no fact."""
        if callable(self.sentence):
            return set()
        places = {
            place for _text, place, _spec, _how in Formatter().parse(str(self.sentence)) if place is not None
        }
        return places - self.schema.keys()


_registry: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Make kinds known; call it from `AppConfig.ready()`.

    Registering the same definition again changes nothing; another definition under a taken name raises
    ValueError.
    """
    for kind in kinds:
        taken = _registry.setdefault(kind.name, kind)
        if taken is not kind and taken != kind:
            raise ValueError(f"evidence kind {kind.name} is already registered with another definition")


def get(name: str) -> Kind:
    """The kind of this name. Raises UnknownKind."""
    try:
        return _registry[name]
    except KeyError:
        raise UnknownKind(f"no app has registered the evidence kind {name!r}") from None


def find(name: str) -> Kind | None:
    """The kind of this name, or None where its app is gone."""
    return _registry.get(name)


def registered() -> Iterable[Kind]:
    """All kinds, by name."""
    return [_registry[name] for name in sorted(_registry)]


class _Readable(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "—"


def _arms(expected: Any) -> tuple[Any, ...]:
    """The members of a union, or the one type itself."""
    if isinstance(expected, types.UnionType) or get_origin(expected) is Union:
        return get_args(expected)
    return (expected,)


_PLAIN = (type(None), str, int, bool, Decimal, date, datetime, Digest, Commitment, list, dict)


def _known(kind: str, name: str, expected: Any) -> None:
    for arm in _arms(expected):
        if arm in _PLAIN or (isinstance(arm, type) and issubclass(arm, str) and issubclass(arm, Enum)):
            continue
        if get_origin(arm) is list:
            _known(kind, name, get_args(arm)[0])
        elif get_origin(arm) is dict and get_args(arm)[0] is str:
            _known(kind, name, get_args(arm)[1])
        else:
            raise ValueError(f"{kind}: {name} cannot be a {arm!r}")


def _encode(expected: Any, value: Any, place: str) -> JSON:
    arms = _arms(expected)
    if len(arms) > 1:
        if value is None and type(None) in arms:
            return None
        refused: FactsRefused | None = None
        for arm in arms:
            try:
                return _encode(arm, value, place)
            except FactsRefused as error:
                refused = error
        raise FactsRefused(f"{place}: {type(value).__name__} is none of the types it may be") from refused
    return _encode_one(expected, value, place)


def _encode_one(expected: Any, value: Any, place: str) -> JSON:
    match expected:
        case _ if get_origin(expected) is list and isinstance(value, list | tuple):
            return [_encode(get_args(expected)[0], item, f"{place}[{n}]") for n, item in enumerate(value)]
        case _ if get_origin(expected) is dict and isinstance(value, Mapping):
            inner = get_args(expected)[1]
            return {_text(key, place): _encode(inner, item, f"{place}.{key}") for key, item in value.items()}
        case _ if expected is type(None) and value is None:
            return None
        case _ if expected is bool and isinstance(value, bool):
            return value
        case _ if expected is int and isinstance(value, int) and not isinstance(value, bool):
            return _integer(value, place)
        case _ if expected is Decimal and isinstance(value, Decimal) and value.is_finite():
            return format(value, "f")
        case _ if expected is datetime and isinstance(value, datetime) and timezone.is_aware(value):
            return moment(value)
        case _ if expected is date and isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()
        case _ if expected in (Digest, Commitment) and isinstance(value, str) and _DIGEST.fullmatch(value):
            return str(value)
        case _ if expected is str and isinstance(value, str):
            return _text(value, place)
        case _ if (expected is list and isinstance(value, list | tuple)) or (
            expected is dict and isinstance(value, Mapping)
        ):
            return _free(value, place)
        case _ if isinstance(expected, type) and issubclass(expected, Enum) and isinstance(value, str):
            try:
                return str(expected(value).value)
            except ValueError:
                raise FactsRefused(f"{place}: {value!r} is not one of {expected.__name__}") from None
    wanted = getattr(expected, "__name__", expected)
    raise FactsRefused(f"{place} must be {wanted}, not {type(value).__name__}")


def _integer(value: int, place: str) -> int:
    if abs(value) > _SAFE_INTEGER:
        raise FactsRefused(f"{place}: {value} is beyond what JSON holds exactly; write it as a string")
    return int(value)


def _text(value: Any, place: str) -> str:
    if isinstance(value, Enum):
        value = value.value
    if not isinstance(value, str):
        raise FactsRefused(f"{place}: {type(value).__name__} where a string must be")
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise FactsRefused(f"{place}: a string with a NUL or half a character cannot be stored")
    if holds_personal_data(value):
        raise Refusal(
            "personal_data_in_evidence",
            gettext_noop("文字中有身份证号码或手机号码，留痕不保存这类内容。"),
            found=place,
            required=gettext_noop("不含身份证号码和手机号码的文字"),
            next_step=gettext_noop("请删去号码后再提交。"),
            status=400,
            details={"fact": place},
        )
    return str(value)


def _free(value: Any, place: str) -> JSON:
    """Free JSON inside a `list` or `dict`: everything but floats."""
    match value:
        case None | bool():
            return value
        case int():
            return _integer(value, place)
        case str():
            return _text(value, place)
        case list() | tuple():
            return [_free(item, f"{place}[{n}]") for n, item in enumerate(value)]
        case Mapping():
            return {_text(key, place): _free(item, f"{place}.{key}") for key, item in value.items()}
    raise FactsRefused(f"{place}: {type(value).__name__} cannot enter evidence as it is")


def _decode(expected: Any, value: Any) -> Any:
    arms = _arms(expected)
    if isinstance(value, str):
        for arm in arms:
            try:
                if arm is Decimal:
                    return Decimal(value)
                if arm is datetime:
                    return datetime.fromisoformat(value)
                if arm is date:
                    return date.fromisoformat(value)
                if isinstance(arm, type) and issubclass(arm, Enum):
                    return arm(value)
            except (ValueError, ArithmeticError):
                continue
    if isinstance(value, list):
        for arm in arms:
            if get_origin(arm) is list:
                return [_decode(get_args(arm)[0], item) for item in value]
    return value


def _readable(value: Any) -> str:
    match value:
        case None:
            return "—"
        case bool():
            return _("是") if value else _("否")
        case datetime():
            local = timezone.localtime(value)
            return f"{formats.date_format(local.date())} {local:%H:%M:%S}"
        case date():
            return formats.date_format(value)
        case Decimal():
            return f"{value:,f}"
        case Enum():
            # The terms of the norm bring their label untranslated.
            return _(str(getattr(value, "label", value.value)))
        case list():
            return _("、").join(_readable(item) for item in value)
    return str(value)
