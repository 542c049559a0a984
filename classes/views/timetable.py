"""The timetable editor with the norm beside it (LOOK, mockup g)."""

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.calendars import calendar
from accounts.editions import edition as find_edition
from accounts.models import User
from accounts.refusals import rendered
from classes import actions, permissions
from classes.actions import ClassDetails
from classes.actions.timetable import timetable_digest
from classes.checks import ClassCheck, check_draft
from classes.fixes import Fix, fixes_for, from_outline, postponed, without_clashes
from classes.forms import TimetableForm, TimetableRow, WeekPlanForm
from classes.models import HOUR_KINDS, TrainingClass
from classes.plans import by_weekday, from_class
from classes.queries import timetables_to_copy
from classes.remedies import ROSTER_STEP, remedy
from classes.reviews import subject_of
from classes.slots import FreeTime
from classes.states import EDITABLE_STATES
from classes.timetables import LessonDraft, drafts_of, hours_by_kind, row_faults
from courses.outlines import hours_of, units_of
from policy.dates import parse_day, require_near
from policy.findings import Outcome
from policy.messages import exact_text, gettext_noop
from policy.refusals import Refusal
from policy.strict_json import parse_json
from policy.terms import HOMEWORK_AND_EXAM, QUALITY_AND_TUTORING, HourKind, Mode

BASE = "base"  # the field that says which saved timetable the rows on the page began from
MOST_CLASHES_SHOWN = 3  # in one row; the finding counts them all


@dataclass(frozen=True, slots=True)
class Offer:
    """A button whose work is more than moving rows."""

    code: str
    label: str


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def editor(request: HttpRequest, pk: int) -> HttpResponse:
    """Show, change and save the timetable. A fix changes the rows on the page; saving is another click."""
    user = _user(request)
    training_class = permissions.access_class(user, pk)
    editable = permissions.can_manage(user, training_class) and training_class.state in EDITABLE_STATES
    if request.method != "POST":
        form = TimetableForm.of(drafts_of(training_class.lessons.all()))
        before = request.session.pop(UNDO, "") if editable and UNDO in request.session else ""
        ours = before.startswith(f'{{"class": {pk},')
        return _page(request, training_class, form, editable=editable, before=before if ours else "")
    permissions.require_manage(user, training_class)
    permissions.require_editable(training_class)
    form = TimetableForm.sent(request.POST)
    fix = request.POST.get("fix", "")
    if fix:
        return _fixed(request, training_class, form, fix)
    if not form.is_readable:
        return _page(request, training_class, form, editable=True, saved=False, status=400)
    try:
        actions.set_timetable(
            training_class=training_class,
            drafts=form.drafts,
            actor=user,
            at=timezone.now(),
            base=request.POST.get(BASE),
        )
    except Refusal as refusal:
        return _page(
            request,
            training_class,
            form,
            editable=True,
            saved=False,
            refusal=rendered(refusal),
            status=refusal.status,
        )
    messages.success(request, _("课表已保存。"))
    return redirect("classes:filing" if "next" in request.POST else "classes:timetable", pk)


