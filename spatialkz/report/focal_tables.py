"""Tables of the focal test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from spatialkz.focal.models.choice import MODELS
from spatialkz.focal.multiverse import Multiverse
from spatialkz.report.contents import Findings
from spatialkz.report.focal_answers import family_name
from spatialkz.report.tables import Column, Table
from spatialkz.report.wording import Wording

VERDICTS = ("focal", "belt", "dispersed", "mixed", "undecided")


def focal_table(findings: Findings, words: Wording) -> Table | None:
    """Verdict of each family with the numbers behind it."""
    if findings.focal is None:
        return None
    table = findings.focal.to_frame()
    texts: dict[str, tuple[str, Callable[[Any], str]]] = {
        "sectors": ("sectors", words.whole),
        "variance_ratio": ("variance_ratio", words.number),
        "colocation_p": ("p_colocation", words.p_value),
        "colocation_sized_p": ("p_colocation_sized", words.p_value),
        "breadth_moran": ("moran_breadth", lambda value: words.number(value, 3)),
        "contiguity_p": ("p_contiguity", words.p_value),
        **{f"posterior_{model}": ("", words.number) for model in MODELS},
        "fit": ("fit", words.p_value),
    }
    columns = [
        Column(words("family"), [family_name(str(name), words) for name in table.index], "name"),
        Column(words("verdict"), [words(f"verdict_{verdict}") for verdict in table["verdict"]], "label"),
    ]
    for name, (heading, write) in texts.items():
        if table[name].notna().any():
            model = words(f"verdict_{name.removeprefix('posterior_')}") if not heading else ""
            head = words(heading) if heading else words("posterior", model=model)
            columns.append(Column(head, ["–" if np.isnan(value) else write(value) for value in table[name]]))
    return Table(words("table_focal", permutations=words.whole(findings.focal.permutations)), columns)


def choices_table(findings: Findings, words: Wording) -> Table | None:
    """Shares of the verdicts by each choice of the multiverse."""
    if findings.focal is None or findings.focal.multiverse is None:
        return None
    many = findings.focal.multiverse
    rows = choices(many, findings, words)
    shown = [name for name in VERDICTS if (many.table["verdict"] == name).any()]
    columns = [
        Column(words("choice"), [f"{group}: {value}" for group, value, _ in rows], "name"),
        Column(words("specifications"), [words.whole(int(mask.sum())) for _, _, mask in rows]),
    ]
    for name in shown:
        share = [(many.table.loc[mask, "verdict"] == name).mean() for _, _, mask in rows]
        columns.append(Column(words(f"verdict_{name}"), [words.percent(part) for part in share]))
    return Table(words("table_focal_choices"), columns)


def choices(many: Multiverse, findings: Findings, words: Wording) -> list[tuple[str, str, pd.Series[bool]]]:
    """Name of each choice and of each of its values, and the specifications that made it."""
    table = many.table.assign(rounding=many.table["rounding"] > 0)
    rows = []
    for choice in ("grade", "family", "null", "graph", "without", "rounding"):
        values = table[choice].unique()
        if len(values) > 1:
            named = words(f"choice_of_{choice}")
            rows += [(named, _value(choice, one, findings, words), table[choice] == one) for one in values]
    return rows


def _value(choice: str, value: object, findings: Findings, words: Wording) -> str:
    if choice == "grade":
        if isinstance(value, str):
            return words(f"grade_{value}")
        return f"{words('lq')} ≥ {words.plain(float(str(value)))}"
    if choice == "family":
        return family_name(str(value), words)
    if choice == "null":
        return words(f"null_of_{value}")
    if choice == "graph":
        return words.label("graph", value)
    if choice == "without":
        names = findings.study.region_names(words.lang)
        left = str(names.get(str(value), value))
        return words("without_none") if value == "none" else words("without_region", region=left)
    return words("rounding_drawn" if value else "rounding_printed")
