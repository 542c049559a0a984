"""The tables of docs/exchange-format.md, made from the kinds themselves; a test compares."""

from collections.abc import Iterator

from exchange.packages import PackageKind, dictionary_rows, kinds

BEGIN, END = "<!-- kinds: begin -->", "<!-- kinds: end -->"


def tables() -> str:
    """Every kind with its sheets and columns, as Markdown."""
    return "\n".join(line for kind in kinds() for line in _kind(kind))


def _kind(kind: PackageKind) -> Iterator[str]:
    yield f"### `{kind.name}` {kind.title}（{kind.direction}）"
    yield ""
    rows = dictionary_rows(kind)
    for sheet in kind.sheets:
        yield f"工作表 **{sheet.name}**：{sheet.meaning}。"
        yield ""
        yield "| 列 | 名称 | 类型 | 存成 | 必填 | 可填 | 含义 |"
        yield "|---|---|---|---|---|---|---|"
        for row in rows:
            if row[0] == sheet.name:
                yield "| " + " | ".join(row[1:]) + " |"
        yield ""


def page_with_tables(page: str) -> str:
    """The page with the part between its marks made anew."""
    before, _mark, rest = page.partition(BEGIN)
    _old, _mark, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables()}{END}{after}"