@login_required
@require_POST
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Judge the rows as they stand in the editor; nothing is saved. Answers with the fragments that
    changed.
    """
    user = _user(request)
    training_class = permissions.access_class(user, pk)
    permissions.require_manage(user, training_class)
    form = TimetableForm.sent(request.POST)
    context = _context(user, training_class, form) | {"fragment": True}
    return render(request, "classes/timetable_check.html", context)


def _fixed(
    request: HttpRequest, training_class: TrainingClass, form: TimetableForm, code: str
) -> HttpResponse:
    """Apply one offer to the rows; nothing is saved until the person saves. What also moves the class's own
    dates is saved at once. The rows as they were travel along, so that one press takes the change back.
    """
    if code == "undo":
        return _undone(request, training_class, form)
    try:
        drafts = _drafted(request, training_class, form, code)
    except Refusal as refusal:
        return _page(
            request, training_class, form, editable=True, refusal=rendered(refusal), status=refusal.status
        )
    if drafts is not None:
        return _page(
            request,
            training_class,
            TimetableForm.of(drafts),
            editable=True,
            saved=False,
            before=_written_down(training_class, form),
        )
    if code == "weekdays":
        return _page(request, training_class, form, editable=True, saved=False, status=400)
    if not form.is_readable:  # what is saved at once would lose the rows that cannot be read
        return _page(request, training_class, form, editable=True, saved=False, status=400)
    judged = check_draft(training_class, form.drafts, filed_on=timezone.localdate())
    earliest = judged.earliest
    later = _later(training_class, form.drafts, earliest) if earliest else None
    if code == "postpone" and later and later.days > 0:
        hour = datetime.timedelta(seconds=find_edition(training_class.edition).lesson_hour_seconds)
        free = FreeTime.of(training_class, lesson_hour=hour, starts_on=later.starts_on, ends_on=later.ends_on)
        said = {"day": date_format(later.starts_on), "days": later.days, "last": date_format(later.ends_on)}
        return _moved(
            request,
            training_class,
            form,
            drafts=without_clashes(free, later.drafts),
            starts_on=later.starts_on,
            ends_on=later.ends_on,
            words=(
                _("开班改到 %(day)s，课表顺延 %(days)s 天，结班改到 %(last)s，已保存。") % said
                if later.lengthens
                else _("开班改到 %(day)s，课表顺延 %(days)s 天，已保存。") % said
            ),
        )
    last_day = _last_day(form.drafts)
    if code == "extend" and last_day and last_day > training_class.ends_on:
        return _moved(
            request,
            training_class,
            form,
            drafts=form.drafts,
            starts_on=training_class.starts_on,
            ends_on=last_day,
            words=_("结班改到 %(day)s，课表已保存。") % {"day": date_format(last_day)},
            undoable=False,  # the rows before did not fit into the class before
        )
    return _page(request, training_class, form, editable=True, saved=False)


def _drafted(
    request: HttpRequest, training_class: TrainingClass, form: TimetableForm, code: str
) -> list[LessonDraft] | None:
    """The rows that an offer makes, or None where it makes none.

    Raises Refusal `date_out_of_range`, `calendar_unpublished`.
    """
    hour = datetime.timedelta(seconds=find_edition(training_class.edition).lesson_hour_seconds)
    today = timezone.localdate()
    # Offers count on from the class's own days, which an earlier version may have stored unjudged.
    require_near(training_class.starts_on, today=today, name=gettext_noop("开班日期"), rule="F9")
    require_near(training_class.ends_on, today=today, name=gettext_noop("结班日期"), rule="F9")
    if code == "outline":
        units = units_of(training_class.course_version)
        return from_outline(units, free=FreeTime.of(training_class, lesson_hour=hour))
    if code == "weekdays":
        week = WeekPlanForm(request.POST, lesson_hour=hour)
        if not week.is_valid():
            return None
        require_near(week.plan.first_day, today=today, name=gettext_noop("从哪天起"), rule="F9")
        units = units_of(training_class.course_version)
        return by_weekday(
            units,
            week.plan,
            lesson_hour=hour,
            is_holiday=calendar().is_holiday,
            most_a_day=FreeTime.of(training_class, lesson_hour=hour).most_a_day,
        )
    if code == "copy":
        chosen = request.POST.get("copy_from", "")
        source = next((one for one in timetables_to_copy(training_class) if str(one.pk) == chosen), None)
        if source is None:
            return None
        drafts = drafts_of(source.lessons.all())
        return from_class(drafts, was=source.starts_on, now=training_class.starts_on)
    judged = check_draft(training_class, form.drafts, filed_on=today)
    for fix in fixes_for(training_class, form.drafts, judged, lesson_hour=hour):
        if fix.code == code:
            return list(fix.drafts)
    return None


@dataclass(frozen=True, slots=True)
class Later:
    """A class some days later, long enough for all its lessons."""

    starts_on: datetime.date
    ends_on: datetime.date
    drafts: list[LessonDraft]
    days: int
    lengthens: bool


def _later(
    training_class: TrainingClass, drafts: Sequence[LessonDraft], first_day: datetime.date
) -> Later | None:
    """The class from another first day on; None where that leaves the calendar."""
    shift = first_day - training_class.starts_on
    try:
        moved, end = postponed(drafts, shift.days), training_class.ends_on + shift
    except OverflowError:
        return None
    last_day = _last_day(moved)
    lengthens = last_day is not None and last_day > end
    return Later(first_day, last_day if last_day and lengthens else end, moved, shift.days, lengthens)


UNDO = "timetable_before"  # in the session, while a change that was saved at once is on its way to the page


def _written_down(training_class: TrainingClass, form: TimetableForm) -> str:
    """The rows and the class's dates as they are now, for taking the next change back."""
    return json.dumps(
        {
            "class": training_class.pk,
            "starts_on": training_class.starts_on.isoformat(),
            "ends_on": training_class.ends_on.isoformat(),
            "rows": form.cells,
        },
        ensure_ascii=False,
    )


