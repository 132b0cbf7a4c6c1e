"""Numbered columns, notes, headings, repeated headers, second tables."""

import pandas as pd

from . import AS_LONG, LONG, TABLE, both, two, written

PLAIN = written(delimiter=";")
BODY = PLAIN.split("\n", 1)[1]
TOP = "region;manufacturing;information;professional\n"
RU_TOP = "Регион;manufacturing;information;professional\n"


CASES = [
    *both(
        "a number for each column",
        RU_TOP + "А;1;2;3\n" + BODY,
        TABLE,
        notes=r"the numbers of the columns \(line 2\) left out",
    ),
    *both(
        "numbers of the columns from 2",
        RU_TOP + "A;2;3;4\n" + BODY,
        TABLE,
        notes=r"the numbers of the columns \(line 2\) left out",
    ),
    *both(
        "numbers of the columns from 1, the first among them",
        RU_TOP + "1;2;3;4\n" + BODY,
        TABLE,
        notes=r"the numbers of the columns \(line 2\) left out",
    ),
    *both(
        "the number of one column",
        "Регион;jobs\nА;1\nNorth;5\nSouth;7\n",
        pd.DataFrame({"jobs": [5.0, 7]}, ["North", "South"]),
        notes=r"the numbers of the columns \(line 2\) left out",
    ),
    *both(
        "regions A, B, C with counts 1 and 2",
        "region;a;b\nA;1;2\nB;3;4\nC;5;6\n",
        two([1, 3, 5], [2, 4, 6], "A", "B", "C"),
    ),
    *both(
        "letters and numbers of the columns of a long table",
        "region;sector;value\nА;Б;1\n" + LONG.to_csv(sep=";", index=False, header=False),
        TABLE,
        AS_LONG,
        notes=r"the numbers of the columns \(line 2\) left out",
    ),
    *both(
        "a source below",
        PLAIN + "Source: Bureau of National Statistics\n",
        TABLE,
        notes=r"notes \(line 6\) left out",
    ),
    *both(
        "a source with a year in a cell below",
        PLAIN + "Source: Bureau;2023;;\n",
        TABLE,
        notes=r"notes \(line 6\) left out",
    ),
    *both(
        "notes below",
        PLAIN + "\n1) preliminary\n* without Baikonur\n",
        TABLE,
        notes=r"notes \(lines 7–8\) left out",
    ),
    *both("a sentence below", PLAIN + "\nFigures were revised.\n", TABLE, notes=r"notes \(line 7\) left out"),
    *both(
        "a long note below",
        PLAIN
        + "Since 8 June 2022 the regions of Abai, Zhetisu and Ulytau stand apart from their former ones\n",
        TABLE,
        notes=r"notes \(line 6\) left out",
    ),
    *both(
        "примечание",
        PLAIN + "Примечание: предварительные данные\n",
        TABLE,
        notes=r"notes \(line 6\) left out",
    ),
    *both(
        "a word below that is no note",
        PLAIN + "Ulytau\n",
        r"line 6: 1 cells where the header|cell is empty at line 6",
    ),
    *both(
        "headings between",
        TOP + "в том числе:;;;\n" + BODY,
        TABLE,
        notes=r"headings в том числе: \(line 2\) left out",
    ),
    *both(
        "a merged heading between",
        TOP + "North and West;;;\n" + BODY,
        TABLE,
        notes=r"headings North and West \(line 2\) left out",
        merged="A2:D2",
    ),
    *both(
        "a heading that might be a region",
        TOP + "North and West;;;\n" + BODY,
        r"cell is empty at line 2, column 'manufacturing'",
    ),
    *both(
        "a region whose name ends in a colon",
        TOP + BODY + "Ulytau:;1;2;3\n",
        pd.concat([TABLE, pd.DataFrame([[1.0, 2, 3]], ["Ulytau:"], TABLE.columns)]),
    ),
    *both(
        "a header repeated after a page break",
        TOP + BODY.replace("Atyrau", TOP + "Atyrau"),
        TABLE,
        notes=r"the repeated header \(line 4\) left out",
    ),
    *both(
        "a second table below a blank line",
        PLAIN + "\n" + TOP + "Ulytau;1;2;3\n",
        r"line 7: here the header of a second table begins",
    ),
    *both(
        "a second table with other columns",
        PLAIN + "region;mining;trade;transport\nUlytau;1;2;3\n",
        r"line 6: here the header of a second table begins",
    ),
    *both(
        "a second table of other years",
        "region;2019;2020\nN;1;2\nS;4;5\nregion;2021;2022\nN;5;7\nW;1;2\n",
        r"line 4: here the header of a second table begins",
    ),
    *both(
        "a second table under another word",
        "region;2019;2020\nN;1;2\nS;4;5\nArea;2021;2022\nE;5;7\nW;1;2\n",
        r"line 4: here the header of a second table begins",
    ),
    *both(
        "a second table under a title, empty cells zero",
        PLAIN + "\nTable 2;;;\n" + TOP + "Ulytau;1;2;3\n",
        r"line 8: here the header of a second table begins",
        {"unknown": {"": "zero"}},
    ),
]
