"""Graphs from files that say who neighbors whom: tables of pairs, GAL and GWT."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import csr_array

from spatialkz.errors import GraphError, InputError, RegionError, listing
from spatialkz.geography.graphs import settled
from spatialkz.geography.places import Places, RegionGeometry
from spatialkz.geography.recipes import check_option
from spatialkz.options import GraphPolicy, WeightsInFile
from spatialkz.tables import check_labels, parse_numbers, read_rows
from spatialkz.tables.labels import known_names, lost_zeros

_Row = tuple[int, list[str]]  # line, cells


@dataclass(frozen=True)
class Neighbors:
    """A graph, and what a user should know of how it was made.

    Attributes
    ----------
    graph : libpysal.graph.Graph
        Keyed by region label.
    notes : tuple of str
        Sentences on what was left out or understood.
    """

    graph: Graph
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Links:
    """What a file says: from, to and weight (None without weights), by name, and each with its line."""

    rows: list[tuple[int, str, str]]
    weights: list[float] | None
    directed: bool


def read_neighbors(
    path: str | Path,
    regions: pd.Index,
    *,
    codes: Mapping[str, Hashable] | None = None,
    encoding: str | None = None,
    weights: WeightsInFile = "read",
    directed: bool = False,
    isolates: GraphPolicy = "error",
    parts: GraphPolicy = "keep",
    places: gpd.GeoDataFrame | None = None,
) -> Neighbors:
    r"""Read a file of neighbors for the regions of a table.

    A table (CSV, XLSX, Parquet) has two columns of regions, a pair in each row, and may have a third of
    weights; its first row is a header if neither cell is a region. A pair that stands once counts both ways;
    one that stands both ways may have a weight for each. GAL and GWT files say each way for itself. Names are
    compared as text without spaces around them; pairs with regions that the table lacks are left out.

    Parameters
    ----------
    path : path
        A file ending in ``.csv``, ``.tsv``, ``.txt``, ``.xlsx``, ``.parquet``, ``.gal`` or ``.gwt``.
    regions : Index
        Labels of the table.
    codes : mapping, optional
        Other names that the file may use → label.
    encoding : str, optional
        Encoding of a text file; left out, it is told by content.
    weights : {"read", "ignore"}
        Take the third column as weights, or give each pair 1 and pass over all columns but two.
    directed : bool
        Take each pair of a table one way only, from the first region to the second.
    isolates, parts : {"error", "keep", "attach"}
        What is done about regions without neighbors and about a graph that is not connected; see
        :func:`neighbor_graph`.
    places : GeoDataFrame, optional
        Polygons or points by region label, which attaching needs.

    Returns
    -------
    Neighbors
        The graph in the order of ``regions``, not transformed, and notes.

    Raises
    ------
    InputError
        If the file cannot be read, has columns that nobody asked for, or a weight is not a positive number.
    RegionError
        If no region of the table is named, or a line names one region only.
    GraphError
        If a region neighbors itself, a pair stands twice with different weights, or under ``"error"``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "pairs.csv").write_text("A,B\nB,C\nC,Z\n")
    ...     found = read_neighbors(f"{folder}/pairs.csv", pd.Index(["A", "B", "C"]))
    >>> found.graph["B"].index.tolist(), found.notes
    (['A', 'C'], ('pairs.csv has 1 region that the table lacks (Z); its pairs were left out.',))
    """
    path = Path(path)
    check_labels(regions, "region")
    check_option(weights, "weights", get_args(WeightsInFile))
    check_option(isolates, "isolates", get_args(GraphPolicy))
    check_option(parts, "parts", get_args(GraphPolicy))
    known = known_names(regions, codes)
    if path.suffix.lower() in {".gal", ".gwt"}:
        links = _spaced(path, known, encoding or "utf-8-sig", weights)
    else:
        links = _tabular(path, known, encoding, weights, directed)
    matrix, notes = _matrix(links, known, regions, path.name)

    def located() -> Places:
        if places is None:
            raise InputError(
                f"Attaching regions to the nearest ones needs boundaries or points beside {path.name}, but "
                "there are none; give them, or add the pairs to the file."
            )
        return RegionGeometry(places.loc[regions]).places

    if path.suffix.lower() == ".gwt" and (matrix.data != 1).any():
        notes += (
            f"The third column of {path.name} was read as weights; where it holds distances, as GeoDa writes "
            "them, give weights = 'ignore'.",
        )
    graph = settled(
        matrix, regions, located, isolates, parts, source=f"in {path.name}", remedy="add their pairs"
    )
    return Neighbors(graph, notes)


def _matrix(
    links: _Links, known: dict[str, int], regions: pd.Index, file: str
) -> tuple[csr_array, tuple[str, ...]]:
    """Matrix of weights by position, and what is to be said of it."""
    named = dict.fromkeys(name for _, *pair in links.rows for name in pair)
    extra = [name for name in named if name not in known]
    lacking = regions[~np.isin(np.arange(len(regions)), [known[name] for name in named if name in known])]
    clauses = lost_zeros(extra, lacking, what=file)
    if len(lacking) == len(regions):
        reason = clauses or [f"found {listing(named)}, expected such as {listing(regions, 3)}"]
        raise RegionError(f"{file} names no region of the table: {'; '.join(reason)}.")
    if clauses:
        raise RegionError(f"{'; '.join(clauses)}.")

    weight: dict[tuple[int, int], float] = {}
    line_of: dict[tuple[int, int], int] = {}
    for (line, first, second), value in zip(
        links.rows, links.weights or [1.0] * len(links.rows), strict=True
    ):
        if first not in known or second not in known:
            continue
        pair = known[first], known[second]
        if pair[0] == pair[1]:
            if value == 0:  # how libpysal writes a region without neighbors
                continue
            raise GraphError(f"{file}, line {line}: a region cannot be its own neighbor, but {first} is.")
        if not 0 < value < np.inf:
            raise InputError(
                f"{file}, line {line}: the weight of {first} – {second} is {value:g}; "
                "expected a positive number."
            )
        if weight.setdefault(pair, value) != value:
            raise GraphError(
                f"{file}: {first} – {second} stands in lines {line_of[pair]} and {line} with the weights "
                f"{weight[pair]:g} and {value:g}; expected one."
            )
        line_of.setdefault(pair, line)

    notes = []
    if extra:
        many = len(extra) > 1
        notes.append(
            f"{file} has {len(extra)} region{'s' * many} that the table lacks ({listing(extra)}); "
            f"{'their' if many else 'its'} pairs were left out."
        )
    single = [pair for pair in weight if pair[::-1] not in weight]
    if not links.directed:
        if links.weights and len(single) < len(weight) and single:
            pairs = listing((f"{regions[i]} – {regions[j]}" for i, j in single), 3)
            notes.append(
                f"{file} gives some pairs both ways and others one way only ({pairs}), which were taken for "
                "both ways."
            )
        weight |= {(j, i): weight[i, j] for i, j in single}
    ends = np.array(list(weight), dtype=np.intp).reshape(-1, 2).T
    shape = (len(regions), len(regions))
    return csr_array((np.array(list(weight.values()), dtype=float), tuple(ends)), shape=shape), tuple(notes)


def _rows(path: Path, encoding: str | None) -> list[_Row]:
    """All rows of a table as they stand, the header among them."""
    return [(line, [_text(cell) for cell in row]) for line, row in read_rows(path, encoding=encoding)]


def _text(cell: object) -> str:
    return "" if cell is None or cell != cell else str(cell).strip()


def _tabular(
    path: Path, known: Mapping[str, int], encoding: str | None, weights: WeightsInFile, directed: bool
) -> _Links:
    rows = [row for row in _rows(path, encoding) if any(row[1])]
    used = max((at + 1 for _, cells in rows for at, cell in enumerate(cells) if cell), default=0)
    if used < 2:
        raise InputError(f"{path.name} has {used} columns; expected two, of regions that are neighbors.")
    header = _header(rows, known, path.name)
    rows = rows[1:] if header else rows
    if used > 3 and weights == "read":
        more = listing(header[3:used] if header else range(4, used + 1))
        raise InputError(
            f"{path.name} has more columns ({more}) than two of regions and one of weights; take them out, "
            "or read the pairs alone (weights = 'ignore')."
        )
    for line, cells in rows:
        if not (cells[0] and cells[1]):
            raise RegionError(
                f"{path.name}, line {line}: expected two regions, found {cells[0] or cells[1] or 'none'!r} "
                "alone; leave out regions without neighbors."
            )
    pairs = [(line, cells[0], cells[1]) for line, cells in rows]
    if used < 3 or weights == "ignore":
        return _Links(pairs, None, directed)
    name = (header[2] if header else "") or "3"
    column = pd.DataFrame({name: [cells[2] for _, cells in rows]}, index=[line for line, _ in rows])
    try:
        numbers = parse_numbers(column, [name], source=path.name)[name]
    except InputError as error:
        raise InputError(
            f"{str(error).rstrip('.')}; the third column is read as weights, unless weights = 'ignore'."
        ) from error
    return _Links(pairs, numbers.tolist(), directed)


def _header(rows: Sequence[_Row], known: Mapping[str, int], file: str) -> list[str] | None:
    """The first row if it is a header: neither of its cells is a region, of the table or of rows below."""
    first = rows[0][1]
    below = {name for _, cells in rows[1:] for name in cells[:2]}
    told = [name in known for name in first[:2]]
    regions = [name in known or name in below for name in first[:2]]
    if all(regions):
        return None
    if any(told):
        region, other = first[:2] if told[0] else first[1::-1]
        raise RegionError(
            f"{file}: the first line names the region {region}, but {other!r} is not one; expected two "
            "regions, "
            "or a header without any."
        )
    return first


def _spaced(path: Path, known: dict[str, int], encoding: str, weights: WeightsInFile) -> _Links:
    """Read a GAL or GWT file, whose names are parted by spaces and may hold some themselves."""
    try:
        text = path.read_text(encoding=encoding)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (OSError, UnicodeError) as error:
        raise InputError(f"{path.name} cannot be read as {encoding} text: {error}.") from error
    # libpysal writes spaces of names as _ in GWT files.
    known |= {name.replace(" ", "_"): at for name, at in known.items() if name.replace(" ", "_") not in known}
    lines = [(n, line.split()) for n, line in enumerate(text.splitlines(), start=1)]
    if not lines or not lines[0][1] or not lines[0][1][0].isdecimal():
        raise InputError(f"{path.name}, line 1: expected the number of regions.")
    if path.suffix.lower() == ".gal":
        return _gal(path.name, lines, known)
    rows, values = [], []
    for n, words in lines[1:]:
        if not words:
            continue
        try:
            values.append(float(words[-1]))
        except ValueError:
            raise InputError(
                f"{path.name}, line {n}: expected two regions and a weight, found {' '.join(words)!r}."
            ) from None
        first, second = _names(path.name, n, words[:-1], 2, known)
        rows.append((n, first, second))
    return _Links(rows, None if weights == "ignore" else values, directed=True)


def _gal(file: str, lines: list[tuple[int, list[str]]], known: Mapping[str, int]) -> _Links:
    count = int(lines[0][1][min(1, len(lines[0][1]) - 1)])
    blocks: list[tuple[int, str, int, list[str]]] = []
    rest = iter(lines[1:])
    for n, words in rest:
        if not words:
            continue
        if len(words) < 2 or not words[-1].isdecimal():
            raise InputError(
                f"{file}, line {n}: expected a region and its number of neighbors, found {' '.join(words)!r}."
            )
        degree = int(words[-1])
        blocks.append((n, " ".join(words[:-1]), degree, next(rest, (n, []))[1] if degree else []))
    if len(blocks) != count:
        raise InputError(f"{file} announces {count} regions and has {len(blocks)}; the file is not complete.")
    names = {*known, *(name for _, name, _, _ in blocks)}
    rows = [
        (n, focal, neighbor)
        for n, focal, degree, words in blocks
        for neighbor in _names(file, n + 1, words, degree, names)
    ]
    return _Links(rows, None, directed=True)


def _names(file: str, line: int, words: Sequence[str], count: int, known: Iterable[str]) -> list[str]:
    """Part words into a number of names; where names hold spaces, only one way must fit known ones."""
    if len(words) == count:
        return list(words)
    known = set(known)
    ways: list[list[list[str]]] = [[[]]]  # names that use up the first words
    for end in range(1, len(words) + 1):
        ways.append(
            [
                [*way, name]
                for start in range(end)
                if (name := " ".join(words[start:end])) in known
                for way in ways[start][:2]
                if len(way) < count
            ]
        )
    fitting = [way for way in ways[-1] if len(way) == count]
    if len(fitting) != 1:
        raise InputError(
            f"{file}, line {line}: expected {count} regions, found {' '.join(words)!r}; "
            "names with spaces are recognized only if they are regions of the table."
        )
    return fitting[0]
