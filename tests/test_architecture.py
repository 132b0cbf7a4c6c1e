"""The house rules that code can check: who may import whom, and what an import costs."""

import ast
import importlib
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import mypy.api
import pytest

import spatialkz

ROOT = Path(spatialkz.__file__).parent
# Each stage imports only from stages to its left.
ORDER = (
    "options errors writing processes progress randomness results datasets tables geography resampling "
    "regions study specialization spatial prerequisites change clustering focal candidates report outputs "
    "pipeline cli __main__"
).split()
FILES = sorted(ROOT.rglob("*.py"))
MODULES = {
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FILES
}


def room(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("spatialkz."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.ImportFrom) and node.module == "spatialkz":
            yield from (alias.name for alias in node.names if alias.name in ORDER)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_stage_imports_only_from_its_left(path):
    if room(path) == "__init__":
        return
    assert room(path) in ORDER
    later = [name for name in imported_rooms(path) if ORDER.index(name) > ORDER.index(room(path))]
    assert not later


def imports_of(path):
    """Modules of the package that a file imports, wherever in it, with the names taken from each."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("spatialkz"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner, "") if inner in MODULES else (node.module, alias.name)


def test_no_module_takes_private_names_of_another():
    taken = [
        (path.relative_to(ROOT).as_posix(), module, name)
        for path in FILES
        for module, name in imports_of(path)
        if any(part.startswith("_") and not part.startswith("__") for part in [*module.split("."), name])
    ]
    assert not taken


def test_no_files_import_each_other_in_a_circle():
    files = {name: path for name, path in MODULES.items() if path.name != "__init__.py"}
    waits_for = {
        name: {module for module, _ in imports_of(path)} & set(files) for name, path in files.items()
    }
    TopologicalSorter(waits_for).prepare()  # raises CycleError, which names the files


def test_the_figure_of_the_house_is_true():
    text = (ROOT.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    figure = text.split("```mermaid")[1].split("```")[0]
    drawn = re.findall(r"([a-z]+)\[\"", figure)
    assert {room for room in ORDER if (ROOT / room).is_dir()} <= set(drawn)
    assert drawn == sorted(drawn, key=ORDER.index)


def test_only_the_report_draws_and_only_regions_knows_the_country():
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        if room(path) != "report":
            assert "import matplotlib" not in text
            assert "from matplotlib" not in text
        if room(path) in {
            "tables",
            "geography",
            "specialization",
            "spatial",
            "prerequisites",
            "clustering",
            "focal",
            "candidates",
            "report",
        }:
            code = ast.unparse(_without_docstrings(ast.parse(text)))
            assert "azakhstan" not in code, path


def test_no_set_of_choices_stands_twice():
    where = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("Literal"):
                choices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                place = f"{path.relative_to(ROOT).as_posix()}:{node.lineno}"
                where.setdefault(frozenset(map(ast.unparse, choices)), []).append(place)
    assert not [places for places in where.values() if len(places) > 1]


def _without_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def loaded_after(statement):
    code = f"import sys; {statement}; print(*sys.modules)"
    return set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )


@pytest.mark.parametrize(
    "statement", ["import spatialkz", "import spatialkz.options", "import spatialkz.cli"]
)
def test_importing_costs_nothing(statement):
    heavy = {"pandas", "numpy", "geopandas", "sklearn", "numba", "scipy", "matplotlib", "libpysal", "esda"}
    assert not heavy & loaded_after(statement)


def test_help_does_not_load_the_scientific_stack():
    code = "sys.argv = ['spatialkz', '--help']; from spatialkz.cli import app; app(standalone_mode=False)"
    assert not {"pandas", "numpy", "sklearn"} & loaded_after(code)


def test_every_public_name_is_there_and_documented():
    for name in spatialkz.__all__:
        assert getattr(spatialkz, name) is not None
        if not name.startswith("__"):
            assert getattr(spatialkz, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'magic'"):
        spatialkz.magic  # noqa: B018


def test_no_two_classes_have_one_name():
    places = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(path.relative_to(ROOT).as_posix())
    assert not {name: found for name, found in places.items() if len(found) > 1}


def test_editors_are_told_the_names_that_are_imported_on_first_use():
    told = {}
    for node in ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for line in node.body:
                told |= {alias.asname: (line.module, alias.name) for alias in line.names}
    assert set(told) == {*spatialkz._HOMES, *spatialkz._ROOMS}
    for name, (module, original) in told.items():
        assert getattr(importlib.import_module(module), original) is getattr(spatialkz, name)


def test_sub_packages_are_there_without_an_import_of_their_own():
    assert set(dir(spatialkz)) >= {*spatialkz.__all__, *spatialkz._ROOMS}
    code = f"import spatialkz; print(*(getattr(spatialkz, name).__name__ for name in {spatialkz._ROOMS}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.split() == [f"spatialkz.{name}" for name in spatialkz._ROOMS]


def test_a_type_checker_knows_the_public_names(tmp_path):
    script = tmp_path / "script.py"
    lines = [
        "import spatialkz",
        *(f"reveal_type(spatialkz.{name})" for name in ("moran", "spatial", "Study")),
    ]
    script.write_text("\n".join(lines), encoding="utf-8")
    told, errors, _ = mypy.api.run(
        ["--follow-imports", "silent", "--cache-dir", str(ROOT.parent / ".mypy_cache"), str(script)]
    )
    assert not errors
    assert "-> spatialkz.spatial.moran.MoranTest" in told.splitlines()[0]
    assert "Module" in told.splitlines()[1]
    assert "-> spatialkz.study.study.Study" in told.splitlines()[2]
