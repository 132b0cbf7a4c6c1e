import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from spatialkz.errors import InputError
from spatialkz.resampling.engine import permuted_cross_products
from spatialkz.spatial import moran
from spatialkz.spatial.bivariate import bivariate_moran, cross_moran, permuted_matrices, unit_columns


def test_matrix_holds_morans_and_mean_bivariate_morans(quotients, study):
    test = cross_moran(quotients, study.graph, permutations=99, rng=1)
    alone = moran(quotients, study.graph, method="randomization").to_frame()["statistic"]
    np.testing.assert_allclose(np.diag(test.matrix), alone, atol=1e-12)
    pairs = bivariate_moran(quotients, quotients, study.graph, method="randomization").to_frame()["statistic"]
    mean = 0.5 * (pairs["research", "vehicles"] + pairs["vehicles", "research"])
    assert test.matrix.loc["research", "vehicles"] == pytest.approx(mean, abs=1e-12)
    joint = test.joint.to_frame()["statistic"]
    assert joint["trace"] == pytest.approx(alone.sum())
    assert joint["largest eigenvalue"] == pytest.approx(np.linalg.eigvalsh(test.matrix).max())


def test_moments_agree_with_the_permutations(quotients, study):
    x = quotients[["research", "vehicles", "electrical"]]
    test = cross_moran(x, study.graph, permutations=19_999, rng=1)
    found = test.to_frame()
    assert len(found) == 6
    width = (test.pairs.envelope["high"] - test.pairs.envelope["low"]) / np.sqrt(found["variance"])
    assert width.between(3, 5).all()
    wanted = moran(x, study.graph, permutations=19_999, rng=1).to_frame()["p_value"]
    assert found.loc[("research", "research"), "p_value"] == pytest.approx(wanted["research"], abs=0.02)


@pytest.mark.parametrize("kind", ["normal", "lognormal", "zero-inflated"])
def test_size_at_five_percent_with_17_regions(study, null_tables, kind):
    values = null_tables(kind, 600)
    p_values = [
        cross_moran(values.iloc[:, i : i + 3], study.graph, permutations=199, rng=i).joint.to_frame()[
            "p_value"
        ]
        for i in range(0, 600, 3)
    ]
    rejected = (pd.DataFrame(p_values) <= 0.05).mean()
    assert (rejected < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)).all()


def test_shuffled_rows_change_nothing(quotients, study, shuffled):
    first = cross_moran(quotients, study.graph, permutations=99, rng=1)
    second = cross_moran(shuffled(quotients), study.graph, permutations=99, rng=1)
    pd.testing.assert_frame_equal(first.to_frame(), second.to_frame())
    pd.testing.assert_frame_equal(first.matrix, second.matrix)
    assert set(first.to_dict()) == {"matrix", "pairs", "joint"}
    assert "largest eigenvalue" in first.summary()


def test_one_variable_is_refused(quotients, study):
    with pytest.raises(InputError, match="at least two variables"):
        cross_moran(quotients[["research"]], study.graph)


def test_the_number_of_threads_and_the_size_of_blocks_change_no_bit(monkeypatch):
    rng = np.random.default_rng(1)
    values = unit_columns(pd.DataFrame(rng.normal(size=(60, 5))))
    weights = csr_array(rng.random((60, 60)) < 0.1)
    results = []
    for jobs, block in ((1, 32_000_000), (2, 32_000_000), (3, 40_000)):
        monkeypatch.setattr("spatialkz.resampling.parallel._WORTH_A_WORKER", 0)
        monkeypatch.setattr("spatialkz.spatial.bivariate._BLOCK_BYTES", block)
        with joblib.parallel_config(n_jobs=jobs):
            results.append(permuted_matrices(values, values, weights * 1.0, 101, np.random.default_rng(3)))
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])
    # The permutations are those of the engine of the other global tests.
    diagonal = permuted_cross_products(values, weights * 1.0, 101, np.random.default_rng(3))
    np.testing.assert_allclose(np.diagonal(results[0], axis1=1, axis2=2), diagonal, atol=1e-12)
