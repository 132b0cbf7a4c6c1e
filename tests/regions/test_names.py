"""Every way a region is written in practice leads to its code, and nothing else does."""

import numpy as np
import pandas as pd
import pytest

from spatialkz import datasets
from spatialkz.errors import InputError, RegionError
from spatialkz.regions import region_table, resolve_regions

# As Table 1 of Dnishev, Alzhanova & Satpayeva (2022) prints them.
PAPER = {
    "Akmola": "AKM",
    "Aktobe": "AKT",
    "Almaty": "ALM",
    "Atyrau": "ATY",
    "West-Kazakhstan": "ZKO",
    "Zhambyl": "ZHM",
    "Karaganda": "KRG",
    "Kostanay": "KST",
    "Kyzylorda": "KZL",
    "Mangistau": "MNG",
    "Pavlodar": "PVL",
    "North-Kazakhstan": "SKO",
    "Turkestan": "TRK",
    "East-Kazakhstan": "VKO",
    "Nur-Sultan City": "AST",
    "Almaty City": "ALA",
    "Shymkent City": "SHM",
}
REGIONS = datasets.read_table("regions", text=True).set_index("code")
FORMER = datasets.read_table("former_regions", text=True).set_index("code")


def spellings() -> list[tuple[str, str]]:
    """All texts of the table of regions with the code they must lead to."""
    columns = [
        "iso_2018",
        "iso_2022",
        "kato",
        "cod_pcode",
        "variants",
        *REGIONS.filter(regex="^name_").columns,
    ]
    texts = [
        (text, code)
        for code, row in REGIONS.iterrows()
        for column in columns
        for text in row[column].split("|")
    ]
    return [(text, str(code)) for text, code in [*texts, *((code, code) for code in REGIONS.index)] if text]


def former_spellings() -> list[str]:
    texts = [
        text
        for cell in FORMER.drop(columns=["kind", "until", "successors"]).to_numpy().ravel()
        for text in cell.split("|")
    ]
    return [*FORMER.index, *texts]


def code(name: object, vintage: int | None = None) -> str:
    return resolve_regions([name], vintage)["code"].item()


def test_the_paper_resolves_to_all_units_of_2018():
    found = resolve_regions(PAPER)
    assert found["code"].to_dict() == PAPER
    assert set(found["code"]) == set(region_table(2018).index)
    assert (found["vintage"] == 2018).all()
    assert found.at["Almaty", "matched_by"] == "companion"
    assert found.at["Nur-Sultan City", "name_en"] == "Nur-Sultan"
    assert list(found.index) == list(PAPER)
    assert found.index.name == "name"


@pytest.mark.parametrize(("text", "expected"), spellings())
def test_every_known_spelling(text, expected):
    # KZ-YUZ was South Kazakhstan's before it was Turkestan's; alone it is read in the division of 2018.
    assert code(text) == code(f" {text.upper()}\u00a0".replace("-", " ")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("г.Алматы", "ALA"),
        ("Алматы қ.", "ALA"),
        ("АЛМАТЫ ҚАЛАСЫ", "ALA"),
        ("Almaty (city)", "ALA"),
        ("City of Almaty", "ALA"),
        ("Алматы обл.", "ALM"),
        ("almaty-region", "ALM"),
        ("Алматинская", "ALM"),
        ("Алма-Атинская обл.", "ALM"),
        ("Nur-Sultan City", "AST"),
        ("Нурсултан", "AST"),
        ("Astana", "AST"),
        ("Шымкент г.а.", "SHM"),
        ("East-Kazakhstan", "VKO"),
        ("ВКО", "VKO"),
        ("Акмолинская", "AKM"),
        ("Акмолинская область", "AKM"),
        ("Актобе", "AKT"),
        ("Qarağandy", "KRG"),
        ("Маңғыстау", "MNG"),
        ("Mañğystau oblysy", "MNG"),
        ("Turkistan Region", "TRK"),
        ("Түркістан облысы", "TRK"),
        ("Abay Region", "ABY"),
        ("область Абай", "ABY"),
        ("Туркістан облысы", "TRK"),
        ("Жетысу", "ZHT"),
        ("Ұлытау", "ULT"),
        ("kz-ast", "AST"),
        (110000000, "AKM"),
    ],
)
def test_ways_tables_write_them(text, expected):
    assert code(text) == expected


def test_names_of_the_boundaries_package_resolve_as_one_list():
    found = resolve_regions(REGIONS["cod_name_en"])
    assert list(found["code"]) == list(REGIONS.index)
    assert (found["vintage"] == 2022).all()
    assert (found["matched_by"] == "companion").sum() == 1


