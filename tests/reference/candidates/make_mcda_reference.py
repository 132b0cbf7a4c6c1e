"""Scores and weights by pymcdm for a random table of 12 items × 5 indicators; needs pymcdm."""

from pathlib import Path

import numpy as np
import pandas as pd
from pymcdm.methods import TOPSIS, WPM, WSM
from pymcdm.normalizations import linear_normalization, minmax_normalization
from pymcdm.weights import entropy_weights

HERE = Path(__file__).parent
rng = np.random.default_rng(20260507)
items = [f"item {i:02d}" for i in range(12)]
indicators = ["quotient", "share", "density", "distance", "p_value"]
evidence = pd.DataFrame(rng.lognormal(size=(12, 5)).round(3) + 0.05, index=items, columns=indicators)
types = np.array([1, 1, 1, -1, -1])
weights = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
cells = evidence.to_numpy()

minmax = np.column_stack(
    [minmax_normalization(column, cost=kind < 0) for column, kind in zip(cells.T, types, strict=True)]
)
scores = pd.DataFrame(
    {
        "minmax arithmetic": WSM(minmax_normalization)(cells, weights, types),
        "target arithmetic": WSM(linear_normalization)(cells, weights, types),
        "target geometric": WPM(linear_normalization)(cells, weights, types),
        "minmax topsis": TOPSIS(minmax_normalization)(cells, weights, types),
        "target topsis": TOPSIS(linear_normalization)(cells, weights, types),
    },
    index=items,
)
evidence.to_csv(HERE / "evidence.csv", index_label="item")
scores.to_csv(HERE / "scores.csv", index_label="item")
# pymcdm refuses the 0 of the worst item; 1e-12 in its place changes the weights by about 1e-11.
entropy = entropy_weights(np.maximum(minmax, 1e-12))
pd.DataFrame({"direction": types, "weight": weights, "entropy": entropy}, index=indicators).to_csv(
    HERE / "indicators.csv", index_label="indicator"
)
