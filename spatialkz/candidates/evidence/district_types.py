"""Types of districts by rules that are data: which rule a region meets, and what it lacks for the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spatialkz.errors import InputError, listing
from spatialkz.resampling.pvalues import Floats
from spatialkz.study.schema import RulesFile, check_section, read_toml
from spatialkz.tables import check_labels, check_table


@dataclass(frozen=True)
class DistrictRule:
    """One way of being a district of a type.

    Attributes
    ----------
    type : str
        The type it leads to; several rules may lead to one type.
    name : str
        Name of the rule, different from all others.
    needs : mapping
        Evidence → the least value of it; all of them are needed.
    why : str
        The reason, with its source.
    """

    type: str
    name: str
    needs: Mapping[str, float]
    why: str = ""


@dataclass(frozen=True)
class DistrictRules:
    """Rules in their order, the first that is met decides; made by :func:`read_district_rules` or by hand.

    More evidence can never lose a region a rule, because a rule has lower bounds only.

    Attributes
    ----------
    rules : tuple of DistrictRule
    none : str
        What a region is called that meets no rule.
    fixed : tuple of str
        Evidence that no policy changes: a rule a region misses by it is out of reach, and never "next".
    """

    rules: tuple[DistrictRule, ...]
    none: str = "none"
    fixed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.rules:
            raise InputError("There are no district rules; at least one is needed.")
        names = [rule.name for rule in self.rules]
        check_labels(pd.Index(names), "rule name")
        if self.none in self.types:
            raise InputError(f"{self.none!r} is the name for no district, so no rule may lead to it.")
        for rule in self.rules:
            numbers = [isinstance(v, int | float) and not isinstance(v, bool) for v in rule.needs.values()]
            if not numbers or not all(numbers) or not np.isfinite(list(rule.needs.values())).all():
                raise InputError(
                    f"The rule {rule.name!r} must need some evidence, each with a finite number, "
                    f"but it needs {dict(rule.needs)}."
                )
        unknown = set(self.fixed).difference(self.evidence)
        if unknown:
            raise InputError(f"fixed names {listing(sorted(unknown))}, which no rule needs.")

    @property
    def types(self) -> tuple[str, ...]:
        """The types in the order of their first rule."""
        return tuple(dict.fromkeys(rule.type for rule in self.rules))

    @property
    def evidence(self) -> tuple[str, ...]:
        """The evidence that the rules speak of."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in rule.needs))


def read_district_rules(path: str | Path) -> DistrictRules:
    """Read rules from TOML: ``none``, ``fixed``, and a ``[[rule]]`` with type, name, needs, why for each.

    Raises
    ------
    InputError
        If the file is missing or not TOML, or a key is unknown, missing or of the wrong kind.

    Examples
    --------
    >>> from spatialkz.datasets import data_path
    >>> rules = read_district_rules(data_path("kazakhstan-2022", "district_rules.toml"))
    >>> print(*rules.types, sep=", ")
    digital hub, high-tech cluster, medium-tech cluster, technopolis, smart city
    """
    path = Path(path)
    found = check_section(RulesFile, read_toml(path), path.name)
    return DistrictRules(
        tuple(DistrictRule(**dict(rule)) for rule in found.rule), none=found.none, fixed=tuple(found.fixed)
    )


def district_types(evidence: pd.DataFrame, rules: DistrictRules) -> pd.DataFrame:
    """Type of each region by the first rule it meets.

    Parameters
    ----------
    evidence : DataFrame, shape (regions, evidence)
        For instance :func:`~spatialkz.candidates.evidence.area_profile.area_profile`; more is better.
    rules : DistrictRules

    Returns
    -------
    DataFrame
        Index ``region``; ``type`` and ``rule`` (``rules.none`` and empty if none is met), ``also`` (other
        types whose rules are met, separated by ``; ``), and ``next_type, next_rule, lacks``: of the rules
        that lead to an earlier type and fail by no fixed evidence, the one with the fewest needs unmet
        (then the nearest before the rule that fired), and what it lacks. These three are empty for a region
        with no rule left to reach.

    Raises
    ------
    InputError
        If a rule names evidence that the table does not have, or a cell is missing.

    Examples
    --------
    >>> hub, town = DistrictRule("hub", "big", {"digital": 2}), DistrictRule("town", "small", {"digital": 1})
    >>> rules = DistrictRules((hub, town))
    >>> print(district_types(pd.DataFrame({"digital": [3, 1, 0]}, index=list("abc")), rules))
            type   rule  also next_type next_rule          lacks
    region
    a        hub    big  town
    b       town  small             hub       big  digital 1 < 2
    c       none                   town     small  digital 0 < 1
    """
    table = check_table(evidence, name="evidence", least_regions=1)
    met = _met({str(name): table[name].to_numpy() for name in table}, rules)
    fired = _first(met)
    rows = []
    for i in range(len(table)):
        mine = rules.rules[fired[i]] if fired[i] < len(rules.rules) else None
        held = [rule.type for rule, holds in zip(rules.rules, met[:, i], strict=True) if holds]
        others = [kind for kind in dict.fromkeys(held) if mine is None or kind != mine.type]
        ahead = _next(table.iloc[i], rules, None if mine is None else mine.type, int(fired[i]))
        rows.append(
            {
                "type": rules.none if mine is None else mine.type,
                "rule": "" if mine is None else mine.name,
                "also": "; ".join(others),
                "next_type": ahead.type if ahead else "",
                "next_rule": ahead.name if ahead else "",
                "lacks": "; ".join(_lacking(table.iloc[i], ahead)) if ahead else "",
            }
        )
    return pd.DataFrame(rows, index=table.index.rename("region"))


