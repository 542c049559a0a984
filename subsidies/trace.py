"""From a yuan to a second: a claim line opened down to its evidence, every rung addressable.

amount → line → share by kind → lessons → intervals → entries of the evidence log. Everything below the line
is computed afresh from the presence ledger; whether that still gives the frozen verdict is on the page too.
"""

from __future__ import annotations

import bisect
import datetime
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.editions import edition
from attendance.models import MICROSECONDS
from attendance.queries import TraineeCredit, credit_of
from attendance.states import CheckKind, SignInMethod, SignInState
from attendance.trace import Fate, LessonTrace, Reason, Stretch
from attendance.trace import trace as attendance_trace
from audit import kinds
from audit.models import Entry, Root, Span
from audit.queries import entries_of_chain
from audit.reconciliation import Difference, differences_about
from audit.verification import verify_chain
from classes.live.states import Closing
from classes.models import Lesson
from policy.citations import citation_of
from policy.messages import exact_text
from policy.terms import CreditKind, HourKind
from policy.words import whole_number
from subsidies.models import ClaimLine

TALK = ("room.message_posted", "room.hand_raised")
CITES = {"rate": "F17", "line": "Q4", "share": "M8"}
HELD = ("lesson.opened", "lesson.closed")
HANDED_IN = ("exam.started", "exam.submitted", "coursework.submitted")
# Lengths between the figures under a ribbon, in seconds; the first that leaves few enough is taken.
TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
TICKS_AT_MOST = 7


def exact_seconds(microseconds: int) -> str:
    """Exact seconds for a sum that must come out: 9,080 or 9,079.998."""
    whole, rest = divmod(microseconds, MICROSECONDS)
    return f"{whole:,}" + (f".{rest:06d}".rstrip("0") if rest else "")


@dataclass(frozen=True, slots=True)
class TracedKind:
    """Credited time of one kind of hours."""

    kind: CreditKind
    microseconds: int

    @property
    def label(self) -> str:
        return _(self.kind.label)

    @property
    def exact(self) -> str:
        return exact_seconds(self.microseconds)


@dataclass(frozen=True, slots=True)
class TracedInterval:
    """A stretch of credited time; the numbers of a lesson's intervals count from 1."""

    number: int
    since: datetime.datetime
    until: datetime.datetime
    microseconds: int

    @property
    def seconds(self) -> int:
        """Whole seconds, cut."""
        return self.microseconds // MICROSECONDS

    @property
    def exact(self) -> str:
        return exact_seconds(self.microseconds)


@dataclass(frozen=True, slots=True)
class Loss:
    """A stretch of the planned time that earned nothing, and why."""

    since: datetime.datetime
    until: datetime.datetime
    microseconds: int
    fate: Fate
    reason: Reason
    words: str

    @property
    def kind(self) -> str:
        return "unproven" if self.fate is Fate.UNPROVEN else "absent"

    @property
    def exact(self) -> str:
        return exact_seconds(self.microseconds)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the ribbon."""

    kind: str
    starts_at: datetime.datetime
    ends_at: datetime.datetime
    is_picked: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a moment, above the ribbon."""

    icon: str
    tone: str
    words: str
    at: datetime.datetime
    place: Fraction


@dataclass(frozen=True, slots=True)
class Tick:
    """A time of day under the ribbon."""

    text: str
    place: Fraction
    is_minor: bool  # left out where there is little room


