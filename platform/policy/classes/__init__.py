"""Rules about a class and everybody in it: the class itself, its trainees, its lecturers, its institution."""

from policy.classes.institutions import (
    PLATFORM_CONDITIONS,
    IndependenceFact,
    MeasureKind,
    MeasureRecord,
    PlatformCondition,
    PlatformField,
    judge_independence,
    judge_institution,
    judge_platform,
    judge_platform_report,
)
from policy.classes.lecturers import (
    ClassLoss,
    LecturerRecord,
    judge_disorder,
    judge_lecturer,
    judge_losses,
    last_losing_run,
    lecturer_fee,
)
from policy.classes.teaching import (
    judge_class_size,
    judge_edition,
    judge_outline,
    judge_staff,
    judge_start,
)
from policy.classes.trainees import (
    EvidenceRecord,
    judge_category_evidence,
    judge_paid_once,
    judge_working_age,
    parse_category,
)

__all__ = [
    "PLATFORM_CONDITIONS",
    "ClassLoss",
    "EvidenceRecord",
    "IndependenceFact",
    "LecturerRecord",
    "MeasureKind",
    "MeasureRecord",
    "PlatformCondition",
    "PlatformField",
    "judge_category_evidence",
    "judge_class_size",
    "judge_disorder",
    "judge_edition",
    "judge_independence",
    "judge_institution",
    "judge_lecturer",
    "judge_losses",
    "judge_outline",
    "judge_paid_once",
    "judge_platform",
    "judge_platform_report",
    "judge_staff",
    "judge_start",
    "judge_working_age",
    "last_losing_run",
    "lecturer_fee",
    "parse_category",
]
