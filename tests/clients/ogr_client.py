"""GDAL as a client, by pyogrio or by ogrinfo: python ogr_client.py API STORE pyogrio|ogrinfo

Each layer is read whole, by id, by an attribute and by a date; the rows are compared with those of the store.
"""

import json
import re
import sqlite3
import subprocess
import sys
import urllib.parse
import urllib.request

api, store, client = sys.argv[1:]
rows = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
SOURCE = f"OAPIF:{api}"


def get(path):
    with urllib.request.urlopen(f"{api}{path}") as answer:
        return json.load(answer)


def by_pyogrio(layer, where=None, fid=None):
    """The rows of a layer, each as a dictionary of texts."""
    from pyogrio.raw import read

    meta, _, _, values = read(SOURCE, layer=layer, where=where, fids=None if fid is None else [fid])
    count = len(values[0]) if len(values) else 0
    return [{str(name): text(column[row]) for name, column in zip(meta["fields"], values)} for row in range(count)]


def by_ogrinfo(layer, where=None, fid=None):
    command = ["ogrinfo", "-ro", "-q", "-nomd", SOURCE, layer]
    command += ["-where", where] if where else []
    command += ["-fid", str(fid)] if fid is not None else []
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "ERROR" not in ran.stderr, ran.stderr
    found = []
    for line in ran.stdout.splitlines():
        if line.startswith("OGRFeature("):
            found.append({})
        elif match := re.match(r"^  (\S.*?) \(\w+(?:\(\w+\))?\) = (.*)$", line):
            found[-1][match[1]] = match[2] if match[2] != "(null)" else ""
    return found


def text(value):
    """A value as both clients write it; numbers are compared as numbers."""
    return "" if value is None or value != value else str(value)


def same(one, other):
    try:
        return float(one) == float(other)
    except ValueError:
        return one == other


def quoted(value):
    return str(value) if isinstance(value, (int, float)) else "'" + str(value).replace("'", "''") + "'"


read = {"pyogrio": by_pyogrio, "ogrinfo": by_ogrinfo}[client]
wrong = []


def check(layer, kind, expected, found, what):
    if expected != found:
        wrong.append(f"{layer} {kind} {what}: {expected} rows in the store, {found} by {client}")


print(f"{client:14} {'all':>11} {'by id':>11} {'by attribute':>24} {'by date':>24}")
for collection in get("/collections")["collections"]:
    layer, about = collection["id"], collection["citymap"]
    line = [f"{layer:14}"]

    def count(where="1"):
        return rows.execute(f'SELECT count(*) FROM "{layer}" WHERE {where}').fetchone()[0]

    # Whole.
    expected, found = count(), len(read(layer))
    check(layer, "all", expected, found, "")
    line.append(f"{found}/{expected}".rjust(11))

    # By id, with every value.
    features = get(f"/collections/{layer}/items?limit=10000")["features"]
    wanted = [features[at] for at in sorted({0, len(features) // 2, len(features) - 1})] if features else []
    right = 0
    for feature in wanted:
        name = feature["id"]
        given = read(layer, fid=name) if isinstance(name, int) else read(layer, where=f"id = {quoted(name)}")
        right += len(given) == 1
        check(layer, "by id", 1, len(given), name)
        for field, value in feature["properties"].items():
            kind = next(own["type"] for own in about["fields"] if own["name"] == field)
            # Dates and booleans are written in several ways. GDAL 3.6 writes a text that looks like a date as one.
            if given and kind in ("int", "real", "text") and not re.match(r"^\d+[-/]\d+[-/]\d+$", str(value)):
                if not same(text(value), given[0].get(field, "")):
                    wrong.append(f"{layer} {name} {field}: {value!r} is {given[0].get(field)!r}")
    line.append(f"{right}/{len(wanted)}".rjust(11))

    # By the commonest value of a text or a number that is no key.
    shown = ""
    for field in about["fields"]:
        if field["type"] not in ("text", "int") or field["name"] == about["key"]:
            continue
        commonest = rows.execute(
            f'SELECT "{field["name"]}", count(*) AS n FROM "{layer}" WHERE "{field["name"]}" IS NOT NULL '
            f'GROUP BY 1 ORDER BY n DESC, 1 LIMIT 1'
        ).fetchone()
        if commonest is None:
            continue
        where = f'"{field["name"]}" = {quoted(commonest[0])}'
        found = len(read(layer, where=where))
        check(layer, "by attribute", commonest[1], found, where)
        shown = shown or f"{field['name']} {found}/{commonest[1]}"
    line.append(shown.rjust(24))

    # By the date that `datetime` means.
    shown = ""
    if field := about["temporal"]:
        days = [row[0] for row in rows.execute(f'SELECT "{field}" FROM "{layer}" WHERE "{field}" IS NOT NULL ORDER BY 1')]
        middle = days[len(days) // 2][:10]
        is_day = any(own["name"] == field and own["type"] == "date" for own in about["fields"])
        for compare, day in [(">=", middle), ("<=", middle), (">=", "2999-01-01")]:
            for instant in [day, f"{day}T00:00:00Z"]:
                # A day is all of its hours, in a field of days and in the question.
                digits = 10 if is_day or instant == day else 19
                expected = count(f'substr("{field}", 1, {digits}) {compare} {quoted(instant[:digits])}')
                found = len(read(layer, where=f'"{field}" {compare} {quoted(instant)}'))
                check(layer, "by date", expected, found, f"{field} {compare} {instant}")
                shown = shown or f"{field} {found}/{expected}"
    line.append(shown.rjust(24))
    print(" ".join(line))

if wrong:
    sys.exit("\n".join(wrong))
