"""What this app leaves in the evidence log."""

from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from audit.kinds import Commitment, Digest, Kind, register

register(
    Kind(
        "exam.set",
        sentence=_("设置结业考试：{questions} 题，共 {points} 分"),
        schema={
            "exam": int,
            "lesson": int,
            "questions": int,
            "points": int,
            "paper": Digest,
            "seconds": int | None,
        },
    ),
    Kind(
        "exam.started",
        sentence=_("开始第 {number} 次答卷，{deadline} 截止"),
        schema={"attempt": int, "number": int, "deadline": datetime, "salt": Digest | None},
    ),
    # `question` counts from 0; `answer` is salted, so that nobody finds what was chosen by trying.
    Kind(
        "exam.answered",
        sentence=_("保存一道题的答案（第 {revision} 次保存）"),
        schema={"attempt": int, "question": int, "revision": int, "answer": Commitment},
    ),
    Kind(
        "exam.not_marked",
        sentence=_("答卷没有评分：试卷或答案和留痕不一致"),
        schema={"attempt": int, "number": int, "because": str},
    ),
    Kind(
        "exam.submitted",
        sentence=_("交卷：{points} 分（满分 {total} 分），共答 {answered} 题"),
        schema={
            "attempt": int,
            "number": int,
            "points": int,
            "total": int,
            "answered": int,
            "answers": Digest,
            "by_deadline": bool,
        },
    ),
    Kind(
        "coursework.submitted",
        sentence=_("提交培训成果，{characters} 字"),
        schema={"submission": int, "lesson": int, "characters": int, "text": Digest},
    ),
    Kind(
        "coursework.scored",
        sentence=_("培训成果评分：{score} 分"),
        schema={"submission": int, "score": int},
    ),
    Kind(
        "certificate.issued",
        sentence=_("发放合格证 {number}"),
        schema={
            "certificate": int,
            "number": str,
            "issued_on": date,
            "verdict_entry": int,
            "attempt": int,
            "points": int,
            "total": int,
        },
    ),
    Kind(
        "certificate.printed",
        sentence=_("生成合格证文件 {number}"),
        schema={"certificate": int, "number": str, "pdf": Digest},
    ),
    Kind(
        "certificate.revoked",
        sentence=_("撤销合格证 {number}"),
        schema={"certificate": int, "number": str, "reason": str},
    ),
    Kind(
        "class.concluded",
        sentence=_("班级结论：在册 {enrolled} 人，合格 {completed} 人"),
        schema={"enrolled": int, "completed": int},
    ),
)
