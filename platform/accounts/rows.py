"""Tables that are edited in the browser as repeated fields of one form."""

from collections.abc import Sequence

from django.http import QueryDict

from policy.messages import gettext_noop
from policy.refusals import Refusal

WHOLE = "whole"  # the form's last field: what has it has arrived to its end
MOST_CHARACTERS = 200  # of a cell; longer text is refused with the row, by whoever stores it


def sent_rows(data: QueryDict, fields: Sequence[str], *, most: int) -> list[list[str]]:
    """The text of each row of the table that a browser sent, at most one row more than `most`.

    Raises Refusal `form_cut_off` (400) where the form did not arrive whole, since saving what did arrive
    would take the rest of the table away.
    """
    columns = [data.getlist(name) for name in fields]
    if WHOLE not in data or len(set(map(len, columns))) > 1:
        raise Refusal(
            "form_cut_off",
            gettext_noop("这张表没有完整收到，没有保存，原来的内容都在。"),
            found=False,
            required=True,
            next_step=gettext_noop("请回到上一页再保存一次；还是不行，请刷新页面再改。"),
            status=400,
        )
    return [
        [text.replace("\0", "").strip()[:MOST_CHARACTERS] for text in cells]
        for cells in zip(*(column[: most + 1] for column in columns), strict=True)
    ]
