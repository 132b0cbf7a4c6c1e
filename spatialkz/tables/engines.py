"""One pass over a register on the engine that holds it: sums by region and sector code."""

from __future__ import annotations

import glob
import os
import tempfile
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

import pandas as pd

from spatialkz.errors import InputError, SpatialKZError, listing
from spatialkz.options import DecimalMark
from spatialkz.tables.labels import require_labels

if TYPE_CHECKING:
    import narwhals as nw

#: A frame of any engine that Narwhals knows, an Arrow dataset, or names of files.
Register: TypeAlias = Any

_FORMS = {
    **dict.fromkeys((".parquet", ".pq", ".geoparquet"), "Parquet"),
    **dict.fromkeys((".csv", ".tsv", ".txt"), "CSV"),
}
_PACKED = {".gz", ".zst"}
_NO_COLUMN = "The register has no column"
# Libraries whose failures are the engine's, not ours.
_ENGINES = {
    "_duckdb": "DuckDB",
    "duckdb": "DuckDB",
    "polars": "Polars",
    "pyarrow": "Arrow",
    "dask": "Dask",
    "distributed": "Dask",
    "pyspark": "Spark",
    "py4j": "Spark",
}


@dataclass(frozen=True)
class Pass:
    """What one pass over a register asks for.

    Attributes
    ----------
    region, sector : str
        Columns with the codes.
    value : str, optional
        Column that is summed; left out, rows are counted.
    squares : bool
        Whether to sum squares too.
    widths : pair of int or None
        Leading characters of region and sector codes that matter.
    where : mapping
        Column → value, or list of values, of the rows to keep.
    constant : tuple of str
        Columns that must have one value in all rows that are kept.
    """

    region: str
    sector: str
    value: str | None = None
    squares: bool = False
    widths: tuple[int | None, int | None] = (None, None)
    where: Mapping[str, object] = field(default_factory=dict)
    constant: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """All columns that are needed."""
        named = [self.region, self.sector, *([] if self.value is None else [self.value])]
        return list(dict.fromkeys([*named, *self.where, *self.constant]))


def opened(
    register: Register,
    columns: list[str],
    *,
    texts: Iterable[str] = (),
    numbers: Iterable[str] = (),
    decimal: DecimalMark = ".",
) -> nw.DataFrame[Any] | nw.LazyFrame[Any]:
    """The register as Narwhals sees it; nothing is computed.

    Parameters
    ----------
    register : frame, dataset, or names of files
    columns : list of str
        Columns that it must have.
    texts, numbers : iterable of str
        Which of them are texts and numbers in CSV files; the others are told by content.
    decimal : {".", ","}
        Decimal mark in CSV files.

    Raises
    ------
    InputError
        If it is no frame of a known engine, a file is missing or of another form, or a column is missing.
    """
    import narwhals as nw

    if decimal not in get_args(DecimalMark):
        raise InputError(f"decimal is {decimal!r}; it must be a point or a comma.")
    if isinstance(register, str | os.PathLike):
        register = [register]
    if isinstance(register, list | tuple):
        types = {**dict.fromkeys(texts, "VARCHAR"), **dict.fromkeys(numbers, "DOUBLE")}
        register = _read_files(register, columns, types, decimal)
    elif any(
        kind.__module__.startswith("pyarrow") and kind.__name__ == "Dataset"
        for kind in type(register).__mro__
    ):
        register = _connection().from_arrow(register)
    try:
        with warnings.catch_warnings():
            # Narwhals will have Dask in a package of its own, which is not there yet.
            warnings.filterwarnings("ignore", "Dask support", FutureWarning)
            frame: nw.DataFrame[Any] | nw.LazyFrame[Any] = nw.from_native(register)
    except TypeError as error:
        raise InputError(
            f"The register is of type {type(register).__name__}; expected a frame of pandas, Polars, DuckDB, "
            "PyArrow, Dask or PySpark, or names of Parquet or CSV files."
        ) from error
    except nw.exceptions.NarwhalsError as error:
        raise InputError(f"The register cannot be used: {_first_line(error)}.") from error
    require_labels(columns, frame.collect_schema().names(), _NO_COLUMN)
    return frame


def sums(
    frame: nw.DataFrame[Any] | nw.LazyFrame[Any], wanted: Pass, *, no_value: bool = False
) -> pd.DataFrame:
    """Sums by region and sector code, in one pass on the engine; a row for each pair of codes.

    Parameters
    ----------
    frame : DataFrame or LazyFrame of Narwhals
    wanted : Pass
    no_value : bool
        Whether NaN is taken for a missing value, not added.

    Returns
    -------
    DataFrame
        Columns ``region, sector`` (codes, cut to their widths where the engine does that), ``rows``; with a
        value ``given`` (rows that have one), ``total, low, square``; for each constant column number *k*
        ``least_k, most_k, given_k``.

    Raises
    ------
    InputError
        If the value is no number, or rows to keep cannot be told.
    SpatialKZError
        If the engine fails.
    """
    import narwhals as nw

    schema = frame.collect_schema()
    lazy = isinstance(frame, nw.LazyFrame)
    chosen: dict[str, nw.Expr] = {}
    for name, column, width in zip(
        ("region", "sector"), (wanted.region, wanted.sector), wanted.widths, strict=True
    ):
        code = nw.col(column)
        # In memory, codes are grouped as they are: cutting each row would take longer.
        if lazy and width is not None and schema[column] == nw.String:
            code = code.str.strip_chars().str.slice(0, width)
        chosen[name] = code.alias(name)
    asked: dict[str, nw.Expr] = {"rows": nw.len()}
    if wanted.value is not None:
        value = _value(schema[wanted.value], wanted.value, no_value)
        chosen["value"] = value
        held = nw.col("value")
        asked |= {"given": held.count(), "total": held.sum(), "low": held.min()}
        if wanted.squares:
            chosen["square"] = value * value
            asked["square"] = nw.col("square").sum()
    for k, column in enumerate(wanted.constant):
        text = nw.col(column)
        chosen[f"constant_{k}"] = text if schema[column].is_numeric() else text.cast(nw.String)
        held = nw.col(f"constant_{k}")
        asked |= {f"least_{k}": held.min(), f"most_{k}": held.max(), f"given_{k}": held.count()}
    for column, kept in wanted.where.items():
        frame = frame.filter(_kept(column, kept, schema[column]))
    cut: Any = frame.select(**chosen).group_by("region", "sector").agg(**asked)
    try:
        return _collected(cut) if lazy else cut.to_pandas()
    except Exception as error:
        engine = _ENGINES.get(type(error).__module__.partition(".")[0])
        if engine is None:
            raise
        raise SpatialKZError(f"{engine} could not add up the register: {_first_line(error)}.") from error