def _undone(request: HttpRequest, training_class: TrainingClass, form: TimetableForm) -> HttpResponse:
    """Take the last bulk change back: the rows as they were, and the dates if the change had moved them."""
    try:
        kept = parse_json(request.POST.get("before", ""))
        before = TimetableForm.kept(kept["rows"])
        starts_on, ends_on = (parse_day(kept[name]) for name in ("starts_on", "ends_on"))
    except (ValueError, TypeError, KeyError, RecursionError):
        before = None
    if before is None:
        return _page(request, training_class, form, editable=True, saved=False, status=400)
    if (starts_on, ends_on) == (training_class.starts_on, training_class.ends_on):
        return _page(request, training_class, before, editable=True, saved=False)
    return _moved(
        request,
        training_class,
        before,
        drafts=before.drafts,
        starts_on=starts_on,
        ends_on=ends_on,
        words=_("已撤销，班级日期和课表都回到改动以前。"),
        undoable=False,
    )


def _last_day(drafts: Sequence[LessonDraft]) -> datetime.date | None:
    """The legal day on which the last lesson ends."""
    ends = max((draft.ends_at for draft in drafts), default=None)
    return timezone.localdate(ends - datetime.timedelta(microseconds=1)) if ends else None


def _moved(
    request: HttpRequest,
    training_class: TrainingClass,
    form: TimetableForm,
    *,
    drafts: Sequence[LessonDraft],
    starts_on: datetime.date,
    ends_on: datetime.date,
    words: str,
    undoable: bool = True,
) -> HttpResponse:
    """Save the class's dates and the timetable together."""
    user, now = _user(request), timezone.now()
    before = _written_down(training_class, form)
    current = {name: getattr(training_class, name) for name in ClassDetails.__dataclass_fields__}
    details = ClassDetails(**current | {"starts_on": starts_on, "ends_on": ends_on})
    try:
        with transaction.atomic():
            moved = actions.update_class(training_class=training_class, details=details, actor=user, at=now)
            actions.set_timetable(
                training_class=moved, drafts=drafts, actor=user, at=now, base=request.POST.get(BASE)
            )
    except Refusal as refusal:
        training_class.refresh_from_db()
        return _page(
            request,
            training_class,
            form,
            editable=True,
            saved=False,
            refusal=rendered(refusal),
            status=refusal.status,
        )
    if undoable:
        request.session[UNDO] = before
    messages.success(request, words)
    return redirect("classes:timetable", training_class.pk)


def _page(
    request: HttpRequest,
    training_class: TrainingClass,
    form: TimetableForm,
    *,
    editable: bool,
    saved: bool = True,
    refusal: Mapping[str, Any] | None = None,
    before: str = "",
    status: int = 200,
) -> HttpResponse:
    context = _context(_user(request), training_class, form)
    context |= _ways_to_draft(request, training_class, context["lesson_hour"]) if editable else {}
    lessons = list(training_class.lessons.all())
    overtaken = refusal is not None and refusal["code"] == "timetable_changed"
    context |= {
        # Saved once more after that refusal, the rows replace what was read meanwhile, knowingly.
        "base": (not overtaken and request.POST.get(BASE)) or timetable_digest(drafts_of(lessons)),
        "before": before,
        "editable": editable,
        "saved": saved,
        "refusal": refusal,
        "lessons": lessons,
        "kinds": HOUR_KINDS,
        "blank": {"key": "", "kind": "live", "hours": "4"},
    }
    return render(request, "classes/timetable.html", context, status=status)


def _ways_to_draft(
    request: HttpRequest, training_class: TrainingClass, lesson_hour: datetime.timedelta
) -> dict[str, Any]:
    """What the panel for drafting in one stroke offers: weekdays, and earlier classes to copy from."""
    asked = request.POST.get("fix") == "weekdays"
    week = WeekPlanForm(
        request.POST if asked else None,
        lesson_hour=lesson_hour,
        initial={"week_from": training_class.starts_on},
    )
    return {
        "week": week,
        "week_asked": asked and not week.is_valid(),
        "copies": timetables_to_copy(training_class).select_related("course"),
    }


