import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

import spatialkz.report
from spatialkz.candidates import AREA_EVIDENCE, CANDIDATE_EVIDENCE
from spatialkz.clustering.analysis import DEFAULT_METHODS
from spatialkz.errors import InputError
from spatialkz.options import LANGUAGES, Alternative, MoranMethod, NumberKind
from spatialkz.report.wording import Wording, read_wording
from spatialkz.study import Choices

ROOM = Path(spatialkz.report.__file__).parent
WORDING = tomllib.loads((ROOM / "wording.toml").read_text(encoding="utf-8"))
SOURCES = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted([*ROOM.rglob("*.py"), *ROOM.rglob("*.j2")])
)
NAMED = set(re.findall(r'words\(\s*"(\w+)"\s*[,)]', SOURCES))
FAMILIES = set(re.findall(r'words\(\s*f?"(\w+_)(?:\{|" ~)', SOURCES))


def test_every_text_is_written_in_every_language():
    for key, texts in WORDING.items():
        assert set(texts) == set(LANGUAGES), key
        assert all(text.strip() for text in texts.values()) or key == "thousands_sign"


def test_every_key_asked_for_is_there():
    assert len(NAMED) > 50
    assert not NAMED - set(WORDING)


def test_no_text_is_left_over():
    known = {"graph_", "evidence_", "candidate_", "area_", "label_", "group_", "verdict_", "structure_"}
    known |= {"district_", "policy_", "lack_"}
    prefixes = tuple(FAMILIES | known)
    unused = {
        key
        for key in WORDING
        if key not in NAMED and not key.startswith(prefixes) and f'"{key}"' not in SOURCES
    }
    assert not unused


@pytest.mark.parametrize("lang", LANGUAGES)
def test_all_labels_of_the_other_stages_have_words(lang):
    words = Wording(lang)
    wanted = [f"evidence_{name}" for name in {**AREA_EVIDENCE, **CANDIDATE_EVIDENCE}]
    wanted += [f"area_{name}" for name in AREA_EVIDENCE] + [
        f"candidate_{name}" for name in CANDIDATE_EVIDENCE
    ]
    wanted += [f"choice_{choice.name}" for choice in fields(Choices)]
    wanted += [f"clustering_{method}" for method in DEFAULT_METHODS]
    wanted += [f"alternative_{name}" for name in get_args(Alternative)]
    wanted += [f"method_{name}" for name in get_args(MoranMethod)]
    wanted += [f"kind_{name}" for name in get_args(NumberKind)]
    wanted += [
        f"label_{name}"
        for name in ("hot", "cold", "high outlier", "low outlier", "not significant", "unattainable")
    ]
    for key in wanted:
        assert words(key, k=2, permutations=99)


def test_each_language_keeps_to_its_letters():
    kazakh = set("әғқңөұүһіӘҒҚҢӨҰҮҺІ")
    for key, texts in WORDING.items():
        assert not re.search("[А-Яа-яЁё]", texts["en"]), key
        assert not kazakh & set(texts["ru"]), key
    assert kazakh & set("".join(texts["kk"] for texts in WORDING.values()))
    phrases = [(key, texts) for key, texts in WORDING.items() if len(texts["ru"]) > 25]
    assert [key for key, texts in phrases if texts["ru"] == texts["kk"] or texts["ru"] == texts["en"]] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[map]\nen = "Map"\nru = "Карта"', "expected en, ru, kk"),
        ('[map]\nen = "Map"\nru = "Карта"\nkk = "Карта"\nde = "Karte"', "expected en, ru, kk"),
        ('[n]\nen = "{n} of"\nru = "из {m}"\nkk = "{n}"', "takes different values"),
    ],
)
def test_wording_that_is_behind_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        read_wording(text)


def test_numbers_are_written_as_the_language_writes_them():
    english, russian = Wording("en"), Wording("ru")
    assert (english.number(-1.005, 1), russian.number(-1.25, 2)) == ("−1.0", "−1,25")
    assert english.number(-0.0004, 2) == "0.00"
    assert (english.whole(12345), russian.whole(12345)) == ("12,345", "12\u00a0345")
    assert (english.plain(0.05), russian.plain(2.5)) == ("0.05", "2,5")
    assert (english.p_value(0.0499), russian.p_value(1e-9)) == ("0.050", "<\u00a00,001")
    assert (english.equation("p", 1e-9), english.equation("p", 0.125, "≥")) == (
        "p\u00a0<\u00a00.001",
        "p\u00a0≥\u00a00.125",
    )
    assert [russian.percent(p) for p in (0, 0.004, 0.5, 0.997, 1)] == [
        "0\u00a0%",
        "<1\u00a0%",
        "50\u00a0%",
        ">99\u00a0%",
        "100\u00a0%",
    ]


def test_a_language_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="one of en, ru, kk"):
        Wording("fr")


def test_a_group_we_have_no_word_for_keeps_its_name():
    assert Wording("ru").label("group", "services") == "Услуги"
    assert Wording("ru").label("group", "crafts") == "crafts"


def test_wording_and_figures_cost_no_one_what_they_do_not_use():
    code = (
        "import sys, spatialkz.report, spatialkz.report.drawing, spatialkz.report.sections;"
        "assert not any(name.split('.')[0] == 'matplotlib' for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
