"""Read thousands of generated and broken files and write docs/reading.md (about 5 minutes)."""

import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reading.md"
FILES = 5000
SEED = 13
WHAT = {"written": "known tables in random styles", "broken": "the same files broken at random"}

INTRODUCTION = """# How files are read

Made by `benchmarks/reading.py`. One reader is behind CSV, XLSX and Parquet. It tells what the content makes
certain, says in one line what it found and left out, and asks about the rest in one sentence that names the
option.

- **Kind of file**: by content, whatever the name ends in.
- **Encoding**: byte order marks, UTF-8, UTF-16; cp1251, kz1048 and ptcp154 where only one of them makes
  words. Others are asked for.
- **Delimiter**: the one of tab, semicolon, bar and comma that divides most rows alike; Excel's `sep=;`.
- **Decimal mark**: the right-most of `.` and `,` in a cell. What a cell leaves open (`1.204`) the other cells
  decide; where none does, or they contradict each other, it is asked for.
- **Sheet**: the first visible one with numbers.
- **Header**: the first wide line, and what goes on below it. Numbers are a header if they are years in order,
  or stand beside a word such as region; others are asked for.
- **Titles, notes, headings, numbers of the columns, repeated headers** are left out and named; a second table
  is refused.
- **Marks** (`x`, `…`, `(D)`), empty cells and flags: what each means is asked for.
- **Totals and codes that nest**: found by name, or by being the sum of others; what they are for is asked.

Formulas that were never calculated, one number in several merged cells, dates and errors as names, names that
look alike, rows that repeat, and text where a number belongs are refused.

"""


def outcomes(kind: str, count: int, random: int) -> tuple[Counter[str], float]:
    """How reading ended for so many files of a kind, and the seconds it took."""
    sys.path.insert(0, str(ROOT / "tests" / "tables"))
    import generated_files

    ended: Counter[str] = Counter()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")

        @seed(random)
        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(file=getattr(generated_files, kind)())
        def run(file: generated_files.Written) -> None:
            try:
                how = generated_files.read(file, Path(folder))
            except Exception:
                traceback.print_exc()
                how = "a traceback"
            if file.table is None and kind == "written" and how == "read":
                how = "a table without header read"
            if how not in {"read", "refused"}:
                print(how, file)
            ended[how.split(":")[0]] += 1

        run()
    return ended, time.perf_counter() - start


def page(results: dict[str, tuple[Counter[str], float]]) -> str:
    """The page, with a row for each kind of files."""
    lines = [
        "What became of files that hypothesis generates: tables with known values, written with all of the",
        "above in random combination; and the same with bytes lost, doubled, changed or added.",
        "",
        "| files | read | refused in one sentence | another table or a traceback | seconds |",
        "|---|---|---|---|---|",
    ]
    for kind, (ended, seconds) in results.items():
        wrong = ended.total() - ended["read"] - ended["refused"]
        cells = [f"{ended.total():,} {WHAT[kind]}", f"{ended['read']:,}", f"{ended['refused']:,}", str(wrong)]
        lines.append(f"| {' | '.join(cells)} | {seconds:.0f} |")
    lines += [
        "",
        "A right table is known only for the first; the second must not end in a traceback or a warning.",
    ]
    return INTRODUCTION + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page({kind: outcomes(kind, FILES, SEED) for kind in WHAT}), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8").split("\n\n")[-2])
