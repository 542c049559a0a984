"""Classes, rosters, timetables and filings over HTTP, and the policy's own three questions (DESIGN §6).

The policy has no Django of its own; what it answers without knowing any class (editions, a timetable
check, the earliest start) is asked here and open to everybody.
"""

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext, gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import RefusalSerializer
from accounts.api_views import APIView, DayField, ReadsBody, TextField, UploadField
from accounts.calendars import calendar
from accounts.editions import all_editions
from accounts.editions import edition as find_edition
from accounts.models import Person, User
from accounts.permissions import require_role, roles_of
from accounts.refusals import rendered
from accounts.states import Role
from classes import actions, permissions, queries
from classes.actions import ClassDetails
from classes.actions.timetable import timetable_digest
from classes.models import HOUR_KINDS, MODES, MOST_REASON, Enrolment, Filing, Lesson, TrainingClass
from classes.packages import manifest_of
from classes.reviews import current_findings
from classes.rosters import template_workbook
from classes.states import ClassState, FilingState
from classes.timetables import MOST_LESSONS, LessonDraft, drafts_of
from classes.views.receipts_api import api_urlpatterns as receipt_urlpatterns
from classes.whatif import classes_to_judge, what_if
from courses.api import HoursField
from courses.models import Course, CourseVersion
from courses.permissions import own_institution
from courses.permissions import visible_to as courses_visible_to
from courses.states import VersionState
from exchange.states import PackageState
from policy.calendar import earliest_start
from policy.editions import Edition
from policy.findings import Outcome
from policy.messages import gettext_noop
from policy.refusals import Refusal
from policy.terms import HourKind
from policy.timetable import check_timetable

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_REFUSED = {400: RefusalSerializer, 403: RefusalSerializer, 404: RefusalSerializer, 409: RefusalSerializer}


_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII | re.IGNORECASE
)


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentField(serializers.Field):  # type: ignore[type-arg]
    """ISO 8601 with an offset. A time without one is refused: whose clock would it be?"""

    default_error_messages: ClassVar = {
        "invalid": gettext_lazy("时间要写成 2026-09-24T08:30:00+08:00 这样，带时区。"),
    }

    def to_internal_value(self, data: Any) -> datetime.datetime:
        try:
            moment = parse_datetime(data) if _MOMENT.fullmatch(data) else None
        except (TypeError, ValueError):
            moment = None
        if moment is None or moment.tzinfo is None or not 1900 < moment.year < 2200:
            self.fail("invalid")
        return moment

    def to_representation(self, value: datetime.datetime) -> str:
        return timezone.localtime(value).isoformat()


# --- the policy ---


class ParameterSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of ours, not an option of the serializer
    value = serializers.JSONField(allow_null=True)
    status = serializers.CharField()
    unit = serializers.CharField()
    row = serializers.CharField()
    citation = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    verified = serializers.BooleanField()


class SourceSerializer(serializers.Serializer[Any]):
    """The document behind numbers; `verified` where they were held against the document itself."""

    key = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.CharField()
    kind_label = serializers.CharField()
    document = serializers.CharField()
    issued_by = serializers.CharField()
    issued_on = serializers.DateField(allow_null=True)
    url = serializers.CharField()
    verified = serializers.BooleanField()


class EditionSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    title = serializers.CharField()
    issued_by = serializers.CharField()
    effective_from = serializers.DateField()
    effective_until = serializers.DateField(allow_null=True)
    demo = serializers.BooleanField()
    note = serializers.CharField()
    follows_norm = serializers.BooleanField(help_text="false: another province's rules, for comparison only")
    legal_bases = serializers.ListField(child=serializers.CharField())
    sources = SourceSerializer(many=True)
    parameters = ParameterSerializer(many=True)


class EditionListView(ReadsBody, generics.GenericAPIView[Any]):
    """Every edition of the norm that this platform knows, with the source of each number."""

    permission_classes = [AllowAny]
    serializer_class = EditionSerializer

    def get_queryset(self) -> list[Edition]:  # type: ignore[override]  # editions are not rows
        return list(all_editions().values())

    @extend_schema(summary="Policy editions", responses=EditionSerializer(many=True))
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response([edition.render(gettext) for edition in page or []])


