"""What tests of quotients accept, and the sentences that refuse the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.specialization.counts.cells import Cells, Floats
from spatialkz.specialization.margins import Margins
from spatialkz.tables import ActivityTable, check_labels, check_table


def checked_counts(
    counts: pd.DataFrame | ActivityTable,
    base: pd.Series | pd.DataFrame | None,
    groups: pd.Series | None,
) -> tuple[pd.DataFrame, pd.Series | pd.DataFrame | None, pd.Series | None]:
    """Whole numbers only; an activity table brings its base and groups along."""
    if isinstance(counts, ActivityTable):
        if counts.kind == "quotients":
            raise InputError(
                "These are published quotients, and a test needs the counts behind them; their rounding "
                "intervals (ActivityTable.interval) can be carried instead."
            )
        if counts.kind == "volumes":
            raise InputError(
                f"These are volumes ({counts.unit or 'no unit given'}), and a test needs things that were "
                "counted; carry their rounding intervals (ActivityTable.interval), or state an error model "
                "and simulate from it."
            )
        hidden = counts.hidden
        if hidden.any(axis=None):
            cells = [f"{hidden.index[i]} × {hidden.columns[j]}" for i, j in np.argwhere(hidden.to_numpy())]
            raise InputError(
                f"A test of quotients needs every count, but these cells are hidden: {listing(cells)}; "
                "quotient_interval gives the quotients that their intervals allow."
            )
        base = counts.base if base is None else base
        groups = counts.groups if groups is None else groups
        if counts.national is not None:
            _refuse_fractions(counts.national.to_frame("the country"), "national")
        counts = counts.values
    table = check_table(counts, name="counts", minimum=0)
    _refuse_fractions(table, "counts")
    if base is not None:
        bases = check_table(base, name="base", minimum=0)
        _refuse_fractions(bases, "base")
    return table, base, groups


def _refuse_fractions(table: pd.DataFrame, name: str) -> None:
    wrong = np.argwhere(table.to_numpy() % 1 != 0)
    if len(wrong):
        cells = [f"{table.index[i]} × {table.columns[j]} is {table.iloc[i, j]:.6g}" for i, j in wrong[:4]]
        more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
        raise InputError(
            f"{name} must be whole numbers, but {listing(cells)}{more}; money is no count, and full-time "
            "equivalents have quotients and ranks, but no sampling error that is known."
        )


def cells_of(found: Margins) -> Cells:
    """Arrays of the margins, once no count exceeds its base even by one."""
    over = np.argwhere(found.activity.to_numpy() > found.bases.to_numpy())
    if len(over):
        cells = [f"{found.activity.index[i]} × {found.activity.columns[j]}" for i, j in over]
        raise InputError(f"The base must contain the counts, but it is smaller in {listing(cells)}.")
    shape = found.activity.shape
    return Cells(
        found.activity.to_numpy(),
        np.broadcast_to(found.sector_totals.to_numpy(), shape),
        found.bases.to_numpy(),
        np.broadcast_to(found.base_totals.to_numpy(), shape),
    )


def check_herfindahl(herfindahl: pd.Series | None, sector_totals: pd.Series) -> Floats:
    """Return H of each sector in the order of the totals, or say what is wrong with it."""
    if not isinstance(herfindahl, pd.Series) or not pd.api.types.is_numeric_dtype(herfindahl.dtype):
        raise InputError(
            "The overdispersed method needs herfindahl (a Series of numbers by sector) or plants."
        )
    check_labels(herfindahl.index, "sector of herfindahl")
    missing = sector_totals.index.difference(herfindahl.dropna().index)
    if len(missing):
        raise InputError(f"herfindahl has no entry for {listing(missing)}.")
    values = herfindahl.loc[sector_totals.index].astype("float64")
    wrong = values.index[~((values >= (1 - 1e-9) / sector_totals) & (values <= 1 + 1e-9))]
    if len(wrong):
        cells = [f"{sector} has {values[sector]:g} with {sector_totals[sector]:g} jobs" for sector in wrong]
        raise InputError(
            f"herfindahl must lie between 1 / jobs (each plant one job) and 1 (one plant), "
            f"but {listing(cells)}."
        )
    return np.asarray(values.clip(1 / sector_totals, 1.0), dtype=np.float64)


def check_plants(plants: pd.Series, sector_totals: pd.Series) -> list[Floats]:
    """Return the plant sizes of each sector in the order of the totals, or say what is wrong with them."""
    if not isinstance(plants, pd.Series) or not pd.api.types.is_numeric_dtype(plants.dtype):
        raise InputError(
            "plants must be a Series of plant sizes in numbers, its index the sector of each plant."
        )
    sizes = plants.astype("float64")
    wrong = sizes[~((sizes >= 1) & (sizes % 1 == 0))]
    if len(wrong):
        found = [f"{sector} has {size:g}" for sector, size in wrong.items()]
        raise InputError(f"The size of a plant must be a whole number of at least 1, but {listing(found)}.")
    sums = sizes.groupby(level=0).sum().reindex(sector_totals.index, fill_value=0.0)
    unequal = sums.index[sums != sector_totals]
    if len(unequal):
        found = [f"{sector} has {sums[sector]:g} of {sector_totals[sector]:g}" for sector in unequal]
        raise InputError(f"The plants of a sector must add up to its jobs, but {listing(found)}.")
    by_sector = {sector: np.asarray(group, dtype=np.float64) for sector, group in sizes.groupby(level=0)}
    return [by_sector[sector] for sector in sector_totals.index]