def _context(user: User, training_class: TrainingClass, form: TimetableForm) -> dict[str, Any]:
    """The editor's rows with their problems, and everything the norm says about them."""
    today = timezone.localdate()
    judged = check_draft(training_class, form.drafts, filed_on=today)
    form.show(judged.faults)
    seconds = find_edition(training_class.edition).lesson_hour_seconds
    hour = datetime.timedelta(seconds=seconds)
    unreadable = sum(row.draft is None for row in form.rows)
    hours = hours_by_kind(form.drafts)
    caps = _caps(training_class, form.drafts, judged)
    trap = _trap(training_class, form.drafts, judged)
    fixes = fixes_for(training_class, form.drafts, judged, lesson_hour=hour)
    last_day = _last_day(form.drafts)
    failing = _failing(user, training_class, form, judged, fixes, trapped=trap is not None, last_day=last_day)
    _mark_rows(training_class, form, judged, fixes)
    passing = [finding for finding in judged.findings if finding.outcome is Outcome.PASSED]
    return {
        "training_class": training_class,
        "form": form,
        "failing": failing,
        "dock": _dock(form, failing),
        "passing": passing,
        "passing_subjects": _("、").join(subject_of(finding.code) for finding in passing),
        "noted": [finding for finding in judged.findings if finding.outcome is Outcome.NOTED],
        "open_step": ROSTER_STEP if any(one.code == "roster_filled" for one in judged.failed) else 0,
        "to_change": len(judged.failed) + unreadable,
        "total": sum(hours.values(), Decimal(0)),
        "lesson_hour": hour,
        "lesson_hour_seconds": seconds,
        "groups": _groups(training_class, form.drafts, judged),
        "hours_label": _("，").join(f"{cap['word']} {cap['have']}" for cap in caps),
        "caps": caps,
        "trap": trap,
        "earliest": judged.earliest,
        "days": _days(today, judged.earliest) if any(item.days for item in failing) else [],
    }


def _mark_rows(
    training_class: TrainingClass, form: TimetableForm, judged: ClassCheck, fixes: Sequence[Fix]
) -> None:
    """Say it where the mistake was made: the lesson with hours too many, and those before the earliest
    start.
    """
    rows = [row for row in form.rows if row.draft is not None]
    surplus: dict[int, Decimal] = {}
    for fix in fixes:
        for place, hours in fix.rows:  # one fix changes some of a lesson's hours, another takes the rest away
            surplus[place] = surplus.get(place, Decimal(0)) + hours
    for place, hours in surplus.items():
        kind, many = HourKind(rows[place].kind), f"{hours.normalize():f}"
        if kind == HourKind.OFFLINE and training_class.mode == Mode.MIXED:
            have = hours_by_kind(form.drafts).get(kind, Decimal(0))
            planned = hours_of(training_class.course_version).get(kind, Decimal(0))
            words = (
                _("大纲里线下只有 %(planned)s 课时，这一节多了 %(hours)s 课时。")
                if have > planned
                else _("线下课时多了 %(hours)s 课时。")
            )
            rows[place].problems.append(words % {"planned": f"{planned.normalize():f}", "hours": many})
        else:
            rows[place].problems.append(
                _("%(kind)s多了 %(hours)s 课时。") % {"kind": subject_of(_group_of(kind)), "hours": many}
            )
    for number, row in enumerate(rows):
        met = [clash.words for clash in judged.clashes if clash.row == number]
        row.problems += met[:MOST_CLASHES_SHOWN]
        if len(met) > MOST_CLASHES_SHOWN:
            row.problems.append(_("这一节的时间冲突共 %(count)s 处。") % {"count": len(met)})
        if judged.earliest is not None and row.date is not None and row.date < judged.earliest:
            row.problems.append(
                _("今天提交备案，最早 %(day)s 才能开课。") % {"day": date_format(judged.earliest)}
            )


