"""Which choice moves the ranks of a study's areas."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from spatialkz.candidates.candidates import _OTHER_THRESHOLDS
from spatialkz.candidates.choices import RankChoices
from spatialkz.candidates.evidence import Setting, area_evidence
from spatialkz.candidates.sensitivity import RankSensitivity, rank_sensitivity
from spatialkz.specialization import drawn_quotients, table_quotients
from spatialkz.study import Study


def area_sensitivity(
    study: Study, *, samples: int = 1024, rng: int | np.random.Generator | None = None
) -> RankSensitivity:
    """Sobol' indices of the choices behind the area ranking of :func:`rank_candidates`.

    Factors are those that its draws vary: rounding (``error``; its indices are 0 where quotients are exact),
    threshold, graph, normalization, weights, aggregation, and the indicator left out.

    Parameters
    ----------
    study : Study
    samples : int
        A power of 2; see :func:`rank_sensitivity`.
    rng : int, Generator or None

    Returns
    -------
    RankSensitivity

    Raises
    ------
    InputError
        As :func:`rank_sensitivity`.

    Examples
    --------
    >>> import spatialkz
    >>> found = area_sensitivity(spatialkz.load_study(), samples=64, rng=1)
    >>> print(*found.overall.index, sep=", ")
    threshold, graph, normalization, aggregation, dropped, weights, error
    """
    quotients, threshold = table_quotients(study.table), study.choices.threshold
    setting = Setting.of(study, quotients)
    point = area_evidence(quotients.to_numpy()[None], setting, threshold, next(iter(setting.graphs)))
    table = pd.DataFrame({name: cells[0] for name, cells in point.items()}, index=quotients.index)
    table = table.loc[:, table.nunique() > 1]

    def drawn(
        scenario: Mapping[str, object], size: int, rng: np.random.Generator | None
    ) -> npt.NDArray[np.floating]:
        cells = np.broadcast_to(quotients.to_numpy(), (size, *quotients.shape))
        if rng is not None:
            cells = drawn_quotients(study.table, size, rng)
        found = area_evidence(cells, setting, float(str(scenario["threshold"])), str(scenario["graph"]))
        return np.stack([found[str(name)] for name in table], axis=2)

    choices = RankChoices(
        scenarios={
            "threshold": (threshold, *(threshold * more for more in _OTHER_THRESHOLDS)),
            "graph": tuple(setting.graphs),
        }
    )
    return rank_sensitivity(
        table, pd.Series(1, index=table.columns), choices, drawn=drawn, samples=samples, rng=rng
    )