def type_shares(
    evidence: Mapping[str, Floats], rules: DistrictRules, regions: Sequence[str] | pd.Index
) -> pd.DataFrame:
    """How often each region has each type over drawn evidence.

    Parameters
    ----------
    evidence : mapping
        Evidence → array of shape (draws, regions), or (regions,) for what is the same in all draws; for
        instance :func:`~spatialkz.candidates.evidence.area_profile.drawn_profile`.
    rules : DistrictRules
    regions : Index
        Labels of the last axis.

    Returns
    -------
    DataFrame
        Index ``region``; a column for each type and for ``rules.none``; rows sum to 1.

    Raises
    ------
    InputError
        If a rule names evidence that is not there, shapes do not fit, or a value is not finite.

    Examples
    --------
    >>> rules = DistrictRules((DistrictRule("hub", "big", {"digital": 2}),))
    >>> type_shares({"digital": np.array([[3.0, 1.0], [2.0, 2.0]])}, rules, ["a", "b"])
            hub  none
    region
    a       1.0   0.0
    b       0.5   0.5
    """
    labels = pd.Index(regions, name="region")
    check_labels(labels, "region")
    _check_known(evidence, rules)
    for name in rules.evidence:
        if np.ndim(evidence[name]) not in (1, 2) or np.shape(evidence[name])[-1] != len(labels):
            raise InputError(
                f"The evidence {name!r} has the shape {np.shape(evidence[name])}; expected was (draws, "
                f"{len(labels)} regions)."
            )
        if not np.isfinite(evidence[name]).all():
            raise InputError(f"The drawn evidence {name!r} must be finite, but it is not.")
    fired = _first(_met(evidence, rules))
    kinds = [*rules.types, rules.none]
    kind_of_rule = np.array([kinds.index(rule.type) for rule in rules.rules] + [len(kinds) - 1])
    drawn = np.atleast_2d(kind_of_rule[fired])
    return pd.DataFrame(
        {kind: (drawn == number).mean(axis=0) for number, kind in enumerate(kinds)}, index=labels
    )


def _check_known(evidence: Mapping[str, Floats], rules: DistrictRules) -> None:
    for rule in rules.rules:
        unknown = set(rule.needs).difference(evidence)
        if unknown:
            raise InputError(
                f"The rule {rule.name!r} needs the evidence {listing(sorted(unknown))}, which does not "
                f"exist; there is {listing(evidence, 30)}."
            )


def _met(evidence: Mapping[str, Floats], rules: DistrictRules) -> NDArray[np.bool_]:
    """Which rules are met, of shape (rules, …regions)."""
    _check_known(evidence, rules)
    shape = np.broadcast_shapes(*(np.shape(evidence[name]) for name in rules.evidence))
    met = np.ones((len(rules.rules), *shape), dtype=bool)
    for row, rule in zip(met, rules.rules, strict=True):
        for name, least in rule.needs.items():
            row &= evidence[name] >= least
    return met


def _first(met: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Position of the first rule met; the number of rules if none is."""
    return np.where(met.any(axis=0), met.argmax(axis=0), len(met))


def _lacking(row: pd.Series, rule: DistrictRule) -> list[str]:
    return [f"{name} {row[name]:g} < {least:g}" for name, least in rule.needs.items() if row[name] < least]


def _next(row: pd.Series, rules: DistrictRules, mine: str | None, fired: int) -> DistrictRule | None:
    """The rule of an earlier type that is nearest to being met."""
    ahead = [
        rule
        for rule in reversed(rules.rules[:fired])
        if rule.type != mine and not any(row[name] < rule.needs.get(name, -np.inf) for name in rules.fixed)
    ]
    return min(ahead, key=lambda rule: len(_lacking(row, rule)), default=None)
