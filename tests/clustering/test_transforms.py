import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import rankdata
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from spatialkz.clustering.transforms import (
    TRANSFORMS,
    CenteredLogRatio,
    ColumnRanks,
    Log1p,
    Symmetric,
    transform_note,
    transformed,
)
from spatialkz.errors import InputError, RegionError
from spatialkz.specialization import symmetric_quotient


def refusals(estimator):
    if isinstance(estimator, CenteredLogRatio):
        return {"check_estimators_dtypes": "draws rows of zeros only, which have no shares and are refused"}
    return {}


@parametrize_with_checks(
    [Log1p(), Symmetric(), ColumnRanks(), CenteredLogRatio()], expected_failed_checks=refusals
)
def test_transformers_follow_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_labels_are_kept_and_rows_may_come_in_any_order(quotients, shuffled, name):
    table = transformed(quotients, name)
    assert table.index.equals(quotients.index)
    if name != "pca":
        assert table.columns.equals(quotients.columns)
    again = transformed(shuffled(quotients), name)
    pd.testing.assert_frame_equal(again.loc[table.index], table)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_input_is_not_changed(quotients, name):
    before = quotients.copy()
    transformed(quotients, name)
    pd.testing.assert_frame_equal(quotients, before)


def test_elementwise_transforms_are_their_formulas(quotients):
    pd.testing.assert_frame_equal(transformed(quotients, "none"), quotients.astype(float))
    pd.testing.assert_frame_equal(transformed(quotients, "log1p"), np.log(1 + quotients))
    pd.testing.assert_frame_equal(transformed(quotients, "symmetric"), symmetric_quotient(quotients))


def test_columns_need_not_be_text(quotients):
    numbered = quotients.set_axis(range(11), axis=1)
    for name in ("log1p", "clr", "standard"):
        assert transformed(numbered, name).columns.tolist() == list(range(11))


def test_ranks_average_ties(quotients):
    expected = (rankdata(quotients, axis=0) - 0.5) / len(quotients)
    np.testing.assert_allclose(transformed(quotients, "rank"), expected, rtol=1e-14)


def test_new_values_are_ranked_within_the_fitted_table():
    ranks = ColumnRanks().fit([[1.0, 0.0], [2.0, 0.0], [4.0, 8.0], [4.0, 9.0]])
    np.testing.assert_array_equal(
        ranks.transform([[0.0, 0.0], [3.0, 8.5], [4.0, 10.0]]), [[0, 0.25], [0.5, 0.75], [0.75, 1]]
    )


def test_log_ratio_by_hand():
    """Shares (0, ¼, ¾) with δ = 1/9 become (1/9, 2/9, 6/9)."""
    found = CenteredLogRatio().fit_transform([[0.0, 5.0, 15.0]])
    np.testing.assert_allclose(found[0], np.log([1, 2, 6]) - np.log(12) / 3, rtol=1e-14)


def test_log_ratio_has_rows_of_sum_zero_and_ignores_size(quotients):
    table = transformed(quotients, "clr")
    np.testing.assert_allclose(table.sum(axis=1), 0, atol=1e-12)
    larger = quotients.mul(np.arange(1, 18), axis=0)
    pd.testing.assert_frame_equal(transformed(larger, "clr"), table)


def test_replacement_keeps_the_ratios_of_the_other_shares(quotients):
    table = transformed(quotients, CenteredLogRatio(replacement=0.001))
    for region, row in quotients.iterrows():
        present = row > 0
        ratio = table.loc[region, present] - np.log(row[present])
        assert np.ptp(ratio) < 1e-12


def test_log_ratio_distances_of_quotients_are_those_of_shares():
    volumes = pd.DataFrame(np.random.default_rng(2).gamma(2, size=(8, 5)))
    shares = volumes.div(volumes.sum(axis=1), axis=0)
    quotients = shares / (volumes.sum() / volumes.to_numpy().sum())
    np.testing.assert_allclose(
        pdist(transformed(quotients, "clr")), pdist(transformed(shares, "clr")), rtol=1e-12
    )


