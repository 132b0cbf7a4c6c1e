"""Entry into related sectors: against all placements, the conditional likelihood, and simulation."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar
from statsmodels.discrete.discrete_model import Logit

from spatialkz import entry_test
from spatialkz.errors import InputError, RegionError
from spatialkz.specialization import density

REGIONS, SECTORS = list("abcdef"), list("uvwxyz")


def labelled(cells):
    sectors = [f"s{j:02}" for j in range(cells.shape[1])]
    return pd.DataFrame(cells, [f"r{i:02}" for i in range(len(cells))], sectors)


def quotients(log):
    return labelled(np.exp(log) / np.exp(log).mean(axis=0))


def two_periods(draw, shape=(17, 40), related=0.0):
    """Regions and sectors of unequal strength, and families of five sectors that a region is strong in."""
    strength = 0.4 * draw.normal(size=(shape[0], 1)) + 0.5 * draw.normal(size=(1, shape[1]))
    family = np.repeat(draw.normal(size=(shape[0], shape[1] // 5)), 5, axis=1)
    first, fresh = draw.normal(size=shape), draw.normal(size=shape)
    moved = 0.8 * first + 0.6 * fresh
    return quotients(strength + related * family + first), quotients(strength + related * family + moved)


@pytest.fixture(scope="module")
def small():
    draw = np.random.default_rng(23)
    before = pd.DataFrame(draw.lognormal(-0.6, size=(6, 6)), REGIONS, SECTORS)
    return before, before * draw.lognormal(0.6, 1.2, size=(6, 6))


def placements(before, after, threshold=1.0):
    at_risk = (before < threshold).to_numpy()
    entered = at_risk & (after >= threshold).to_numpy()
    rows = [
        [set(chosen) for chosen in combinations(np.flatnonzero(cells), own.sum())]
        for cells, own in zip(at_risk, entered, strict=True)
    ]
    tables = (np.array([[j in chosen for j in range(6)] for chosen in choice]) for choice in product(*rows))
    return entered, np.array([one for one in tables if (one.sum(axis=0) == entered.sum(axis=0)).all()])


def test_the_p_value_is_that_of_all_placements(small):
    before, after = small
    entered, every = placements(before, after)
    assert len(every) > 100
    related = density(before).to_numpy()
    means = np.array([related[one].mean() for one in every])
    own = related[entered].mean()
    found = entry_test(before, after, draws=19_999, rng=1).to_frame().iloc[0]
    assert found["density"] == pytest.approx(own)
    assert found["expected"] == pytest.approx(means.mean(), abs=5 * means.std() / np.sqrt(19_999))
    assert found["standard_deviation"] == pytest.approx(means.std(), rel=0.03)
    expected = 2 * min((means >= own - 1e-12).mean(), (means <= own + 1e-12).mean())
    assert found["p_value"] == pytest.approx(min(1, expected), abs=0.02)


def test_coefficients_of_controls_are_those_of_the_conditional_likelihood(small):
    """Given both margins, P(E) is proportional to exp(γ Σ c E): the sum over all placements, by hand."""
    before, after = small
    entered, every = placements(before, after)
    control = pd.DataFrame(np.random.default_rng(5).normal(size=(6, 6)), REGIONS, SECTORS)
    totals = np.array([control.to_numpy()[one].sum() for one in every])
    own = control.to_numpy()[entered].sum()
    best = minimize_scalar(
        lambda g: np.log(np.exp(g * (totals - own)).sum()), bounds=(-5, 5), method="bounded"
    )
    found = entry_test(before, after, controls={"distance": control}, draws=999, rng=1)
    assert found.controls.index.tolist() == ["distance"]
    assert found.controls.item() == pytest.approx(best.x, abs=0.05)
    assert "distance" in found.summary()


def test_entries_that_follow_the_breadth_of_regions_are_no_relatedness():
    """The plain logit takes unequal regions for relatedness; this test keeps its level."""
    draw = np.random.default_rng(11)
    plain, kept = [], []
    for table in range(60):
        found = entry_test(*two_periods(draw), draws=199, rng=table)
        kept.append(found.to_frame()["p_value"].item() <= 0.05)
        design = np.column_stack([np.ones(len(found.cells)), found.cells["density"]])
        plain.append(Logit(found.cells["entered"].astype(float), design).fit(disp=0).pvalues.iloc[1] <= 0.05)
    assert np.mean(plain) > 0.4
    assert stats.binomtest(sum(kept), len(kept), 0.05).pvalue > 0.01


def test_relatedness_is_found():
    draw = np.random.default_rng(12)
    found = [
        entry_test(*two_periods(draw, related=2.0), draws=199, alternative="greater", rng=1).to_frame()
        for _ in range(20)
    ]
    assert np.mean([table["p_value"].item() <= 0.05 for table in found]) > 0.5
    assert np.mean([table["slope"].item() for table in found]) > 0


def test_the_excess_is_what_dummies_leave():
    before, after = two_periods(np.random.default_rng(3), (9, 10))
    cells = entry_test(before, after, draws=99, rng=1).cells
    dummies = pd.get_dummies(cells.index.to_frame(index=False).astype(str)).to_numpy(dtype=float)
    fitted = dummies @ np.linalg.lstsq(dummies, cells["density"].to_numpy(), rcond=None)[0]
    assert cells["excess"].to_numpy() == pytest.approx(cells["density"].to_numpy() - fitted, abs=1e-9)


def test_order_changes_nothing(small, shuffled):
    before, after = small
    one = entry_test(before, after, draws=199, rng=1).to_frame()
    other = entry_test(shuffled(before), shuffled(after).iloc[:, ::-1], draws=199, rng=1).to_frame()
    pd.testing.assert_frame_equal(one, other)


def test_what_cannot_be_tested_is_refused(small):
    before, after = small
    table = {"before": before, "after": after}
    alone = pd.DataFrame(2.0, REGIONS, SECTORS)
    by_region = before * 0 + np.arange(6.0)[:, None]
    for change, told in (
        ({"after": before}, "None of the .* cells below the threshold"),
        ({"after": alone}, "All of the .* cells"),
        ({"after": after.rename(columns={"u": "law"})}, "differ in their sectors: law, u"),
        ({"controls": by_region}, "The control control varies only by region"),
        ({"controls": {"size": after, "again": 2 * after}}, "size, again say the same"),
        ({"controls": "size"}, "controls must be a DataFrame.*'size'"),
        ({"threshold": 100.0}, "No region is specialized|None of"),
    ):
        with pytest.raises(InputError, match=told):
            entry_test(**{**table, **change}, draws=99)
    with pytest.raises(RegionError, match="after lacks a"):
        entry_test(before, after.drop(index="a"))
    entries = before.where(before >= 1, 0.5)
    one_way = entries.mask((entries < 1) & (np.arange(6)[:, None] == 0), 1.5)
    with pytest.raises(InputError, match="one way only"):
        entry_test(entries, one_way)
    at_an_end = {"chance": (after >= 1) * 1.0 + 0.01 * before}
    with pytest.raises(InputError, match="at an end of the control chance"):
        entry_test(before, after, controls=at_an_end, draws=99, rng=1)