def _group_of(kind: str) -> str:
    """The finding that caps a kind of hours."""
    if kind in QUALITY_AND_TUTORING:
        return "quality_tutoring_share"
    if kind in HOMEWORK_AND_EXAM:
        return "homework_exam_share"
    if kind == HourKind.LIVE:
        return "live_share"
    return "on_demand_share" if kind == HourKind.ON_DEMAND else "outside_mode"


@dataclass(frozen=True, slots=True)
class Failing:
    """A failing finding with its way out: buttons that change the timetable, or a page where it is
    mended.
    """

    subject: str
    finding: Mapping[str, Any]
    fixes: Sequence[Fix | Offer]
    link: Mapping[str, str] | None
    trap: bool
    days: bool
    first: bool


def _failing(
    user: User,
    training_class: TrainingClass,
    form: TimetableForm,
    judged: ClassCheck,
    fixes: Sequence[Fix],
    *,
    trapped: bool,
    last_day: datetime.date | None,
) -> list[Failing]:
    seconds = find_edition(training_class.edition).lesson_hour_seconds

    def fits(drafts: Sequence[LessonDraft], starts_on: datetime.date, ends_on: datetime.date) -> bool:
        """Whether these rows could be saved: an offer that is refused would be offered again for ever."""
        return form.is_readable and not row_faults(
            drafts, starts_on=starts_on, ends_on=ends_on, lesson_hour_seconds=seconds
        )

    left = list(fixes)
    found: list[Failing] = []
    for finding in judged.failed:
        # Each offer is shown once, with the first finding that it helps.
        helps = next((fix for fix in left if finding.code in fix.mends), None)
        chosen: list[Fix | Offer] = [helps] if helps else []
        left = [fix for fix in left if fix is not helps]
        share = finding.code.endswith("_share") or finding.code == "outside_mode"
        if finding.code == "filing_lead" and judged.earliest is not None:
            later = _later(training_class, form.drafts, judged.earliest)
            if later and fits(later.drafts, later.starts_on, later.ends_on):
                said = {"days": later.days, "last": date_format(later.ends_on)}
                words = (
                    _("顺延 %(days)s 天，结班改到 %(last)s")
                    if later.lengthens
                    else _("开班和课表都顺延 %(days)s 天")
                )
                chosen.append(Offer("postpone", words % said))
        overruns = finding.code == "timetable_rows" and last_day and last_day > training_class.ends_on
        if overruns and last_day and fits(form.drafts, training_class.starts_on, last_day):
            chosen.append(Offer("extend", _("结班改到 %(day)s") % {"day": date_format(last_day)}))
        link = remedy(user, training_class, finding.code)
        if finding.code == "timetable_rows" and not chosen and judged.faults:
            link = _to_row(form, [row for row in form.rows if row.draft is not None][judged.faults[0].row])
        if finding.waivable:
            link = {
                "url": reverse("classes:filing", args=[training_class.pk]),
                "label": _("在备案页写明理由，申请例外"),
            }
        found.append(
            Failing(
                subject=subject_of(finding.code),
                finding=finding.render(_),
                fixes=chosen,
                link=link,
                trap=trapped and share and not any(item.trap for item in found),
                days=finding.code == "filing_lead",
                first=not any(item.fixes for item in found),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Dock:
    """The one next step at the foot of a phone: why, and a button or a link."""

    message: str
    fix: Fix | Offer | None = None
    link: Mapping[str, str] | None = None


def _dock(form: TimetableForm, failing: Sequence[Failing]) -> Dock | None:
    """What to do next: begin, mend what cannot be read, then the first finding that has a way out."""
    if not form.rows:
        return Dock(_("还没有课。可以照课程大纲先排出来，再改。"), Offer("outline", _("套用课程大纲")))
    for row in form.rows:
        if row.draft is None:
            return Dock(row.problems[0], link=_to_row(form, row))
    for item in failing:
        if item.fixes or item.link:
            return Dock(item.finding["message"], item.fixes[0] if item.fixes else None, item.link)
    return None


def _to_row(form: TimetableForm, row: TimetableRow) -> dict[str, str]:
    return {
        "url": f"#row-{row.key}",
        "label": _("去改第 %(n)s 节") % {"n": form.rows.index(row) + 1},
    }


def _sums(drafts: list[LessonDraft]) -> dict[str, Decimal]:
    hours = hours_by_kind(drafts)

    def total(*kinds: HourKind) -> Decimal:
        return sum((hours.get(kind, Decimal(0)) for kind in kinds), Decimal(0))

    return {
        "live": total(HourKind.LIVE),
        "work": total(*HOMEWORK_AND_EXAM),
        "care": total(*QUALITY_AND_TUTORING),
        "demand": total(HourKind.ON_DEMAND),
        "offline": total(HourKind.OFFLINE),
    }


def _limits(training_class: TrainingClass, judged: ClassCheck) -> dict[str, tuple[int | None, int | None]]:
    """(at least, at most) whole hours per group, for the squares."""
    if judged.timetable is None:
        return {}
    limits = judged.timetable.limits
    if training_class.mode == Mode.FULL_LIVE:
        return {
            "live": (limits.least_live, None),
            "work": (None, limits.most_homework_exam),
            "care": (None, limits.most_quality_tutoring),
            "demand": (None, 0),
            "offline": (None, 0),
        }
    # By the online hours that the timetable has, so that nothing is red here which is 符合 below.
    params = {finding.code: finding.params for finding in judged.timetable.findings}
    return {
        "offline": (max(_whole(params["offline_share"], "least"), 1), None),
        "live": (max(_whole(params["live_share"], "least"), 1), None),
        "work": (None, _whole(params["homework_exam_share"], "most")),
        "demand": (None, _whole(params["on_demand_share"], "most")),
        "care": (None, 0),
    }


def _whole(params: Mapping[str, object], name: str) -> int:
    return int(str(params[name]))


def _groups(
    training_class: TrainingClass, drafts: list[LessonDraft], judged: ClassCheck
) -> list[tuple[str, Decimal, int | None, int | None]]:
    sums = _sums(drafts)
    return [
        (group, sums[group], least, most)
        for group, (least, most) in _limits(training_class, judged).items()
        if sums[group] or least
    ]


def _caps(
    training_class: TrainingClass, drafts: list[LessonDraft], judged: ClassCheck
) -> list[dict[str, Any]]:
    """The words under the squares: what each group has and may have."""
    words = {
        "live": _("直播"),
        "work": _("作业、考试"),
        "care": _("辅导、评估"),
        "demand": _("点播"),
        "offline": _("线下"),
    }
    found = []
    for group, have, least, most in _groups(training_class, drafts, judged):
        limit = (
            _("至少 %(n)s") % {"n": least}
            if least is not None
            else _("最多 %(n)s") % {"n": most}
            if most is not None
            else ""
        )
        bad = (least is not None and have < least) or (most is not None and have > most)
        found.append(
            {
                "kind": group,
                "word": words[group],
                "have": f"{have.normalize():f}",
                "limit": limit,
                "bad": bad,
                "width": max(int(have), least or 0, 1),
            }
        )
    return found


def _trap(
    training_class: TrainingClass, drafts: list[LessonDraft], judged: ClassCheck
) -> dict[str, Any] | None:
    """Why fewer live hours than the whole-hour minimum cannot work, as a sum (LEDGER, ambiguity 3)."""
    if judged.timetable is None or training_class.mode != Mode.FULL_LIVE:
        return None
    limits, live = judged.timetable.limits, _sums(drafts)["live"]
    if limits.least_live is None or live >= limits.least_live or limits.total == 0:
        return None
    most = limits.most_homework_exam + limits.most_quality_tutoring
    return {
        "live": f"{live.normalize():f}",
        "work": limits.most_homework_exam,
        "care": limits.most_quality_tutoring,
        "sum": f"{(live + most).normalize():f}",
        "total": exact_text(limits.total),
        "least": limits.least_live,
    }


def _days(today: datetime.date, earliest: datetime.date | None) -> list[dict[str, Any]]:
    """The days from filing today to the earliest start, as a calendar strip."""
    if earliest is None:
        return []
    weekdays = (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))
    working, days, counted = calendar(), [], 0
    for number in range((earliest - today).days + 1):
        day = today + datetime.timedelta(days=number)
        works = working.is_working_day(day)
        counted += works and number > 0
        days.append(
            {
                "day": day,
                "weekday": weekdays[day.weekday()],
                "first": number == 0,
                "last": day == earliest,
                "off": not works,
                "makes_up": works and day.weekday() >= 5,
                "number": counted,
            }
        )
    return days


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # every view here asks for a signed-in person
    return request.user
