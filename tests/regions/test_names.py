"""Every way a region is written in practice leads to its code, and nothing else does."""

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
        for cell in FORMER.drop(columns=["until", "successors"]).to_numpy().ravel()
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
    with pytest.raises(RegionError, match=r"founded in 2022.*is part of"):
        resolve_regions([text, "Akmola"], vintage=2018)


@pytest.mark.parametrize("text", [*former_spellings(), "South Kazakhstan Region", "южно-казахстанская"])
@pytest.mark.parametrize("vintage", [None, 2018, 2022])
def test_a_divided_region_is_refused(text, vintage):
    with pytest.raises(RegionError, match=r"divided on 2018-06-19.*Turkestan \(TRK\) and Shymkent \(SHM\)"):
        resolve_regions([text], vintage)


@pytest.mark.parametrize(
    "names", [["Astana", "Akmola", "Nur-Sultan"], ["Akmola", "Akmola"], ["KRG", "Караганда"]]
)
def test_two_names_for_one_region_are_refused(names):
    with pytest.raises(RegionError, match=f"{names[0]!r} and {names[-1]!r} are"):
        resolve_regions(names)


def test_wrong_use():
    with pytest.raises(InputError, match="single name 'Akmola'"):
        resolve_regions("Akmola")
    with pytest.raises(InputError, match="2018 or 2022"):
        resolve_regions(["Akmola"], vintage=2020)


def test_no_names_give_an_empty_table():
    assert list(resolve_regions([]).columns) == list(resolve_regions(["Akmola"]).columns)
    assert resolve_regions([]).empty


@pytest.mark.parametrize(("vintage", "units"), [(2018, 17), (2022, 20)])
def test_tables_are_complete(vintage, units):
    table = region_table(vintage)
    assert table.shape == (units, 8)
    assert table.index.name == "code"
    assert not (table == "").any(axis=None)
    assert table.drop(columns=["kind", "unit_2018"]).apply(lambda column: column.is_unique).all()
    assert (table["kind"] == "city").sum() == 3
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
    assert not set(former_spellings()) & {text for text, _ in spellings()}
    successors = FORMER["successors"].str.split("|").explode()
    assert set(successors) <= set(REGIONS.index)
    assert pd.to_datetime(FORMER["until"]).notna().all()
