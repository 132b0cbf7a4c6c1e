"""Encodings, delimiters, quotation marks, line ends, and files of another kind."""

import gzip
import io
import zipfile

import pandas as pd

from . import HEADER, IN_KAZAKH, IN_RUSSIAN, ROWS, TABLE, Case, book, packed, raw, text, written

RUSSIAN = written(IN_RUSSIAN, ";", ",", lead="регион")
KAZAKH = written(IN_KAZAKH, ";", ",", lead="өңір")
PLAIN = written()
FRENCH = "région;a\nRhône;1\nCôte-d'Or;2\n"
FRENCH_TABLE = pd.DataFrame({"a": [1.0, 2]}, index=["Rhône", "Côte-d'Or"])
POLISH = "województwo;a\nŁódzkie;1\nŚląskie;2\n"
PHRASES = TABLE.set_axis(
    ["Agriculture, forestry and fishing", "Electricity, gas, steam", "Water; waste"], axis=1
)


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return buffer.getvalue()


def as_xlsx(content_name: str):
    return book([HEADER, *ROWS], name=content_name)


CASES = [
    Case("UTF-8 with a byte order mark", text(RUSSIAN, "utf-8-sig"), IN_RUSSIAN),
    Case(
        "a byte order mark and quotes",
        raw('\ufeff"region","a"\n"X","1"\n'.encode()),
        pd.DataFrame({"a": [1.0]}, ["X"]),
    ),
    Case("UTF-16", text(RUSSIAN, "utf-16"), IN_RUSSIAN),
    Case("UTF-16 without a mark", text(RUSSIAN, "utf-16-le"), IN_RUSSIAN, notes="encoding utf-16-le"),
    Case("UTF-16, big ends first", text(RUSSIAN, "utf-16-be"), IN_RUSSIAN, notes="encoding utf-16-be"),
    Case("UTF-16 of Latin letters", text(PLAIN, "utf-16-le"), TABLE, notes="encoding utf-16-le"),
    Case("UTF-32", text(RUSSIAN, "utf-32"), IN_RUSSIAN),
    Case("cp1251", text(RUSSIAN, "cp1251"), IN_RUSSIAN, notes="encoding cp1251"),
    Case("koi8-r", text(RUSSIAN, "koi8-r"), r"name its encoding: it has '[А-я]+' in koi8-r"),
    Case("cp866", text(RUSSIAN, "cp866"), r"name its encoding: it has '[А-я]+' in cp866"),
    Case("iso8859-5", text(RUSSIAN, "iso8859-5"), r"name its encoding: it has '[А-я]+' in iso8859-5"),
    Case("kz1048", text(KAZAKH, "kz1048"), IN_KAZAKH, notes="encoding kz1048"),
    Case("ptcp154", text(KAZAKH, "ptcp154"), IN_KAZAKH, notes="encoding ptcp154"),
    Case("cp1251, stated", text(RUSSIAN, "cp1251"), IN_RUSSIAN, {"encoding": "cp1251"}),
    Case(
        "cp1251 with too few letters",
        text("р;a\nЮ;1\n", "cp1251"),
        r"not UTF-8 text; name its encoding: .* cp1251",
    ),
    Case(
        "cp1252 is asked for",
        text(FRENCH, "cp1252"),
        r"not UTF-8 text; name its encoding: it has \"Côte-d'Or\" in cp1252 \(encoding",
    ),
    Case("cp1252, stated", text(FRENCH, "cp1252"), FRENCH_TABLE, {"encoding": "cp1252"}),
    Case("cp1250 is asked for", text(POLISH, "cp1250"), r"name its encoding: .*'Śląskie' in cp1250"),
    Case(
        "cp1250, stated",
        text(POLISH, "cp1250"),
        pd.DataFrame({"a": [1.0, 2]}, ["Łódzkie", "Śląskie"]),
        {"encoding": "cp1250"},
    ),
    Case(
        "Greek capitals are no Russian",
        text("ΠΕΡΙΟΧΗ;Α\nΑΤΤΙΚΗ;1\nΘΕΣΣΑΛΙΑ;2\nΚΡΗΤΗ;3\n", "cp1253"),
        r"not UTF-8 text; name its encoding",
    ),
    Case(
        "Hebrew is no Russian",
        text("אזור;א\nירושלים;1\nחיפה;2\nהמרכז;3\n", "cp1255"),
        r"not UTF-8 text; name its encoding",
    ),
    Case(
        "Ukrainian or Kazakh is asked for",
        text("область;a\nКиївська;1\nЧернігівська;2\n", "cp1251"),
        r"name its encoding: it has 'Київська' in cp1251 or 'Киүвська' in kz1048",
    ),
    Case(
        "UTF-8 where another is stated",
        text(RUSSIAN),
        IN_RUSSIAN,
        {"encoding": "cp1251"},
        notes="encoding utf-8, not cp1251 as stated",
    ),
    Case(
        "the stated encoding does not fit",
        text(FRENCH, "cp1252"),
        r"is not utf-8 text; save it as UTF-8",
        {"encoding": "utf-8"},
    ),
    Case("an encoding that is none", text(PLAIN), r"encoding 'utf-9' is not known", {"encoding": "utf-9"}),
    Case(
        "an encoding that makes no text",
        text(PLAIN),
        r"encoding 'base64' is not known",
        {"encoding": "base64"},
    ),
    Case("UTF-16 stated and not so", text(PLAIN), r"is not utf-16 text", {"encoding": "utf-16"}),
    Case(
        "a null character",
        raw(PLAIN.encode().replace(b"Akmola", b"Ak\0mola")),
        r"line 2: there is a null character",
    ),
    Case("null characters at the end", raw(PLAIN.encode() + b"\0" * 7), r"line 6: there is a null character"),
    Case(
        "semicolons in a comma file, quoted",
        text('region,"a; b",c\n"X; north",1,2\n"Y; south",3,4\n'),
        pd.DataFrame({"a; b": [1.0, 3], "c": [2.0, 4]}, ["X; north", "Y; south"]),
    ),
    Case(
        "commas in names between semicolons",
        text(written(PHRASES.iloc[:, :2], ";", ",")),
        PHRASES.iloc[:, :2],
    ),
    Case("a semicolon in a name between tabs", text(written(PHRASES, "\t", ",")), PHRASES),
    Case("vertical bars", text(written(delimiter="|")), TABLE),
    Case("a delimiter of one's own", text(written(delimiter="^")), TABLE, {"delimiter": "^"}),
    Case(
        "a delimiter that is not told", text(written(delimiter="^")), r"4 rows and 1 columns below its header"
    ),
    Case("a delimiter of two letters", text(PLAIN), r"it must be one character", {"delimiter": "::"}),
    Case(
        "notes with commas, semicolons in the table",
        text("region;jobs, thousand\nX;1,5\nY;2,5\nZ;7,5\nSource: Bureau, 2021\nSource: Office, 2022\n"),
        pd.DataFrame({"jobs, thousand": [1.5, 2.5, 7.5]}, ["X", "Y", "Z"]),
        notes=r"notes \(lines 5–6\) left out",
    ),
    Case(
        "a comma taken for the delimiter",
        text("region;jobs, thousand\nX;1,5\nY;2,5\n"),
        r"a semicolon stands in the header and in every row; name what separates cells",
        {"delimiter": ","},
    ),
    Case("Excel's own first line", text("sep=;\n" + written(delimiter=";", decimal=",")), TABLE),
    Case("Excel's own first line, comma", text('"sep=,"\r\n' + PLAIN), TABLE),
    Case("Excel's own first line, of a rare delimiter", text("sep=^\n" + written(delimiter="^")), TABLE),
    Case(
        "line numbers below Excel's own first line", text("sep=;\nregion;a\nX;lots\n"), r"no number at line 3"
    ),
    Case(
        "quoted names with quotes",
        text('region,a\n"The ""North""",1\nY,2\n'),
        pd.DataFrame({"a": [1.0, 2]}, ['The "North"', "Y"]),
    ),
    Case(
        "a line end within a quoted name",
        text('region,a\n"North\nand East",1\nY,2\n'),
        pd.DataFrame({"a": [1.0, 2]}, ["North and East", "Y"]),
    ),
    Case(
        "a line end within a quoted header",
        text('region,"jobs,\nthousand"\nX,1\nY,lots\n'),
        r"no number at line 4, column 'jobs, thousand'",
    ),
    Case(
        "a space before a quote",
        text('region, "a, b", c\nX, 1, 2\nY, 3, 4\n'),
        pd.DataFrame({"a, b": [1.0, 3], "c": [2.0, 4]}, ["X", "Y"]),
    ),
    Case(
        "a quote that does not close",
        text('region,a\n"North,1\nSouth,2\n'),
        r"line 2: the quotation marks of a cell",
    ),
    Case(
        "text behind a quote",
        text('region,a\n"North"x,1\nSouth,2\n'),
        r"line 2: the quotation marks of a cell",
    ),
    Case(
        "an inch mark",
        text('region,a\n5" pipe,1\nSouth,2\n'),
        pd.DataFrame({"a": [1.0, 2]}, ['5" pipe', "South"]),
    ),
    Case("carriage returns alone", text(PLAIN.replace("\n", "\r")), TABLE),
    Case("carriage returns doubled", text(PLAIN.replace("\n", "\r\r\n")), TABLE),
    Case("no line end at the end", text(PLAIN.rstrip()), TABLE),
    Case(
        "blank lines above, between and below",
        text("\n\n" + PLAIN.replace("Atyrau", "\n\nAtyrau") + "\n\n"),
        TABLE,
    ),
    Case("lines of delimiters", text(PLAIN.replace("Atyrau", ",,,\nAtyrau") + ",,,\n"), TABLE),
    Case("delimiters at the end of each line", text(PLAIN.replace("\n", ",\n")), TABLE),
    Case(
        "delimiters at the end of the rows",
        text(PLAIN.replace(".1\n", ".1,,\n").replace("5.0\n", "5.0,\n")),
        TABLE,
    ),
    Case("delimiters in front of each line", text("," + PLAIN.rstrip().replace("\n", "\n,")), TABLE),
    Case(
        "a cell too many",
        text(PLAIN.replace("17432.1", "17432,1")),
        r"line 2: 5 cells where the header has 4",
    ),
    Case("a cell too few", text(PLAIN.replace("17432.1,", "")), r"line 2: 3 cells where the header has 4"),
    Case("a row cut off", text(PLAIN[:-20]), r"line 5: \d cells where the header has 4"),
    Case(
        "a huge cell",
        text(PLAIN.replace("Akmola", "A" * 200_000)),
        TABLE.rename(index={"Akmola": "A" * 200_000}),
    ),
    Case(
        "a huge cell that is no number",
        text(PLAIN.replace("17432.1", "9z" * 100_000)),
        r"no number at line 2.*…'\)\.",
    ),
    Case("nothing", raw(b""), r"table\.csv is empty"),
    Case("blanks", raw(b"\xef\xbb\xbf \r\n\t\n"), r"table\.csv is empty"),
    Case("delimiters alone", raw(b";;;\n;;\n"), r"table\.csv is empty"),
    Case("one word", raw(b"hello"), r"0 rows and 1 columns below its header"),
    Case("a workbook called CSV", as_xlsx("table.csv"), TABLE),
    Case("CSV called XLSX", text(PLAIN, name="table.xlsx"), TABLE),
    Case("CSV called Parquet", text(PLAIN, name="table.parquet"), TABLE),
    Case("CSV called XLS", text(PLAIN, name="table.xls"), TABLE),
    Case("a text file", text(written(delimiter="\t"), name="table.txt"), TABLE),
    Case("Parquet called CSV", raw(packed_bytes := TABLE.to_parquet(), "table.csv"), TABLE),
    Case("Parquet cut off", raw(packed_bytes[:-40], "table.parquet"), r"table\.parquet cannot be read"),
    Case(
        "a web page",
        raw(b"<html><table><tr><td>1</td></tr></table></html>", "table.xls"),
        r"is a web page or XML",
    ),
    Case("JSON", raw(b'{"region": "X"}', "table.csv"), r"is JSON; expected CSV"),
    Case("brackets that are no JSON", text("[a region],b\nX,1\n"), pd.DataFrame({"b": [1.0]}, ["X"])),
    Case("PDF", raw(b"%PDF-1.4 1 0 obj", "table.csv"), r"is no table; expected CSV"),
    Case(
        "an old workbook",
        raw(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "table.xls"),
        r"old form of Excel",
    ),
    Case(
        "a workbook with a password",
        raw(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "table.xlsx"),
        "a password",
    ),
    Case("gzip", raw(gzip.compress(PLAIN.encode()), "table.csv.gz"), r"is packed; unpack it first"),
    Case("a zip of something", raw(zipped("table.csv"), "table.zip"), r"is a packed file but no workbook"),
    Case(
        "OpenDocument", raw(zipped("content.xml"), "table.ods"), r"is an OpenDocument file; save it as \.xlsx"
    ),
    Case("a binary workbook", raw(zipped("xl/workbook.bin"), "table.xlsb"), r"is a binary workbook"),
    Case("a broken workbook", raw(zipped("xl/workbook.xml"), "table.xlsx"), r"table\.xlsx cannot be read"),
    Case(
        "a workbook cut off",
        lambda folder: raw(as_xlsx("whole.xlsx")(folder).read_bytes()[:3000], "table.xlsx")(folder),
        r"table\.xlsx cannot be read",
    ),
    Case(
        "a picture", raw(b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "table.csv"), r"is no table; expected CSV"
    ),
    Case("Parquet", packed(TABLE), TABLE),
]
