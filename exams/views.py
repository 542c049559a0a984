"""Sitting the exam, handing in and scoring work, a class's results, and the end of a class."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import editions
from accounts.models import User
from accounts.refusals import rendered
from attendance.permissions import own_enrolment, require_trainee
from attendance.queries import credit_of_class
from audit.reconciliation import differences
from classes.models import TrainingClass
from classes.permissions import (
    access_class,
    access_lesson,
    can_decide,
    can_manage,
    can_teach,
    require_manage,
    require_teach,
)
from classes.states import ClassState
from exams import queries
from exams.actions.attempts import start_attempt, submit_attempt
from exams.actions.certificates import conclude_class
from exams.actions.coursework import MAX_CHARACTERS, MIN_CHARACTERS, score_coursework, submit_coursework
from exams.actions.papers import set_exam
from exams.forms import CourseworkForm, ExamForm, ScoreForm
from exams.models import Attempt, Exam, Submission
from exams.paper import judged, shown_questions
from exams.permissions import access_attempt, access_exam, access_results, access_submission, can_read_work
from exams.states import AttemptState
from policy.completion import may_sit_again
from policy.messages import exact_text
from policy.refusals import Refusal
from policy.terms import HourKind

# --- the trainee ---


@login_required
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """One's own exams, work to hand in and certificates."""
    person_id, now = _user(request).person_id, timezone.now()
    if person_id is None:
        return render(request, "exams/mine.html", {})
    sat = {attempt.exam_id: attempt for attempt in queries.attempts_of(person_id)}
    return render(
        request,
        "exams/mine.html",
        {
            "exams": [_standing(exam, sat.get(exam.pk)) for exam in queries.exams_of(person_id)],
            "homework": queries.homework_of(person_id),
            "handed_in": Submission.objects.filter(enrolment__person_id=person_id).select_related(
                "lesson__training_class"
            ),
            "certificates": queries.certificates_of(person_id),
            "now": now,
        },
    )


def _standing(exam: Exam, attempt: Attempt | None) -> dict[str, Any]:
    return {"exam": exam, "attempt": attempt, "finding": judged(attempt) if attempt else None}


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Say how the exam goes, begin it (POST), and answer it. Staff are led to the class's results."""
    user, exam, now = _user(request), access_exam(request.user, pk), timezone.now()
    if own_enrolment(user, exam.training_class) is None:
        return redirect("exams:class", exam.training_class_id)
    refused = None
    if request.method == "POST":
        try:
            start_attempt(actor=user, exam=exam, at=now)
        except Refusal as refusal:
            refused = refusal
        else:
            return redirect("exams:take", pk)
    assert user.person_id is not None
    sittings = list(queries.attempts_of(user.person_id, exam))
    last = sittings[-1] if sittings else None
    if last and last.state == AttemptState.RUNNING and now <= last.deadline_at:
        questions = shown_questions(last)
        saved = [question.saved_at for question in questions if question.saved_at]
        return render(
            request,
            "exams/paper.html",
            {
                "attempt": last,
                "exam": exam,
                "questions": questions,
                "answered": sum(1 for question in questions if question.chosen),
                "saved_at": max(saved, default=None),
                "now": now,
            },
        )
    again = may_sit_again(editions.edition(exam.training_class.edition), attempts=len(sittings))
    verdict = judged(last) if last else None
    if last and verdict and (verdict.passed or not again.passed) and refused is None:
        return redirect("exams:result", last.pk)
    return render(
        request,
        "exams/before.html",
        {
            "exam": exam,
            "last": last,
            "is_overdue": bool(last and last.state == AttemptState.RUNNING),
            "is_open": exam.lesson.starts_at <= now < exam.lesson.ends_at,
            "is_over": now >= exam.lesson.ends_at,
            "times": again.required,
            "pass_mark": _pass_mark(exam.training_class),
            "refusal": rendered(refused) if refused else None,
        },
        status=refused.status if refused else 200,
    )


@login_required
@require_POST
def submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in one's paper."""
    at = timezone.now()
    attempt = access_attempt(request.user, pk)
    submit_attempt(actor=_user(request), attempt=attempt, at=at)
    return redirect("exams:result", pk)