class TimetableCheckSerializer(serializers.Serializer[Any]):
    edition = TextField(max_length=64)
    course_type = TextField(max_length=20)
    mode = TextField(max_length=20)
    hours = serializers.JSONField(help_text="lesson hours by kind: integers, decimals or exact fractions")


class FindingSerializer(serializers.Serializer[Any]):
    """One rule applied once; `row` is its row in the ledger of the norm."""

    code = serializers.CharField()
    row = serializers.CharField()
    passed = serializers.BooleanField()
    outcome = serializers.ChoiceField(
        choices=[outcome.value for outcome in Outcome],
        help_text="open: a number is unset, which blocks; noted: worth a look, blocks nothing",
    )
    required = serializers.JSONField(allow_null=True)  # type: ignore[assignment]
    actual = serializers.JSONField(allow_null=True)
    citation = serializers.CharField()
    message = serializers.CharField()
    numbers = ParameterSerializer(many=True, help_text="the edition's numbers that were used")
    reading = serializers.JSONField(allow_null=True)
    waivable = serializers.BooleanField()


class TimetableDecisionSerializer(serializers.Serializer[Any]):
    passed = serializers.BooleanField()
    findings = FindingSerializer(many=True)
    least_live_hours = serializers.IntegerField(allow_null=True)