@dataclass(frozen=True)
class TracedLesson:
    """One lesson on the way from a line to its seconds, with the interval that is looked at, if any."""

    trace: LessonTrace
    name: str
    picked: TracedInterval | None = None

    @property
    def lesson(self) -> Lesson:
        return self.trace.lesson

    @property
    def kind(self) -> HourKind:
        return HourKind(self.trace.lesson.kind)

    @property
    def microseconds(self) -> int:
        return self.trace.microseconds

    @property
    def seconds(self) -> int:
        """Whole seconds, cut."""
        return self.trace.microseconds // MICROSECONDS

    @property
    def exact(self) -> str:
        return exact_seconds(self.trace.microseconds)

    @property
    def worth(self) -> int:
        return self.trace.worth

    @property
    def worth_exact(self) -> str:
        return exact_seconds(self.trace.worth)

    @property
    def share(self) -> Fraction:
        return Fraction(self.trace.microseconds, self.trace.worth)

    @property
    def bar(self) -> list[tuple[str, int]]:
        return [(self.trace.lesson.kind, self.trace.microseconds)]

    @property
    def has_unproven(self) -> bool:
        return any(loss.fate is Fate.UNPROVEN for loss in self.losses)

    @property
    def by_presence(self) -> bool:
        return self.trace.by_presence

    @cached_property
    def intervals(self) -> tuple[TracedInterval, ...]:
        return tuple(
            TracedInterval(number, stretch.starts_at, stretch.ends_at, stretch.microseconds)
            for number, stretch in enumerate(self.trace.credited, start=1)
        )

    @cached_property
    def losses(self) -> tuple[Loss, ...]:
        return tuple(
            Loss(piece.starts_at, piece.ends_at, piece.microseconds, piece.fate, piece.reason, _why(piece))
            for piece in self.trace.stretches
            if piece.fate is not Fate.CREDITED
        )

    @property
    def seen_microseconds(self) -> int:
        return sum(interval.microseconds for interval in self.intervals)

    @property
    def capped(self) -> str:
        """Exact seconds that the intervals hold beyond what the lesson is worth; nothing is paid for them."""
        over = self.seen_microseconds - self.trace.microseconds if self.by_presence else 0
        return exact_seconds(over) if over > 0 else ""

    def pick(self, number: int | None) -> TracedLesson:
        """The same lesson with one interval picked; none for a number that is not there."""
        return replace(self, picked=next((one for one in self.intervals if one.number == number), None))

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        return tuple(
            Piece(
                stretch.kind,
                stretch.starts_at,
                stretch.ends_at,
                self.picked is not None and stretch.starts_at == self.picked.since,
            )
            for stretch in self.trace.stretches
            if stretch.kind != "absent"
        )

    @cached_property
    def sentence(self) -> str:
        """The ribbon in words, for those who cannot see it."""
        return _("；").join(
            _("%(since)s 至 %(until)s %(what)s")
            % {
                "since": _clock(stretch.starts_at),
                "until": _clock(stretch.ends_at),
                "what": _("已计入") if stretch.fate is Fate.CREDITED else _why(stretch),
            }
            for stretch in self.trace.stretches
        )

    @cached_property
    def ticks(self) -> tuple[Tick, ...]:
        since, until = self.lesson.starts_at, self.lesson.ends_at
        length = (until - since).total_seconds()
        step = next((step for step in TICKS if length / step < TICKS_AT_MOST), TICKS[-1])
        form = "%H:%M" if step >= 60 else "%H:%M:%S"
        moments = [
            since + datetime.timedelta(seconds=n * step)
            for n in range(int(length // step) + 1)
            if n == 0 or length - n * step >= step / 2
        ]
        return tuple(
            Tick(
                timezone.localtime(moment).strftime(form),
                self._place(moment),
                is_minor=moment != until and n % 2 == 1,
            )
            for n, moment in enumerate((*moments, until))
        )

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """Sign-ins, broken and restored lines, checks and sign-outs within the lesson's time, in order."""
        found = sorted(self._happenings(), key=lambda happening: happening[0])
        return tuple(
            Mark(icon, tone, words, at, self._place(at))
            for at, icon, tone, words in found
            if self.lesson.starts_at <= at <= self.lesson.ends_at
        )

    @property
    def key(self) -> list[Mark]:
        """Each kind of mark once, in the order of its first appearance."""
        return list({mark.words: mark for mark in reversed(self.marks)}.values())[::-1]

    def _happenings(self) -> Iterator[tuple[datetime.datetime, str, str, str]]:
        for sign_in in self.trace.sign_ins:
            if sign_in.state != SignInState.ACCEPTED:
                continue
            by_face = sign_in.method == SignInMethod.FACE
            # Who signed in before the lesson shows at its beginning.
            at = max(sign_in.requested_at, self.lesson.starts_at)
            yield at, "face-id" if by_face else "message-code", "t-ok", str(sign_in.get_method_display())
            if sign_in.signed_out_at:
                yield min(sign_in.signed_out_at, self.lesson.ends_at), "logout", "t-ok", _("签退")
        for n, presence in enumerate(self.trace.presence):
            if n:
                yield presence.during.lower, "wifi", "t-ok", _("重连")
            if presence.closing == Closing.SILENT:
                yield presence.during.upper, "wifi-off", "t-stop", _("断线")
        for check in self.trace.checks:
            roll_call = check.kind == CheckKind.ROLL_CALL
            icon = "hand-stop" if roll_call else "help-square-rounded"
            if check.answered_at:
                yield check.answered_at, icon, "t-ok", _("点名应答") if roll_call else _("答题")
            elif check.closed_at:
                yield check.due_at, icon, "t-stop", _("点名未答") if roll_call else _("没有答题")

    def _place(self, moment: datetime.datetime) -> Fraction:
        """Where a moment lies between the lesson's beginning (0) and its end (1)."""
        microsecond = datetime.timedelta(microseconds=1)
        return Fraction(
            (moment - self.lesson.starts_at) // microsecond,
            (self.lesson.ends_at - self.lesson.starts_at) // microsecond,
        )


@dataclass(frozen=True)
class Trace:
    """A claim line opened down to its intervals."""

    line: ClaimLine
    credit: TraineeCredit | None
    lessons: tuple[TracedLesson, ...]
    # Rows behind this line, or behind its whole claim, that the log does not bear out.
    differences: tuple[Difference, ...] = ()

    @property
    def credited_microseconds(self) -> int:
        """What comes out today."""
        return sum(lesson.microseconds for lesson in self.lessons)

    @property
    def is_same_as_verdict(self) -> bool:
        """Whether computing again gives what the frozen verdict says (M6)."""
        return (
            self.credit is not None
            and self.credit.credited_microseconds == self.line.verdict.credited_microseconds
            and self.credited_microseconds == self.line.verdict.credited_microseconds
        )

    @property
    def computed_exact(self) -> str:
        return exact_seconds(self.credited_microseconds)

    @property
    def credited_exact(self) -> str:
        return exact_seconds(self.line.verdict.credited_microseconds)

    @property
    def required_exact(self) -> str:
        return exact_seconds(self.line.verdict.required_microseconds)

    @cached_property
    def by_kind(self) -> list[TracedKind]:
        """The verdict's time by kind, without the kinds that brought nothing."""
        kinds_of = self.line.verdict.by_kind
        return [TracedKind(kind, kinds_of[kind]) for kind in CreditKind if kinds_of.get(kind)]

    @property
    def bar(self) -> list[tuple[CreditKind, int]]:
        return [(part.kind, part.microseconds) for part in self.by_kind]

    @property
    def kinds_sentence(self) -> str:
        """The bar in words."""
        return _("，").join(
            _("%(kind)s %(seconds)s 秒") % {"kind": part.label, "seconds": part.exact}
            for part in self.by_kind
        )

    @property
    def cites(self) -> dict[str, str]:
        """Where the norm says so, rung by rung."""
        return {rung: citation_of(row) for rung, row in CITES.items()}

    @property
    def pass_mark(self) -> str:
        return exact_text(edition(self.line.verdict.edition).number("exam_pass_mark"))

    @property
    def required_share(self) -> Fraction:
        """The share from which attendance passes (M8)."""
        return edition(self.line.verdict.edition).number("min_attendance_share")

    @property
    def score(self) -> str:
        """The exam's score out of 100, exactly."""
        return exact_text(self.line.certificate.attempt.hundredths)

    @property
    def columns(self) -> int:
        """How many lessons stand side by side: at most seven, the rows as even as they get."""
        rows = math.ceil(len(self.lessons) / 7) or 1
        return math.ceil(len(self.lessons) / rows) or 1

    @property
    def hours(self) -> str:
        """All online lesson hours of the class."""
        return exact_text(sum((Fraction(one.lesson.hours) for one in self.lessons), start=Fraction(0)))

    def lesson(self, pk: int) -> TracedLesson | None:
        return next((traced for traced in self.lessons if traced.lesson.pk == pk), None)

    def choose(self, lesson: str | None, interval: str | None) -> TracedLesson | None:
        """What an address points at: `?lesson=40&interval=2`. Whatever else it says, the first lesson that
        brought time, whole."""
        wanted = self.lesson(whole_number(lesson) or 0)
        if wanted is not None:
            return wanted.pick(whole_number(interval) or 0)
        return next((one for one in self.lessons if one.microseconds), next(iter(self.lessons), None))


def trace_of(line: ClaimLine, *, using: str = DEFAULT_DB_ALIAS) -> Trace:
    """Open a line down to the seconds, computed afresh from the presence ledger. Twenty-one queries."""
    traced = attendance_trace(line.enrolment, using=using)
    return Trace(
        line=line,
        credit=credit_of(line.enrolment, using=using),
        lessons=tuple(
            TracedLesson(trace=one, name=name) for one, name in zip(traced, _names(traced), strict=True)
        ),
        differences=tuple(
            differences_about(line.claim.training_class.subject, line.enrolment_id, using=using)
        ),
    )


def _names(traced: Sequence[LessonTrace]) -> Iterator[str]:
    """第 1 课, 第 2 课, 辅导, …: live lessons count through, other kinds only where there are several."""
    of_kind = [one.lesson.kind for one in traced]
    for n, kind in enumerate(of_kind):
        number = of_kind[: n + 1].count(kind)
        if kind == HourKind.LIVE:
            yield _("第 %(n)s 课") % {"n": number}
        else:
            label = _(HourKind(kind).label)
            yield f"{label} {number}" if of_kind.count(kind) > 1 else label


def _why(stretch: Stretch) -> str:
    """Why a stretch earned nothing, as an office reads it."""
    match stretch.reason:
        case Reason.CHECK_MISSED:
            missed = {check.kind for check in stretch.missed}
            return _("没有答题，未证实") if missed == {CheckKind.QUESTION} else _("点名没有应答，未证实")
        case Reason.NOT_SIGNED_IN:
            return _("在课堂，还没有签到")
        case Reason.SIGN_IN_WAITS:
            return _("在课堂，签到没有确认")
        case Reason.SIGNED_OUT:
            return _("已签退")
        case Reason.NOT_SEEN_AT_ALL:
            return _("这节课没有信号")
        case Reason.CAME_LATE:
            return _("还没有进课堂")
        case Reason.LINE_LOST:
            return _("断线")
        case Reason.LEFT:
            return _("离开课堂")
        case Reason.CHANGED_DEVICE:
            return _("换设备")
        case Reason.LESSON_ENDED:
            return _("已下课")
    return ""


def _clock(moment: datetime.datetime) -> str:
    return timezone.localtime(moment).strftime("%H:%M:%S")


# --- evidence ---


@dataclass(frozen=True, slots=True)
class TracedEntry:
    """One entry, whether it and everything before it in its chain verifies, and the root that seals it."""

    entry: Entry
    verified: bool
    root: Root | None

    @property
    def previous(self) -> int:
        return self.entry.seq - 1


@dataclass(frozen=True, slots=True)
class TracedEvidence:
    """The entries behind a trainee's lesson or one interval of it, with the class's whole chain verified."""

    entries: tuple[TracedEntry, ...]
    talk: tuple[TracedEntry, ...]
    verified: bool
    faults: tuple[str, ...]
    chain_length: int

    @property
    def count(self) -> int:
        return len(self.entries) + len(self.talk)

    @property
    def all(self) -> tuple[TracedEntry, ...]:
        return tuple(sorted((*self.entries, *self.talk), key=lambda one: one.entry.seq))

    @property
    def root(self) -> Root | None:
        """The newest signed root over these entries."""
        return max((one.root for one in self.all if one.root), key=lambda root: root.number, default=None)

    @property
    def unsealed(self) -> int:
        """How many of them no root covers yet."""
        return sum(one.root is None for one in self.all)


def evidence_of(line: ClaimLine, traced: TracedLesson, *, using: str = DEFAULT_DB_ALIAS) -> TracedEvidence:
    """What is on record about this trainee in this lesson, or in its picked interval, verified now."""
    return EvidenceOfLine(line, using=using).of(traced)


class EvidenceOfLine:
    """The evidence of one claim line; the chain is verified once, whatever the number of lessons."""

    def __init__(self, line: ClaimLine, *, using: str = DEFAULT_DB_ALIAS) -> None:
        self._line, self._using = line, using
        self._chain = line.claim.training_class.subject

    @cached_property
    def _found(self) -> tuple[bool, tuple[str, ...], int, int]:
        found = verify_chain(self._chain, using=self._using)
        broken = [fault.seq for fault in found.faults if fault.chain == self._chain and fault.seq]
        # A root that does not hold makes everything it seals doubtful, hence the whole chain.
        roots_hold = not any(fault.root for fault in found.faults)
        good_until = (min(broken) - 1 if broken else found.entries) if roots_hold else 0
        return (
            found.passed,
            tuple(
                _("%(place)s：%(meaning)s") % {"place": f.place, "meaning": f.meaning} for f in found.faults
            ),
            good_until,
            found.entries,
        )

    def of(self, traced: TracedLesson) -> TracedEvidence:
        """The evidence of a lesson, or of its picked interval."""
        return self._dressed(
            [entry for entry in self._entries(traced) if traced.picked is None or _touches(entry, traced)]
        )

    def numbers(self, traced: TracedLesson) -> dict[int, list[int]]:
        """For each interval of a lesson, the numbers of the entries that tell of it."""
        entries = self._entries(traced)
        return {
            interval.number: [entry.seq for entry in entries if _touches(entry, traced.pick(interval.number))]
            for interval in traced.intervals
        }

    def _entries(self, traced: TracedLesson) -> list[Entry]:
        """What tells of this person in this lesson, and of the checks they were asked in."""
        subject, lesson = traced.trace.subject, traced.lesson
        checks = {check.check_id for check in traced.trace.checks}
        found = []
        for entry in self._told:
            if entry.subject == lesson.subject:
                tells = traced.by_presence and (entry.kind in HELD or entry.facts.get("check") in checks)
            elif entry.kind in HANDED_IN:
                tells = traced.trace.by_handing_in and _handed_in_for(entry, lesson)
            else:
                tells = f"{entry.subject}/".startswith(f"{subject}/")
            if tells:
                found.append(entry)
        return found

    @cached_property
    def _told(self) -> list[Entry]:
        """All that tells of this person in any lesson, of the lessons and of what was handed in."""
        enrolment, lesson = self._line.enrolment, rf"^{self._chain}/lesson/[0-9]+"
        return list(
            entries_of_chain(self._chain, using=self._using).filter(
                Q(subject__regex=rf"{lesson}/person/{enrolment.person_id}(/|$)")
                | Q(subject__regex=rf"{lesson}$", kind__in=HELD)
                | Q(subject__regex=rf"{lesson}$", kind__startswith="attendance.check_")
                | Q(subject=enrolment.subject, kind__in=HANDED_IN)
            )
        )

    def _dressed(self, entries: Sequence[Entry]) -> TracedEvidence:
        passed, faults, good_until, length = self._found
        dressed = [
            TracedEntry(entry, entry.seq <= good_until, self._root_over(entry.seq)) for entry in entries
        ]
        return TracedEvidence(
            entries=tuple(one for one in dressed if one.entry.kind not in TALK),
            talk=tuple(one for one in dressed if one.entry.kind in TALK),
            verified=passed,
            faults=faults,
            chain_length=length,
        )

    def _root_over(self, seq: int) -> Root | None:
        place = bisect.bisect_left(self._spans, seq, key=lambda span: span.last_seq)
        span = self._spans[place] if place < len(self._spans) else None
        return span.root if span and span.first_seq <= seq else None

    @cached_property
    def _spans(self) -> list[Span]:
        spans = Span.objects.using(self._using).filter(chain=self._chain)
        return list(spans.select_related("root").order_by("last_seq"))


def _handed_in_for(entry: Entry, lesson: Lesson) -> bool:
    if entry.kind == "coursework.submitted":
        return bool(entry.facts.get("lesson") == lesson.pk)
    return lesson.kind == HourKind.EXAM


def _touches(entry: Entry, traced: TracedLesson) -> bool:
    """Whether an entry tells of the picked interval: it happened within it, or made it begin or end."""
    picked = traced.picked
    assert picked is not None
    kind = kinds.find(entry.kind)
    facts = kind.decode(entry.facts) if kind else entry.facts
    windows = list(_windows(entry, facts, traced))
    return any(since <= picked.until and until >= picked.since for since, until in windows)


def _windows(
    entry: Entry, facts: dict[str, object], traced: TracedLesson
) -> Iterable[tuple[datetime.datetime, datetime.datetime]]:
    """The time an entry tells of."""
    if entry.kind == "presence.closed":
        return [(facts["started_at"], facts["last_seen_at"])]  # type: ignore[list-item]
    if entry.kind in ("attendance.check_opened", "attendance.check_closed"):
        return [
            (check.opened_at, check.due_at)
            for check in traced.trace.checks
            if check.check_id == facts["check"]
        ]
    if entry.kind == "attendance.sign_in_accepted":
        # The whole window it opened: every interval in it rests on this sign-in.
        return [
            (sign_in.requested_at, sign_in.signed_out_at or traced.lesson.ends_at)
            for sign_in in traced.trace.sign_ins
            if sign_in.pk == facts["sign_in"]
        ]
    return [(entry.at, entry.at)]