def _collected(frame: nw.LazyFrame[Any]) -> pd.DataFrame:
    """The small result of a lazy frame, as pandas."""
    if frame.implementation.is_dask():
        return frame.collect(backend="pandas").to_pandas()
    if frame.implementation.is_polars():
        # In batches, so that the register need not fit into memory.
        return frame.collect(backend="polars", engine="streaming").to_pandas()
    return frame.collect(backend="pyarrow").to_pandas()


def _value(dtype: nw.dtypes.DType, column: str, no_value: bool) -> nw.Expr:
    """The value as floating-point number: sums of whole numbers would overflow on some engines."""
    import narwhals as nw

    if not dtype.is_numeric():
        raise InputError(
            f"The column {column} must hold numbers, but it is of type {dtype}; make it numbers (in a CSV "
            "file a decimal comma can be stated: decimal = ',')."
        )
    value = nw.col(column).cast(nw.Float64)
    return value.fill_nan(None) if no_value and dtype.is_float() else value


def _kept(column: str, wanted: object, dtype: nw.dtypes.DType) -> nw.Expr:
    """Whether a row has the value, or one of the values, that are to be kept."""
    import narwhals as nw

    values: list[Any] = list(wanted) if isinstance(wanted, list | tuple | set) else [wanted]
    if dtype.is_numeric():
        try:
            return nw.col(column).cast(nw.Float64).is_in([float(value) for value in values])
        except (TypeError, ValueError):
            raise InputError(
                f"where keeps rows with {column} = {listing(values)}, but the column {column} holds numbers."
            ) from None
    if dtype == nw.Boolean or dtype.is_temporal():
        raise InputError(
            f"where cannot tell rows by the column {column}, which is of type {dtype}; keep the rows before, "
            "or make it text or numbers."
        )
    return nw.col(column).cast(nw.String).is_in([str(value) for value in values])


def _connection() -> Any:
    """A DuckDB of our own that takes nothing from the network and leaves nothing in the working folder."""
    try:
        import duckdb
    except ImportError as error:
        raise InputError(
            "Files and Arrow datasets are added up by DuckDB, which is not installed (pip install duckdb); "
            "a frame of another engine does without."
        ) from error
    spill = Path(tempfile.gettempdir(), f"spatialkz-duckdb-{os.getpid()}")
    return duckdb.connect(config={"temp_directory": str(spill), "autoinstall_known_extensions": "false"})


def _read_files(
    names: Iterable[str | os.PathLike[str]], columns: list[str], types: dict[str, str], decimal: DecimalMark
) -> Any:
    """A DuckDB relation over Parquet or CSV files; nothing is read but headers and types."""
    files = [file for name in names for file in _found(os.fspath(name))]
    if not files:
        raise InputError("No file was named; expected names or patterns of Parquet or CSV files.")
    paths = pd.Series([Path(file).resolve() for file in files])
    if (twice := paths.duplicated()).any():
        raise InputError(
            f"{paths[twice].iloc[0].name} is named more than once and would be added up twice; name it once."
        )
    forms = {_form(file) for file in files}
    if len(forms) > 1:
        raise InputError(
            f"The files are of two forms, {listing(sorted(forms))}; give those of one at a time."
        )
    connection = _connection()
    # Folders such as year=2022 tell the value of a column.
    how = {
        "union_by_name": True,
        "hive_partitioning": all("=" in str(Path(file).parent) for file in files),
    }
    import duckdb

    try:
        if forms == {"Parquet"}:
            return connection.read_parquet(files, **how)
        require_labels(columns, connection.read_csv(files, **how).columns, _NO_COLUMN)
        # Codes keep their leading zeros; a value that is no number is found, wherever it stands.
        return connection.read_csv(files, dtype=types, decimal=decimal, **how)
    except duckdb.Error as error:
        raise InputError(f"{listing(files, 2)} cannot be read: {_first_line(error)}.") from error


def _found(name: str) -> list[str]:
    path = Path(name)
    if path.is_dir():
        inside = sorted(str(file) for file in path.rglob("*") if _suffix(file) in _FORMS)
        if not inside:
            raise InputError(f"There is no Parquet or CSV file in the folder {name}.")
        return inside
    files = [name] if path.is_file() else sorted(glob.glob(name, recursive=True))
    if not files:
        raise InputError(f"There is no file {name}; check the name or the pattern.")
    return files


def _suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix not in _PACKED), "")


def _form(file: str) -> str:
    suffix = _suffix(Path(file))
    if suffix not in _FORMS:
        raise InputError(f"{file} is neither Parquet nor CSV by its name; a table is read by `spatialkz lq`.")
    return _FORMS[suffix]


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