class TimetableCheckView(APIView):
    """Judge hours by kind against an edition; nothing is stored."""

    permission_classes = [AllowAny]

    @extend_schema(
        summary="Check the hours of a timetable",
        request=TimetableCheckSerializer,
        responses={200: TimetableDecisionSerializer, 400: RefusalSerializer, 409: RefusalSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = _valid(TimetableCheckSerializer, request.data)
        edition = find_edition(asked["edition"])
        if asked["course_type"] not in edition.course_types:
            raise Refusal(
                "course_type_unknown",
                gettext_noop("政策版本《%(edition)s》里没有“%(course_type)s”这种培训类型。"),
                found=asked["course_type"],
                required=list(edition.course_types),
                rule="A4",
                params={"edition": edition.title, "course_type": asked["course_type"]},
                next_step=gettext_noop("请填这个版本里有的培训类型。"),
                status=400,
            )
        decision = check_timetable(
            edition, course_type=asked["course_type"], mode=asked["mode"], hours=asked["hours"]
        )
        return Response(decision.render(gettext))


class EarliestStartSerializer(serializers.Serializer[Any]):
    edition = TextField(max_length=64)
    filed_on = DayField(help_text="the day of submission, in Henan")


class StartDecisionSerializer(serializers.Serializer[Any]):
    date = serializers.DateField()
    working_days = serializers.IntegerField()
    filed_on = serializers.DateField()
    counted = serializers.ListField(child=serializers.DateField())
    reading = serializers.JSONField()


class EarliestStartView(APIView):
    """The first day on which a class filed on a day may start (F7); 409 `calendar_unpublished` where
    nobody knows.
    """

    permission_classes = [AllowAny]

    @extend_schema(
        summary="Earliest start of a class",
        request=EarliestStartSerializer,
        responses={200: StartDecisionSerializer, 400: RefusalSerializer, 409: RefusalSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = _valid(EarliestStartSerializer, request.data)
        working = calendar()
        working.is_working_day(asked["filed_on"])  # the day itself has to be in a known year
        decision = earliest_start(find_edition(asked["edition"]), asked["filed_on"], calendar=working)
        return Response(decision.render(gettext))


class WhatIfSerializer(serializers.Serializer[Any]):
    """A class under another edition: `passed` under its own, `passes` under the one asked about."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    institution = serializers.CharField()
    edition = serializers.CharField(help_text="the class's own")
    passed = serializers.BooleanField()
    passes = serializers.BooleanField()
    newly = serializers.ListField(child=serializers.CharField(), help_text="codes that fail only there")
    findings = FindingSerializer(many=True)


class WhatIfView(ReadsBody, generics.GenericAPIView[TrainingClass]):
    """Judge the classes one sees under another edition; nothing is stored or changed."""

    serializer_class = WhatIfSerializer

    def get_queryset(self) -> QuerySet[TrainingClass]:
        if getattr(self, "swagger_fake_view", False):
            return TrainingClass.objects.none()
        return classes_to_judge(_user(self.request))

    @extend_schema(
        summary="What if another edition applied",
        parameters=[OpenApiParameter("edition", required=True)],
        responses={200: WhatIfSerializer(many=True), 400: RefusalSerializer, 403: RefusalSerializer},
    )
    def get(self, request: Request) -> Response:
        classes = self.get_queryset()
        edition = find_edition(request.query_params.get("edition", ""))
        page = self.paginate_queryset(classes) or []
        results = what_if(page, edition, today=timezone.localdate())
        return self.get_paginated_response([one.render(gettext) for one in results])


# --- people of one's institution ---


class StaffSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()


@extend_schema(
    summary="Lecturers or assistants of one's own institution",
    parameters=[
        OpenApiParameter("role", enum=[Role.LECTURER.value, Role.ASSISTANT.value], required=True),
    ],
    responses={200: StaffSerializer(many=True), 400: RefusalSerializer, 403: RefusalSerializer},
)
class PeopleView(ReadsBody, generics.ListAPIView[Person]):
    serializer_class = StaffSerializer

    def get_queryset(self) -> QuerySet[Person]:
        if getattr(self, "swagger_fake_view", False):
            return Person.objects.none()
        role = self.request.query_params.get("role", "")
        if role not in (Role.LECTURER, Role.ASSISTANT):
            raise Refusal(
                "role_unknown",
                gettext_noop("要写明查哪一种人员。"),
                found=role[:20],
                required=[Role.LECTURER.value, Role.ASSISTANT.value],
                next_step=gettext_noop("请加上 role=lecturer 或 role=assistant。"),
                status=400,
            )
        user = require_role(self.request.user, Role.MANAGER, Role.LECTURER, Role.ASSISTANT)
        assert user.institution is not None  # these roles are held at an institution (accounts)
        return queries.staff_of(user.institution, role)


# --- classes ---


class OwnField(serializers.PrimaryKeyRelatedField[Any]):
    """A row that the caller may choose; any other is as unknown as one that is not there."""

    def __init__(self, *, choices: Callable[[User], QuerySet[Any]], **kwargs: Any) -> None:
        self._choices = choices
        super().__init__(**kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        """What `choices` gives for the caller; nothing where nobody calls."""
        return self._choices(self.context["request"].user)


def _versions(user: User) -> QuerySet[CourseVersion]:
    mine = own_institution(user)
    shown = Q(course__institution__isnull=False, course__institution=mine) | ~Q(state=VersionState.DRAFT)
    return CourseVersion.objects.filter(shown, course__in=courses_visible_to(user).values("pk"))


def _staff(role: Role, user: User) -> QuerySet[Person]:
    mine = own_institution(user)
    return queries.staff_of(mine, role) if mine is not None else Person.objects.none()


class ClassSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk", read_only=True)
    state = serializers.ChoiceField(choices=ClassState.choices, read_only=True)
    name = TextField(max_length=80)
    course = OwnField(queryset=Course.objects.all(), choices=courses_visible_to)
    course_version = OwnField(
        queryset=CourseVersion.objects.all(),
        choices=_versions,
        allow_null=True,
        required=False,
        help_text="without it the newest published version",
    )
    mode = serializers.ChoiceField(choices=MODES)
    edition = TextField(max_length=40)
    starts_on = DayField()
    ends_on = DayField()
    lecturer = OwnField(
        queryset=Person.objects.all(), choices=partial(_staff, Role.LECTURER), allow_null=True, required=False
    )
    assistant = OwnField(
        queryset=Person.objects.all(),
        choices=partial(_staff, Role.ASSISTANT),
        allow_null=True,
        required=False,
    )
    institution = serializers.IntegerField(source="institution_id", read_only=True)

    def details(self, current: TrainingClass | None = None) -> ClassDetails:
        """The details that were sent, on top of those the class has."""
        merged = {
            name: getattr(current, name) for name in ClassDetails.__dataclass_fields__ if current is not None
        } | self.validated_data
        version = merged.get("course_version")
        if (
            "course_version" not in self.validated_data
            and version
            and version.course_id != merged["course"].pk
        ):
            merged["course_version"] = None  # another course begins with its newest version
        return ClassDetails(**merged)


class ClassListView(ReadsBody, generics.ListAPIView[TrainingClass]):
    """The classes that the caller may see, and the manager's way to make one."""

    serializer_class = ClassSerializer

    def get_queryset(self) -> QuerySet[TrainingClass]:
        classes = queries.classes_visible_to(self.request.user)
        state, search = (self.request.query_params.get(name, "") for name in ("state", "search"))
        if state in ClassState.values:
            classes = classes.filter(state=state)
        return classes.filter(name__icontains=search.replace("\0", "")) if search else classes

    @extend_schema(
        summary="Classes one may see",
        parameters=[
            OpenApiParameter("state", enum=ClassState.values),
            OpenApiParameter("search", description="part of the name"),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        summary="Make a class", request=ClassSerializer, responses={201: ClassSerializer, **_REFUSED}
    )
    def post(self, request: Request) -> Response:
        sent = ClassSerializer(data=request.data, context={"request": request})
        require_role(request.user, Role.MANAGER)
        sent.is_valid(raise_exception=True)
        training_class = actions.create_class(details=sent.details(), actor=_user(request), at=timezone.now())
        return Response(ClassSerializer(training_class).data, status=status.HTTP_201_CREATED)


class ClassView(APIView):
    """One class; its details change until it is filed."""

    @extend_schema(summary="A class", responses={200: ClassSerializer, 404: RefusalSerializer})
    def get(self, request: Request, pk: int) -> Response:
        return Response(ClassSerializer(permissions.access_class(request.user, pk)).data)

    @extend_schema(
        summary="Change a class",
        request=ClassSerializer(partial=True),
        responses={200: ClassSerializer, **_REFUSED},
    )
    def patch(self, request: Request, pk: int) -> Response:
        training_class = permissions.access_class(request.user, pk)
        permissions.require_manage(_user(request), training_class)
        sent = ClassSerializer(data=request.data, partial=True, context={"request": request})
        sent.is_valid(raise_exception=True)
        changed = actions.update_class(
            training_class=training_class,
            details=sent.details(training_class),
            actor=_user(request),
            at=timezone.now(),
        )
        return Response(ClassSerializer(changed).data)


# --- roster ---


class EnrolmentSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField(source="person.name")
    id_number = serializers.CharField(source="person.id_number_masked", help_text="masked")
    category = serializers.CharField()
    state = serializers.CharField()


class RosterFileSerializer(serializers.Serializer[Any]):
    file = UploadField(help_text=".xlsx, as the template has it")


class RosterFaultSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField(allow_null=True, help_text="as in Excel; null: about the whole sheet")
    column = serializers.CharField(help_text="the column's letter")
    header = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    next = serializers.CharField()
    name = serializers.CharField()
    written = serializers.CharField(help_text="what the cell holds; ID numbers masked")


class RosterResultSerializer(serializers.Serializer[Any]):
    accepted = serializers.IntegerField()
    rejected = RosterFaultSerializer(many=True)


class RosterRefusalSerializer(RefusalSerializer, RosterResultSerializer):
    """A refusal that repeats the result, so that a client reads it the same way."""


class RosterView(ReadsBody, generics.ListAPIView[Enrolment]):
    """The roster. Who attends sees only their own line."""

    serializer_class = EnrolmentSerializer
    parser_classes = [MultiPartParser]

    def get_queryset(self) -> QuerySet[Enrolment]:
        if getattr(self, "swagger_fake_view", False):
            return Enrolment.objects.none()
        user = _user(self.request)
        training_class = permissions.access_class(user, self.kwargs["pk"])
        enrolments = training_class.enrolments.select_related("person")
        if not permissions.sees_roster(user, training_class):
            enrolments = enrolments.filter(person=user.person_id)
        return enrolments

    @extend_schema(summary="Roster of a class")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        summary="Import a roster: all of it or nothing",
        parameters=[OpenApiParameter("dry_run", bool, description="only say what would happen")],
        request={"multipart/form-data": RosterFileSerializer},
        responses={
            200: RosterResultSerializer,
            **_REFUSED,
            409: RosterRefusalSerializer,
            413: RosterRefusalSerializer,
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        training_class = permissions.access_class(request.user, pk)
        permissions.require_manage(_user(request), training_class)
        upload = request.FILES.get("file")
        if upload is None:
            raise Refusal(
                "file_missing",
                gettext_noop("没有收到文件。"),
                found=list(request.FILES),
                required="file",
                rule="P7",
                next_step=gettext_noop("请用 file 字段上传 .xlsx 文件。"),
                status=400,
            )
        try:
            result = actions.import_roster(
                training_class=training_class,
                content=upload.read(),
                actor=_user(request),
                at=timezone.now(),
                dry_run=request.query_params.get("dry_run", "0").lower() in ("1", "true"),
            )
        except Refusal as refusal:
            body = rendered(refusal)
            return Response(
                {"accepted": 0, "rejected": body["details"].get("rejected", []), **body},
                status=refusal.status,
            )
        return Response(
            {
                "accepted": result.accepted,
                "rejected": [fault.render(gettext) for fault in result.rejected],
            }
        )


class RosterTemplateView(APIView):
    @extend_schema(summary="The empty roster to fill in", responses={(200, XLSX): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: int) -> HttpResponse:
        permissions.access_class(request.user, pk)
        return xlsx_response(template_workbook(), "roster-template.xlsx")


# --- timetable ---


class TimetableLessonSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk", read_only=True)
    state = serializers.CharField(read_only=True)
    starts_at = MomentField()
    ends_at = MomentField()
    kind = serializers.ChoiceField(choices=HOUR_KINDS)
    hours = HoursField(min_value=Decimal("0.01"))
    title = TextField(max_length=120)


class TimetableView(APIView):
    """The timetable as one document."""

    body_is_object = False  # a list of lessons

    @extend_schema(
        summary="Timetable of a class",
        description="The answer's ETag names this version; a PUT may send it as its If-Match.",
        responses={200: TimetableLessonSerializer(many=True), 404: RefusalSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        training_class = permissions.access_class(request.user, pk)
        return _timetable(list(training_class.lessons.all()))

    @extend_schema(
        summary="Replace the timetable",
        description="With If-Match it is replaced only if nobody has saved another one since that version.",
        parameters=[OpenApiParameter("If-Match", location=OpenApiParameter.HEADER)],
        request=TimetableLessonSerializer(many=True),
        responses={200: TimetableLessonSerializer(many=True), **_REFUSED, 412: RefusalSerializer},
    )
    def put(self, request: Request, pk: int) -> Response:
        training_class = permissions.access_class(request.user, pk)
        permissions.require_manage(_user(request), training_class)
        sent: serializers.ListSerializer[Any] = serializers.ListSerializer(
            child=TimetableLessonSerializer(), data=request.data, max_length=MOST_LESSONS
        )
        sent.is_valid(raise_exception=True)
        lessons = actions.set_timetable(
            training_class=training_class,
            drafts=[LessonDraft(**row | {"kind": HourKind(row["kind"])}) for row in sent.validated_data],
            actor=_user(request),
            at=timezone.now(),
            base=_base(request),
        )
        return _timetable(lessons)


def _timetable(lessons: Sequence[Lesson]) -> Response:
    etag = f'"{timetable_digest(drafts_of(lessons))}"'
    return Response(TimetableLessonSerializer(lessons, many=True).data, headers={"ETag": etag})


def _base(request: Request) -> str | None:
    """Which saved timetable a request began from, as its If-Match says; None where any will do."""
    named = request.headers.get("If-Match", "*").strip()
    return None if named == "*" else named.removeprefix("W/").strip('"') or "nothing"  # W/: gzip's mark


# --- filing ---


class FilingDecisionSerializer(serializers.Serializer[Any]):
    approved = serializers.BooleanField()
    reason = TextField(required=False, allow_blank=True, default="", max_length=2000)
    number = TextField(required=False, allow_blank=True, default="", max_length=40)
    accepted = serializers.ListField(
        child=TextField(max_length=40),
        required=False,
        default=list,
        max_length=20,
        help_text="codes of the exceptions that are accepted; an approval names all that are asked for",
    )


class SubmissionSerializer(serializers.Serializer[Any]):
    exceptions = serializers.DictField(
        child=TextField(max_length=MOST_REASON),
        required=False,
        default=dict,
        help_text="{code of a failing finding that is waivable: reason}",
    )


class ExceptionSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    row = serializers.CharField()
    citation = serializers.CharField()
    required = serializers.JSONField()  # type: ignore[assignment]
    actual = serializers.JSONField()
    reason = serializers.CharField()


class DecidedSerializer(FilingDecisionSerializer):
    decided_at = serializers.DateTimeField()
    decided_on = serializers.DateField(
        allow_null=True, help_text="the day that the province's receipt gives; null for an officer's own"
    )


class PackageSerializer(serializers.Serializer[Any]):
    """How far the file for the provincial system is."""

    reference = serializers.CharField()
    state = serializers.ChoiceField(choices=PackageState.choices)
    rows_done = serializers.IntegerField()
    rows_total = serializers.IntegerField()
    sha256 = serializers.CharField(allow_blank=True)
    size = serializers.IntegerField()
    problem = serializers.CharField(source="problem_text", allow_blank=True)


class FilingSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(allow_null=True)
    training_class = serializers.IntegerField()
    class_state = serializers.ChoiceField(choices=ClassState.choices)
    cancel_reason = serializers.CharField(allow_blank=True, help_text="why the class was given up, if it was")
    state = serializers.ChoiceField(choices=[("draft", "draft"), *FilingState.choices])
    submitted_at = serializers.DateTimeField(allow_null=True)
    findings = FindingSerializer(many=True)
    findings_of = serializers.ChoiceField(
        choices=["today", "submission"],
        help_text="`today`: the class can be edited and is judged as if filed today; `submission`: as they "
        "were when it was submitted, which `filings/{id}/` always gives",
    )
    exceptions = ExceptionSerializer(many=True)
    decision = DecidedSerializer(allow_null=True)
    package_sha256 = serializers.CharField(allow_blank=True)
    package = PackageSerializer(allow_null=True)


def filing_body(filing: Filing) -> dict[str, Any]:
    """The JSON form of a filing that was submitted."""
    decided = filing.state in (FilingState.APPROVED, FilingState.RETURNED)
    return {
        "id": filing.pk,
        "training_class": filing.training_class_id,
        "class_state": filing.training_class.state,
        "cancel_reason": filing.training_class.cancel_reason,
        "state": filing.state,
        "submitted_at": filing.submitted_at,
        "findings": filing.findings,
        "findings_of": "submission",
        "exceptions": filing.exceptions,
        "decision": {
            "approved": filing.state == FilingState.APPROVED,
            "reason": filing.reason,
            "number": filing.number,
            "accepted": filing.accepted,
            "decided_at": filing.decided_at,
            "decided_on": filing.decided_on,
        }
        if decided
        else None,
        "package_sha256": filing.package_sha256,
        "package": PackageSerializer(filing.package).data if filing.package else None,
    }


class FilingView(APIView):
    """The last filing of a class, or what would stand in the way of one."""

    @extend_schema(
        summary="Where the filing stands",
        responses={200: FilingSerializer, 403: RefusalSerializer, 404: RefusalSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        training_class = permissions.access_class(request.user, pk)
        _require_filing_sight(_user(request), training_class)
        last = training_class.filings.exclude(state=FilingState.WITHDRAWN).first()
        findings, of_today = current_findings(training_class, last, today=timezone.localdate())
        found = {"findings": findings, "findings_of": "today" if of_today else "submission"}
        if last is not None:
            return Response(filing_body(last) | found)
        return Response(
            {
                "id": None,
                "training_class": training_class.pk,
                "class_state": training_class.state,
                "cancel_reason": training_class.cancel_reason,
                "state": "draft",
                "submitted_at": None,
                "exceptions": [],
                "decision": None,
                "package_sha256": "",
                "package": None,
            }
            | found
        )

    @extend_schema(
        summary="Submit the class for filing",
        request=SubmissionSerializer,
        responses={201: FilingSerializer, **_REFUSED},
    )
    def post(self, request: Request, pk: int) -> Response:
        training_class = permissions.access_class(request.user, pk)
        sent = _valid(SubmissionSerializer, request.data)
        try:
            filing = actions.submit_filing(
                training_class=training_class, actor=_user(request), at=timezone.now(), **sent
            )
        except Refusal as refusal:
            body = rendered(refusal)
            return Response({**body, "findings": body["details"].get("findings", [])}, status=refusal.status)
        return Response(filing_body(filing), status=status.HTTP_201_CREATED)


class FilingPackageView(APIView):
    @extend_schema(
        summary="The package for the provincial system",
        responses={(200, XLSX): OpenApiTypes.BINARY, **_REFUSED},
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        training_class = permissions.access_class(request.user, pk)
        filing = queries.live_filing(training_class)
        _require_filing_sight(_user(request), training_class)
        if filing is None:
            raise Http404
        content = actions.read_package(filing=filing, actor=_user(request), at=timezone.now())
        return xlsx_response(content, f"filing-{filing.pk}.xlsx")

    @extend_schema(
        summary="Have a package that failed written again",
        request=None,
        responses={200: FilingSerializer, **_REFUSED},
    )
    def post(self, request: Request, pk: int) -> Response:
        training_class = permissions.access_class(request.user, pk)
        _require_filing_sight(_user(request), training_class)
        filing = queries.live_filing(training_class)
        if filing is None:
            raise Http404
        return Response(filing_body(actions.retry_package(filing=filing, actor=_user(request))))


class FilingManifestView(APIView):
    """The manifest that goes with the package: SHA-256 of the file and of each sheet."""

    @extend_schema(
        summary="Manifest of the package",
        responses={200: OpenApiTypes.OBJECT, **_REFUSED},
    )
    def get(self, request: Request, pk: int) -> Response:
        training_class = permissions.access_class(request.user, pk)
        _require_filing_sight(_user(request), training_class)
        filing = queries.live_filing(training_class)
        if filing is None:
            raise Http404
        return Response(manifest_of(filing))


@extend_schema(
    summary="Filings that one decides on", parameters=[OpenApiParameter("state", enum=FilingState.values)]
)
class FilingListView(ReadsBody, generics.ListAPIView[Filing]):
    serializer_class = FilingSerializer

    def get_queryset(self) -> QuerySet[Filing]:
        filings = queries.filings_decided_by(self.request.user)
        state = self.request.query_params.get("state", "")
        return filings.filter(state=state) if state in FilingState.values else filings

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response([filing_body(filing) for filing in page or []])


class FilingDetailView(APIView):
    @extend_schema(summary="A filing", responses={200: FilingSerializer, 404: RefusalSerializer})
    def get(self, request: Request, pk: int) -> Response:
        return Response(filing_body(permissions.access_filing(request.user, pk)))


class DecisionView(APIView):
    @extend_schema(
        summary="Approve or return a filing",
        request=FilingDecisionSerializer,
        responses={200: FilingSerializer, **_REFUSED},
    )
    def post(self, request: Request, pk: int) -> Response:
        filing = permissions.access_filing(request.user, pk)
        permissions.require_decide(_user(request), filing.training_class)
        sent = _valid(FilingDecisionSerializer, request.data)
        decided = actions.decide_filing(filing=filing, actor=_user(request), at=timezone.now(), **sent)
        return Response(filing_body(decided))


class WithdrawalView(APIView):
    @extend_schema(
        summary="Take back a filing that is not decided",
        request=None,
        responses={200: FilingSerializer, **_REFUSED},
    )
    def post(self, request: Request, pk: int) -> Response:
        filing = permissions.access_filing(request.user, pk)
        withdrawn = actions.withdraw_filing(filing=filing, actor=_user(request), at=timezone.now())
        return Response(filing_body(withdrawn))


class ChangeSerializer(serializers.Serializer[Any]):
    reason = TextField(max_length=MOST_REASON)


class ChangeView(APIView):
    @extend_schema(
        summary="Give up an approval to file the class anew",
        request=ChangeSerializer,
        responses={200: FilingSerializer, **_REFUSED},
    )
    def post(self, request: Request, pk: int) -> Response:
        filing = permissions.access_filing(request.user, pk)
        permissions.require_manage(_user(request), filing.training_class)
        sent = _valid(ChangeSerializer, request.data)
        changed = actions.supersede_filing(filing=filing, actor=_user(request), at=timezone.now(), **sent)
        return Response(filing_body(changed))


# --- small parts ---


def xlsx_response(content: bytes, filename: str) -> HttpResponse:
    """A workbook for download, never kept by a cache on the way."""
    return HttpResponse(
        content,
        content_type=XLSX,
        headers={
            "Content-Disposition": f'attachment; filename="{filename}"',
            "Cache-Control": "private, no-store",
        },
    )


def _user(request: Request) -> User:
    assert isinstance(request.user, User)  # IsAuthenticated stands before every view that asks
    return request.user


def _valid(serializer: type[serializers.Serializer[Any]], data: Any) -> Mapping[str, Any]:
    sent = serializer(data=data)
    sent.is_valid(raise_exception=True)
    return dict(sent.validated_data)


def _require_filing_sight(user: User, training_class: TrainingClass) -> None:
    if not permissions.sees_filing(user, training_class):
        raise Refusal(
            "filing_hidden",
            gettext_noop("备案材料只给本机构管理员和经办人员看。"),
            found=roles_of(user),
            required=[Role.MANAGER, Role.OFFICER],
            rule="F8",
            next_step=gettext_noop("请向机构管理员了解备案情况。"),
            status=403,
        )


api_urlpatterns = [
    path("policy/editions/", EditionListView.as_view(), name="editions"),
    path("policy/timetable-check/", TimetableCheckView.as_view(), name="timetable-check"),
    path("policy/earliest-start/", EarliestStartView.as_view(), name="earliest-start"),
    path("policy/what-if/", WhatIfView.as_view(), name="what-if"),
    path("people/", PeopleView.as_view(), name="people"),
    path("classes/", ClassListView.as_view(), name="classes"),
    path("classes/<int:pk>/", ClassView.as_view(), name="class"),
    path("classes/<int:pk>/roster/", RosterView.as_view(), name="roster"),
    path("classes/<int:pk>/roster/template/", RosterTemplateView.as_view(), name="roster-template"),
    path("classes/<int:pk>/timetable/", TimetableView.as_view(), name="timetable"),
    path("classes/<int:pk>/filing/", FilingView.as_view(), name="filing"),
    path("classes/<int:pk>/filing/package/", FilingPackageView.as_view(), name="filing-package"),
    path("classes/<int:pk>/filing/package/manifest/", FilingManifestView.as_view(), name="filing-manifest"),
    path("filings/", FilingListView.as_view(), name="filings"),
    path("filings/<int:pk>/", FilingDetailView.as_view(), name="filing-detail"),
    path("filings/<int:pk>/decision/", DecisionView.as_view(), name="filing-decision"),
    path("filings/<int:pk>/change/", ChangeView.as_view(), name="filing-change"),
    path("filings/<int:pk>/withdrawal/", WithdrawalView.as_view(), name="filing-withdrawal"),
    *receipt_urlpatterns,
]
