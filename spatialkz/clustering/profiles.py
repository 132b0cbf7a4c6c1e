"""What a cluster is made of: its mean quotients, how they stand out, and a name made from that."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln

from spatialkz.clustering.partition.labels import Labels, Matrix, check_partition, membership
from spatialkz.errors import InputError
from spatialkz.options import Extreme
from spatialkz.results import Result, json_ready
from spatialkz.tables import check_same_regions, check_table

Part: TypeAlias = tuple[Hashable, Extreme]

POST_SELECTION = (
    "The clusters were made from these same figures, so a test of these differences would be post-selection: "
    "its p-values would be too small even where there are no clusters. Test on sectors that made no clusters "
    "(data splitting), or condition on the clustering (selective inference)."
)


@dataclass(frozen=True, repr=False)
class ClusterProfiles(Result):
    """Result of :func:`cluster_profiles`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    members : dict
        Cluster → its regions.
    groups : dict or None
        Sector → group, as given.
    """

    table: pd.DataFrame
    members: Mapping[Hashable, tuple[Hashable, ...]]
    groups: Mapping[Hashable, Hashable] | None

    def to_frame(self) -> pd.DataFrame:
        """One row for each (cluster, sector).

        Columns ``mean, typical`` (geometric mean of 1 + quotient, less 1: one large cell moves it little),
        ``others`` (mean of the other regions), ``difference`` (of the means), ``hedges_g`` and
        ``cliffs_delta``.
        """
        return self.table.copy()

    def parts(
        self,
        cluster: Hashable,
        *,
        least_delta: float = 0.474,
        least_quotient: float = 1.0,
        most: int = 3,
    ) -> list[Part]:
        """Sectors that set the cluster apart, the clearest first: (sector, "high" or "low").

        High is a sector with Cliff's δ ≥ ``least_delta`` and a typical quotient ≥ ``least_quotient``: above
        the others, and specialized. Low is one with δ ≤ −``least_delta`` and a typical quotient below that.
        A group of at least two sectors that are all high or all low stands for them.

        Parameters
        ----------
        cluster : label
        least_delta : float
            From 0 to 1; 0.474 is the usual bound of a large effect (Romano et al. 2006).
        least_quotient : float
            Typical quotient that counts as specialized.
        most : int
            At most so many parts of each direction.

        Returns
        -------
        list of (sector or group, direction)
            High parts, then low ones; empty if nothing sets the cluster apart.

        Raises
        ------
        InputError
            If there is no such cluster.
        """
        if cluster not in self.members:
            raise InputError(f"There is no cluster {cluster!r}.")
        profile = self.table.xs(cluster)
        # By way of logarithms a typical quotient of 1 can miss 1 in its last digit.
        delta, specialized = profile["cliffs_delta"], profile["typical"] >= least_quotient * (1 - 1e-12)
        rule: dict[Extreme, pd.Series] = {
            "high": (delta >= least_delta) & specialized,
            "low": (delta <= -least_delta) & ~specialized,
        }
        clearest = pd.DataFrame({"delta": -delta.abs(), "g": -profile["hedges_g"].abs()})
        parts: list[Part] = []
        for direction, holds in rule.items():
            chosen = clearest[holds].sort_values(["delta", "g"], kind="stable").index
            named = list(dict.fromkeys(self._group_or_sector(sector, holds) for sector in chosen))
            parts += [(name, direction) for name in named[:most]]
        return parts

    def _group_or_sector(self, sector: Hashable, holds: pd.Series) -> Hashable:
        if self.groups is None:
            return sector
        group = self.groups[sector]
        peers = pd.Index([peer for peer, other in self.groups.items() if other == group])
        return group if len(peers) > 1 and holds[peers].all() else sector

    def name(self, cluster: Hashable) -> str:
        """One English line: :func:`profile_name` of :meth:`parts` by the default rule."""
        return profile_name(self.parts(cluster))

    def to_dict(self) -> dict[str, object]:
        """Members, parts, name and profile of each cluster, ready for JSON."""
        return {
            str(cluster): {
                "members": json_ready(list(regions)),
                "name": self.name(cluster),
                "parts": [{"sector": str(label), "direction": d} for label, d in self.parts(cluster)],
                "profile": json_ready(self.table.xs(cluster)),
            }
            for cluster, regions in self.members.items()
        }

    def summary(self) -> str:
        """A line for each cluster, and why its differences are not to be tested."""
        lines = [
            f"{cluster}: {self.name(cluster)} ({', '.join(map(str, regions))})"
            for cluster, regions in self.members.items()
        ]
        return "\n".join([*lines, POST_SELECTION])


def profile_name(parts: Iterable[Part], words: Mapping[Hashable, str] | None = None) -> str:
    """One English line from the parts of a profile.

    Parameters
    ----------
    parts : iterable of (label, "high" or "low")
        From :meth:`ClusterProfiles.parts`.
    words : mapping, optional
        What to call a sector or group; a label left out stands for itself.

    Examples
    --------
    >>> profile_name([("electronics", "high"), ("c26", "high"), ("services", "low")], {"c26": "computers"})
    'electronics + computers, weak services'
    """
    said: dict[Extreme, list[str]] = {"high": [], "low": []}
    for label, direction in parts:
        said[direction].append((words or {}).get(label, str(label)))
    high, low = (" + ".join(labels) for labels in said.values())
    return ", ".join([high] * bool(high) + [f"weak {low}"] * bool(low)) or "no sector apart"


def cluster_profiles(
    quotients: pd.DataFrame, labels: pd.Series, *, groups: pd.Series | None = None, log: bool = True
) -> ClusterProfiles:
    r"""Compare each cluster with the other regions, sector by sector.

    Cliff's δ is :math:`P(X > Y) - P(X < Y)` for a region *X* of the cluster and *Y* of the others: −1 to 1,
    and twice the area under the ROC curve less 1. Hedges' *g* is the difference of means by the pooled
    standard deviation, with the exact correction for few regions

    .. math:: g = \frac{\bar x - \bar y}{s}\,
        \frac{\Gamma(\nu/2)}{\sqrt{\nu/2}\,\Gamma((\nu-1)/2)}, \quad \nu = n - 2.

    These describe; nothing is tested. The clusters were made to differ.

    Parameters
    ----------
    quotients : DataFrame
        Location quotients, ≥ 0; rows are regions, columns sectors.
    labels : Series
        Region → cluster, in any order; at least two clusters.
    groups : Series, optional
        Sector → group, whose name may stand for all of its sectors.
    log : bool
        Take *g* of log(1 + quotient), whose standard deviation one large cell does not rule; False takes it
        of the quotients.

    Returns
    -------
    ClusterProfiles

    Raises
    ------
    InputError
        If a quotient is missing or negative, there are fewer than 4 regions, or one cluster.
    RegionError
        If labels and quotients differ in their regions, or groups in their sectors.

    References
    ----------
    Hedges (1981), *Journal of Educational Statistics* 6, 107–128, eq. 6e; Cliff (1993), *Psychological
    Bulletin* 114, 494–509; Romano, Kromrey, Coraggio & Skowronek (2006), Florida Association of Institutional
    Research.

    Examples
    --------
    >>> quotients = pd.DataFrame(
    ...     {"optics": [3.0, 2.5, 0.2, 0.1], "design": [0.3, 0.9, 0.8, 1.4]}, index=list("wxyz"))
    >>> profiles = cluster_profiles(quotients, pd.Series([1, 1, 2, 2], index=list("wxyz")))
    >>> profiles.to_frame().loc[1, ["mean", "others", "cliffs_delta"]]
             mean  others  cliffs_delta
    optics   2.75    0.15           1.0
    design   0.60    1.10          -0.5
    >>> profiles.name(1)
    'optics, weak design'
    """
    table = check_table(quotients, name="quotients", minimum=0.0, least_regions=4)
    partition = check_partition(labels, table.index, least=2)
    if groups is not None:
        check_same_regions(groups.index, table.columns, "groups")
    names, member = membership(partition.to_numpy())
    values, logs = table.to_numpy(), np.log1p(table.to_numpy())
    size = member.sum(axis=0)[:, None]
    mean, others = _means(values, member)
    columns = {
        "mean": mean,
        "typical": np.expm1(_means(logs, member)[0]),
        "others": others,
        "difference": mean - others,
        "hedges_g": _hedges_g(logs if log else values, member),
        "cliffs_delta": _cliffs_delta(values, member, size),
    }
    index = pd.MultiIndex.from_product([names, table.columns], names=["cluster", table.columns.name])
    return ClusterProfiles(
        pd.DataFrame({name: column.ravel() for name, column in columns.items()}, index=index),
        {name: tuple(table.index[member[:, place]]) for place, name in enumerate(names)},
        None if groups is None else dict(groups.items()),
    )


def _means(values: Matrix, member: NDArray[np.bool_]) -> tuple[Matrix, Matrix]:
    """Mean of each cluster and of the other regions, shape (clusters, sectors)."""
    inside, outside = (part.T.astype(np.float64) for part in (member, ~member))
    return inside @ values / inside.sum(1, keepdims=True), outside @ values / outside.sum(1, keepdims=True)


def _hedges_g(values: Matrix, member: NDArray[np.bool_]) -> Matrix:
    """Standardized difference; 0 where the means agree, ±∞ where they differ and nothing varies within."""
    freedom = len(values) - 2
    rows = []
    for inside in member.T:
        here, there = values[inside], values[~inside]
        squares = sum(((part - part.mean(axis=0)) ** 2).sum(axis=0) for part in (here, there))
        difference, deviation = here.mean(axis=0) - there.mean(axis=0), np.sqrt(squares / freedom)
        # Rounding of equal values is no difference and no deviation.
        tiny = 1e-12 * np.abs(values).max(axis=0)
        difference = np.where(np.abs(difference) <= tiny, 0.0, difference)
        flat = np.copysign(np.where(difference == 0, 0.0, np.inf), difference)
        rows.append(np.divide(difference, deviation, out=flat, where=deviation > tiny))
    correction = np.exp(gammaln(freedom / 2) - gammaln((freedom - 1) / 2)) / np.sqrt(freedom / 2)
    result: Matrix = np.array(rows) * correction
    return result


def _cliffs_delta(values: Matrix, member: NDArray[np.bool_], size: Labels) -> Matrix:
    """From rank sums, ties halved: δ = 2 U / (n₁ n₂) − 1."""
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=0)
    wins = member.T.astype(np.float64) @ ranks - size * (size + 1) / 2
    delta: Matrix = 2 * wins / (size * (len(values) - size)) - 1
    return delta