@login_required
@never_cache
@require_safe
def result(request: HttpRequest, pk: int) -> HttpResponse:
    """What one's paper was worth; a paper still running leads back to it."""
    attempt = access_attempt(request.user, pk)
    if attempt.state == AttemptState.RUNNING:
        return redirect("exams:take", attempt.exam_id)
    training_class = attempt.exam.training_class
    again = may_sit_again(editions.edition(training_class.edition), attempts=attempt.number)
    now = timezone.now()
    finding = judged(attempt)
    return render(
        request,
        "exams/result.html",
        {
            "attempt": attempt,
            "exam": attempt.exam,
            "training_class": training_class,
            "finding": finding,
            "pass_mark": _pass_mark(training_class),
            "may_sit_again": bool(
                finding and not finding.passed and again.passed and now < attempt.exam.lesson.ends_at
            ),
        },
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def coursework(request: HttpRequest, pk: int) -> HttpResponse:
    """Write and hand in one's work for a homework lesson. Staff are led to everybody's."""
    user, lesson = _user(request), access_lesson(request.user, pk)
    if lesson.kind != HourKind.HOMEWORK:
        raise Http404
    if own_enrolment(user, lesson.training_class) is None:
        return redirect("exams:class", lesson.training_class_id)
    enrolment = require_trainee(user, lesson.training_class)
    submission = Submission.objects.filter(lesson=lesson, enrolment=enrolment).first()
    form = CourseworkForm(request.POST or None, initial={"text": submission.text if submission else ""})
    if request.method == "POST" and form.is_valid():
        try:
            submit_coursework(actor=user, lesson=lesson, text=form.cleaned_data["text"], at=timezone.now())
        except Refusal as refusal:
            _tell(form, refusal, "text")
        else:
            messages.success(request, _("交好了，这节课的学时已经记下。评分以前还可以改。"))
            return redirect("exams:coursework", pk)
    return render(
        request,
        "exams/coursework.html",
        {
            "lesson": lesson,
            "submission": submission,
            "form": form,
            "is_scored": bool(submission and submission.scored_at),
            "is_before": timezone.now() < lesson.starts_at,
            "least": MIN_CHARACTERS,
            "most": MAX_CHARACTERS,
        },
        status=400 if form.errors else 200,
    )


# --- the staff ---


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def class_exam(request: HttpRequest, pk: int) -> HttpResponse:
    """Set the exam; everybody's results, work and certificates. Trainees are led to their own."""
    user, training_class = _user(request), access_class(request.user, pk)
    if own_enrolment(user, training_class) is not None:
        return redirect("exams:mine")
    training_class = access_results(user, pk)
    may_set = can_teach(user, training_class) or can_manage(user, training_class)
    if request.method == "POST" and not may_set:
        require_teach(user, training_class)
    form = ExamForm(request.POST or None, training_class=training_class)
    if request.method == "POST" and form.is_valid():
        try:
            exam = set_exam(
                actor=user,
                training_class=training_class,
                lesson=form.cleaned_data["lesson"],
                seconds_allowed=form.seconds_allowed,
                at=timezone.now(),
            )
        except Refusal as refusal:
            _tell(form, refusal)
        else:
            n = len(exam.paper)
            messages.success(
                request,
                ngettext("考试设好了，共 %(n)s 题。", "考试设好了，共 %(n)s 题。", n) % {"n": n},
            )
            return redirect("exams:class", pk)
    set_already = queries.exam_of(training_class)
    is_finished = training_class.state == ClassState.FINISHED
    return render(
        request,
        "exams/class.html",
        {
            "training_class": training_class,
            "exam": set_already,
            "form": form,
            "has_exam_lesson": training_class.lessons.filter(kind=HourKind.EXAM).exists(),
            "may_set": may_set and not is_finished and not (set_already and set_already.attempts.exists()),
            "may_open": can_manage(user, training_class) or can_decide(user, training_class),
            "may_read_work": can_read_work(user, training_class),
            "may_conclude": can_manage(user, training_class) and training_class.state == ClassState.RUNNING,
            "completions": queries.completions_of(training_class),
            "differences": differences(training_class.subject),
            "submissions": queries.submissions_of(training_class),
            "is_finished": is_finished,
        },
        status=400 if form.errors else 200,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def score(request: HttpRequest, pk: int) -> HttpResponse:
    """Read a trainee's work and score it."""
    user, submission = _user(request), access_submission(request.user, pk)
    training_class = submission.enrolment.training_class
    form = ScoreForm(request.POST or None, initial={"score": submission.score, "comment": submission.comment})
    if request.method == "POST" and form.is_valid():
        score_coursework(actor=user, submission=submission, at=timezone.now(), **form.cleaned_data)
        messages.success(request, _("评分记下了。"))
        return redirect("exams:class", training_class.pk)
    return render(
        request,
        "exams/score.html",
        {
            "submission": submission,
            "training_class": training_class,
            "form": form,
            "may_score": can_teach(user, training_class),
        },
        status=400 if form.errors else 200,
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def conclude(request: HttpRequest, pk: int) -> HttpResponse:
    """Repeat which class, who would get a certificate and what it means; then (POST) end the class."""
    user, training_class = _user(request), access_class(request.user, pk)
    require_manage(user, training_class)
    refused = None
    if request.method == "POST" and training_class.state == ClassState.FINISHED:
        messages.info(request, _("这个班以前已经结班，这次没有改动。"))
        return redirect("exams:class", pk)
    if request.method == "POST":
        try:
            count = len(conclude_class(actor=user, training_class=training_class, at=timezone.now()))
        except Refusal as refusal:
            refused = refusal
        else:
            messages.success(
                request,
                ngettext("结班了，发放合格证 %(n)s 张。", "结班了，发放合格证 %(n)s 张。", count)
                % {"n": count},
            )
            return redirect("exams:class", pk)
    elif training_class.state == ClassState.FINISHED:
        return redirect("exams:class", pk)
    completions = queries.completions_of(training_class)
    attends = {one.enrolment_id for one in credit_of_class(training_class) if one.passed}
    examined = {one.enrolment.pk for one in completions if one.exam and one.exam.passed}
    last = training_class.lessons.order_by("-ends_at").first()
    return render(
        request,
        "exams/conclude.html",
        {
            "training_class": training_class,
            "enrolled": len(completions),
            "exam_passed": len(examined),
            "attendance_passed": len(attends),
            "certificates": len(attends & examined),
            "last_lesson": last,
            "exam": queries.exam_of(training_class),
            "unscored": queries.submissions_of(training_class).filter(score__isnull=True).count(),
            "refusal": rendered(refused) if refused else None,
        },
        status=refused.status if refused else 200,
    )


def _pass_mark(training_class: TrainingClass) -> str:
    """The edition's pass mark out of 100, or nothing where it gives none."""
    try:
        return exact_text(editions.edition(training_class.edition).number("exam_pass_mark"))
    except Refusal:
        return ""


def _tell(form: Form, refusal: Refusal, field: str | None = None) -> None:
    body = rendered(refusal)
    form.add_error(field, body["message"] + body["details"].get("next", ""))


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required stands before every view
    return request.user