def test_a_bare_almaty_takes_what_the_others_leave():
    assert list(resolve_regions(["Almaty", "Almaty City"])["code"]) == ["ALM", "ALA"]
    assert list(resolve_regions(["Алматинская область", "Алматы"])["code"]) == ["ALM", "ALA"]


@pytest.mark.parametrize(
    "names", [["Almaty"], ["Алматы", "Астана"], ["Almaty", "Almaty City", "Almaty Region"]]
)
def test_a_bare_almaty_alone_is_refused_with_both_readings(names):
    with pytest.raises(RegionError, match=r"Almaty Region \(ALM\) or Almaty City \(ALA\)"):
        resolve_regions(names)


@pytest.mark.parametrize("text", ["Aktobe City", "Astana Region", "г. Караганда", "область Шымкент"])
def test_the_wrong_kind_is_not_guessed(text):
    with pytest.raises(RegionError, match="unknown"):
        code(text)


@pytest.mark.parametrize(
    ("typo", "nearest"),
    [
        ("Karagnda", "Karaganda"),
        ("Манgистау", "Мангистау"),
        ("Kostonay", "Kostanay"),
        ("Карганда", "Караганда"),
        ("Севро-Казахстанская область", "Северо-Казахстанская область"),
        ("Пaвлодарcкая", "Павлодарская область"),
        ("Shimkent", "Shymkent"),
        ("Ust-Kamenogorsk", "nothing near"),
    ],
)
def test_unknown_names_come_with_the_nearest(typo, nearest):
    with pytest.raises(RegionError) as caught:
        resolve_regions([typo, "Akmola"])
    assert repr(typo) in str(caught.value)
    assert nearest in str(caught.value)
    assert "Akmola" not in str(caught.value)


def test_all_unknown_names_stand_in_one_sentence():
    with pytest.raises(RegionError) as caught:
        resolve_regions([f"Nowhere {letter * 9}" for letter in "bcdfghjkl"] + ["Akmola", None])
    assert str(caught.value).count("nothing near") == 10
    assert str(caught.value).endswith(".")


def test_vintage_follows_the_regions_of_2022():
    assert (resolve_regions(["Astana", "Karaganda"])["vintage"] == 2018).all()
    mixed = resolve_regions(["Nur-Sultan", "Karaganda", "Ulytau"])
    assert (mixed["vintage"] == 2022).all()
    assert list(mixed["name_en"]) == ["Astana", "Karaganda", "Ulytau"]
    assert list(mixed["iso"]) == ["KZ-71", "KZ-35", "KZ-62"]


@pytest.mark.parametrize("text", ["Abai", "ZHT", "KZ-62", "330000000", "KAZ019", "Ұлытау облысы"])
def test_regions_of_2022_do_not_exist_in_2018(text):
    with pytest.raises(RegionError, match=r"since 2022, and this is the division of 2018.*--aggregate 2018"):
        resolve_regions([text, "Akmola"], vintage=2018)


@pytest.mark.parametrize("text", [*former_spellings(), "South Kazakhstan Region", "южно-казахстанская"])
def test_a_divided_region_is_one_of_its_time(text):
    found = resolve_regions([text, "Astana"], None if "YUZ" not in text else 1999)
    assert found[["code", "vintage"]].to_numpy().tolist() == [["YKO", 1999], ["AST", 1999]]
    if "YUZ" in text:
        return
    for vintage in (2018, 2022):
        with pytest.raises(
            RegionError, match=r"\(YKO\) was a region until 2018-06-19.*--division 1999\), or give a w"
        ):
            resolve_regions([text], vintage)


def test_regions_of_two_divisions_are_told():
    with pytest.raises(
        RegionError, match=r"two divisions: South Kazakhstan \(YKO\).*but Shymkent \(SHM\), Abai"
    ):
        resolve_regions(["ЮКО", "Шымкент", "Akmola", "Abai"], 2022)
    with pytest.raises(
        RegionError, match=r"^Shymkent \(SHM\), Turkestan \(TRK\) are regions since 2018; Abai \(ABY\)"
    ):
        resolve_regions(["Shymkent", "TRK", "Abai"], 1999)


def test_a_code_that_two_regions_had_in_turn_is_told_by_the_others():
    iso = region_table(1999)["iso"]
    found = resolve_regions(iso)
    assert (found["vintage"] == 1999).all()
    assert found["code"].tolist() == iso.index.tolist()
    assert resolve_regions(["KZ-YUZ", "KZ-SHY"])["code"].tolist() == ["TRK", "SHM"]


@pytest.mark.parametrize(
    "names", [["Astana", "Akmola", "Nur-Sultan"], ["Akmola", "Akmola"], ["KRG", "Караганда"]]
)
def test_two_names_for_one_region_are_refused(names):
    with pytest.raises(RegionError, match=f"{names[0]!r} and {names[-1]!r} are"):
        resolve_regions(names)


