"""Write the table of what each graph recipe lets the enclave cities show into docs/methods/graphs.md."""

import re
from math import factorial, prod
from pathlib import Path

import numpy as np

from spatialkz import load_study, neighbor_graph
from spatialkz.geography import as_recipe, recipe_family

PAGE = Path(__file__).parents[2] / "docs" / "methods" / "graphs.md"
BEGIN, END = "<!-- table of recipes -->\n", "<!-- end of table -->\n"
CITIES = ("Nur-Sultan", "Almaty City", "Shymkent")


def smallest_p_value(weights: np.ndarray, others: int) -> float:
    """Smallest two-sided local p-value: 2 over the number of ways to lay these weights on other regions."""
    _, alike = np.unique(np.round(weights / weights.max(), 12), return_counts=True)
    ways = factorial(others) // prod(factorial(m) for m in [*alike.tolist(), others - len(weights)])
    return min(1.0, 2 / ways)


def table() -> str:
    boundaries = load_study().boundaries
    family = recipe_family() | {line: as_recipe(line) for line in ("delaunay", "kernel", "queen|knn:k=3")}
    shown = [f"{city}: neighbors | smallest p" for city in CITIES]
    rows = [
        "| recipe | in words | links | connected components | " + " | ".join(shown) + " |",
        "|---|---|--:|--:|" + "--:|--:|" * 3,
    ]
    for line, recipe in family.items():
        graph = neighbor_graph(boundaries, recipe)
        line = line.replace("|", "\\|")
        cells = [f"`{line}`", str(recipe), str(len(graph.adjacency)), str(graph.n_components)]
        for city in CITIES:
            weights = graph[city].to_numpy()
            p = smallest_p_value(weights, len(boundaries) - 1)
            cells += [str(len(weights)), f"{p:.4f}" if p >= 1e-4 else f"{p:.0e}"]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def page() -> str:
    text = PAGE.read_text(encoding="utf-8")
    return re.sub(f"(?<={BEGIN}).*(?={END})", lambda _: table(), text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