def test_scaling_and_components_are_scikit_learns(quotients):
    robust = transformed(quotients, "robust")
    spread = quotients.quantile(0.75) - quotients.quantile(0.25)
    np.testing.assert_allclose(robust, (quotients - quotients.median()) / spread, atol=1e-12)
    np.testing.assert_allclose(transformed(quotients, "standard").std(ddof=0), 1)
    kept = transformed(quotients, "pca")
    assert kept.var(ddof=1).sum() >= 0.9 * quotients.var(ddof=1).sum()
    assert kept.iloc[:, :-1].var(ddof=1).sum() < 0.9 * quotients.var(ddof=1).sum()


def test_a_pipeline_may_be_passed_and_stays_unfitted(quotients):
    pipeline = make_pipeline(Log1p(), PCA(2))
    table = transformed(quotients, pipeline)
    assert table.shape == (17, 2)
    assert not hasattr(pipeline[-1], "components_")


def test_constant_columns_stay_finite():
    table = pd.DataFrame({"a": [1.0, 2, 4], "same": [3.0, 3, 3]})
    for name in TRANSFORMS:
        found = transformed(table, name)
        if name not in {"clr", "pca"}:
            assert found["same"].nunique() == 1


def test_notes_say_what_was_replaced_and_kept(quotients):
    zeros = int((quotients == 0).to_numpy().sum())
    assert transform_note(quotients, "clr").count("replaced") == bool(zeros)
    assert "1 of 6 cells was 0" in transform_note(pd.DataFrame({"a": [0, 1, 2], "b": [1, 1, 1]}), "clr")
    assert "replaced" not in transform_note(quotients + 0.1, "clr")
    assert "principal components, which keep 9" in transform_note(quotients, "pca")
    assert transform_note(quotients, "symmetric") == "(x − 1)/(x + 1)"
    assert transform_note(quotients, Log1p()) == "Log1p()"


def test_bad_input_is_refused(quotients):
    region, sector = quotients.index[3], quotients.columns[2]
    negative = quotients.astype(float).copy()
    negative.loc[region, sector] = -0.5
    for name in ("log1p", "symmetric", "clr"):
        with pytest.raises(InputError, match=f"at least 0, but {region} × {sector} is -0.5"):
            transformed(negative, name)
    for name in ("none", "rank", "robust", "standard", "pca"):
        transformed(negative, name)
    empty = quotients.astype(float).copy()
    empty.loc[region] = 0
    with pytest.raises(InputError, match=f"{region} has only zeros"):
        transformed(empty, "clr")
    with pytest.raises(InputError, match=r"is nan"):
        transformed(quotients.replace(12.79, np.nan), "log1p")
    with pytest.raises(RegionError, match="repeat"):
        transformed(pd.concat([quotients, quotients]), "log1p")
    with pytest.raises(InputError, match="one of none, log1p"):
        transformed(quotients, "log")
    with pytest.raises(InputError, match="name or a scikit-learn transformer"):
        transformed(quotients, np.log)
    with pytest.raises(InputError, match="none does"):
        transformed(quotients * 0, "pca")
    with pytest.raises(InputError, match="must be finite"), np.errstate(divide="ignore"):
        transformed(quotients * 0, FunctionTransformer(np.log))
    with pytest.raises(InputError, match=r"replacement is 0.5; with 11 columns"):
        transformed(quotients, CenteredLogRatio(0.5))


def test_negative_arrays_are_refused_by_the_transformers():
    with pytest.raises(InputError, match="the smallest is -1"):
        Symmetric().fit([[1.0], [-1.0]])
    with pytest.raises(InputError, match="row 2 holds only zeros"):
        CenteredLogRatio().fit_transform([[1.0, 2.0], [0.0, 0.0]])
