"""The dated texts to which people consent: data files, one per version, never edited once published.

A text names its processor, as the law wants, so what a person saw is the file plus the name and contact of
that day. `ConsentText.rendered(processor)` is that text word for word, and `sha256(processor)` is what is
kept with a consent.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib import resources

import yaml
from django.conf import settings

from identity.states import ConsentPurpose
from policy.messages import gettext_noop
from policy.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Processor:
    """Who processes the data, and how to reach them (Measures art. 5, item 1)."""

    operator: str
    contact: str


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class ConsentText:
    version: str
    purpose: str
    effective_from: date
    citation: str
    title: str
    sections: tuple[Section, ...]
    template_lifetime: timedelta
    doubtful_frame_lifetime: timedelta
    waiting_frame_lifetime: timedelta

    def filled(self, processor: Processor) -> list[Section]:
        """The sections as shown, with the processor's name and contact."""
        return [
            Section(s.title, s.body.format(operator=processor.operator, contact=processor.contact))
            for s in self.sections
        ]

    def rendered(self, processor: Processor) -> str:
        """The whole text as one string, exactly as it is hashed."""
        parts = [self.title, *(f"{s.title}\n{s.body}" for s in self.filled(processor)), self.citation]
        return "\n\n".join(parts)

    def sha256(self, processor: Processor) -> str:
        return hashlib.sha256(self.rendered(processor).encode()).hexdigest()


def current_text(purpose: ConsentPurpose, *, on: date) -> ConsentText:
    """Return the newest text of a purpose that is in force on `on`, a legal day."""
    in_force = [t for t in _texts().values() if t.purpose == purpose and t.effective_from <= on]
    return max(in_force, key=lambda text: text.effective_from)


def text(version: str) -> ConsentText:
    """Return a published text by its version; raises KeyError for an unknown one."""
    return _texts()[version]


def processor() -> Processor:
    """Return who processes people's data here; raises Refusal `operator_unset` when nobody has said."""
    if not settings.OPERATOR_NAME or not settings.OPERATOR_CONTACT:
        raise Refusal(
            "operator_unset",
            gettext_noop("平台还没有写明运营单位和联系方式，不能请人同意使用人脸。"),
            found=False,
            required=True,
            rule="P14",
            citation=gettext_noop("《人脸识别技术应用安全管理办法》第五条"),
            next_step=gettext_noop("请联系平台运营人员补上。现在可以用验证码签到，学时一样算。"),
        )
    return Processor(settings.OPERATOR_NAME, settings.OPERATOR_CONTACT)


@lru_cache(maxsize=1)
def _texts() -> dict[str, ConsentText]:
    files = [f for f in resources.files(__name__).iterdir() if f.name.endswith(".yaml")]
    loaded = [_load(f.read_text(encoding="utf-8")) for f in files]
    return {text.version: text for text in loaded}


def _load(source: str) -> ConsentText:
    data = yaml.safe_load(source)
    retention = data["retention"]
    return ConsentText(
        version=data["version"],
        purpose=ConsentPurpose(data["purpose"]),
        effective_from=data["effective_from"],
        citation=data["citation"],
        title=data["title"],
        sections=tuple(Section(s["title"], s["body"]) for s in data["sections"]),
        template_lifetime=timedelta(days=retention["template_days"]),
        doubtful_frame_lifetime=timedelta(days=retention["doubtful_frame_days"]),
        waiting_frame_lifetime=timedelta(minutes=retention["waiting_frame_minutes"]),
    )