def test_wrong_use():
    with pytest.raises(InputError, match="single name 'Akmola'"):
        resolve_regions("Akmola")
    with pytest.raises(InputError, match="1999, 2018 or 2022"):
        resolve_regions(["Akmola"], vintage=2020)


def test_no_names_give_an_empty_table():
    assert list(resolve_regions([]).columns) == list(resolve_regions(["Akmola"]).columns)
    assert resolve_regions([]).empty


@pytest.mark.parametrize(("vintage", "units"), [(1999, 16), (2018, 17), (2022, 20)])
def test_tables_are_complete(vintage, units):
    table = region_table(vintage)
    assert table.shape == (units, 8)
    assert table.index.name == "code"
    assert not (table == "").any(axis=None)
    assert table.drop(columns=["kind", "unit_2018"]).apply(lambda column: column.is_unique).all()
    assert (table["kind"] == "city").sum() == (2 if vintage == 1999 else 3)
    pcodes = table["cod_pcode"].str.split("|").explode()
    assert sorted(pcodes) == [f"KAZ{number:03}" for number in range(1, 21)]


def test_table_of_2018_joins_what_was_divided_in_2022():
    table = region_table(2018)
    assert table.loc[["VKO", "ALM", "KRG"], "cod_pcode"].to_dict() == {
        "VKO": "KAZ001|KAZ008",
        "ALM": "KAZ005|KAZ010",
        "KRG": "KAZ011|KAZ019",
    }
    assert (table["unit_2018"] == table.index).all()


def test_former_regions_name_successors_and_clash_with_no_other():
    assert set(former_spellings()) & {text for text, _ in spellings()} == {"KZ-YUZ"}
    successors = FORMER["successors"].str.split("|").explode()
    assert set(successors) <= set(REGIONS.index)
    assert pd.to_datetime(FORMER["until"]).notna().all()


# As offices write them beside the names; typed anew from statistical yearbooks and ISO 3166-2.
VARIANTS = {
    "ABY": "Abay|Abai|Абайская",
    "AKM": "Aqmola",
    "AKT": "Aqtobe|Aqtöbe|Aktyubinsk",
    "ALA": "Almaty (city)|Almaty City",
    "ALM": "Almaty oblast|Almaty Region",
    "AST": "Nur-Sultan|Нур-Султан|Akmola (city)",
    "ATY": "Atyraū",
    "VKO": "Shygys Kazakhstan|Shyghys Qazaqstan|ВКО",
    "ZHM": "Jambyl|Dzhambul",
    "ZHT": "Zhetisu|Zhetysu|Жетысуская",
    "KRG": "Karagandy|Qaraghandy",
    "KST": "Kostanai|Qostanay|Kustanay",
    "KZL": "Qyzylorda|Kzyl-Orda",
    "MNG": "Mangistau|Mangghystau",
    "SKO": "Soltustik Kazakhstan|СКО",
    "SHM": "Chimkent",
    "TRK": "Turkistan",
    "ULT": "Улытауская",
    "ZKO": "Batys Kazakhstan|ЗКО",
    "YKO": "South Kazakhstan (pre-2018 incl. Shymkent)",
}


@pytest.mark.parametrize(("expected", "texts"), VARIANTS.items())
def test_every_variant(expected, texts):
    assert {code(text) for text in texts.split("|")} == {expected}


def test_misspellings_of_one_edit_are_never_another_region():
    """200 of the 37 names (20 regions of 2022, 17 of 2018) in three languages, one letter wrong in each.

    A bare "Almaty" may be the city or the region, and is refused; abbreviations (ВКО, ЗКО, СКО) are one edit
    apart from each other and cannot tell a slip.
    """
    rng = np.random.default_rng(37)
    names = [
        (name, unit)
        for vintage in (2018, 2022)
        for column in ("name_en", "name_ru", "name_kk")
        for unit, name in region_table(vintage)[column].items()
    ]
    assert len(names) == 37 * 3
    letters = {True: "abcdefghijklmnopqrstuvwxyz", False: "абвгдежзийклмнопрстуфхцчшщыьэюяқғңөұүһі"}
    resolved = 0
    for pick in rng.integers(len(names), size=200):
        name, unit = names[pick]
        place, edit = rng.integers(len(name)), rng.integers(4)
        other = rng.choice(list(letters[name.isascii()]))
        wrong = {
            0: name[:place] + name[place + 1 :],
            1: name[:place] + other + name[place + 1 :],
            2: name[:place] + other + name[place:],
            3: name[:place] + name[place : place + 2][::-1] + name[place + 2 :],
        }[int(edit)]
        try:
            assert code(wrong) == unit, (name, wrong)
            resolved += 1
        except RegionError:
            pass
    assert 0 < resolved < 200
