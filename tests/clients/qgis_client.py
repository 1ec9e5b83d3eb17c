"""QGIS as a client, by its OAPIF provider: /usr/bin/python3 qgis_client.py API STORE

Each layer is read whole, by id, by an attribute and by a date, as a layer's filter in QGIS does; the rows are compared
with those of the store. Needs Debian's python3-qgis.
"""

import json
import os
import sqlite3
import sys
import urllib.request

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# QGIS 3.22 reads texts that look like dates as dates, unless it is told not to (docs/http-api.md).
os.environ.setdefault("OGR_GEOJSON_DATE_AS_STRING", "YES")
from qgis.core import NULL, Qgis, QgsApplication, QgsSettings, QgsVectorLayer  # noqa: E402

api, store = sys.argv[1:]
rows = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
application = QgsApplication([], False)
application.initQgis()
QgsSettings().setValue("qgis/networkAndProxy/networkTimeout", 60000)
wrong = []


def get(path):
    with urllib.request.urlopen(f"{api}{path}") as answer:
        return json.load(answer)


def read(layer, where=""):
    """The features of a layer with a filter, each as a dictionary."""
    opened = QgsVectorLayer(f"url='{api}' typename='{layer}' pagesize='1000'", layer, "OAPIF")
    assert opened.isValid(), f"{layer}: {opened.error().message()}"
    assert opened.setSubsetString(where), where
    names = [field.name() for field in opened.fields()]
    return [dict(zip(names, feature.attributes())) for feature in opened.getFeatures()]


def by_number(layer):
    """The values of three features as they come with the layer, and as they come by their number in QGIS."""
    opened = QgsVectorLayer(f"url='{api}' typename='{layer}' pagesize='1000'", layer, "OAPIF")
    features = list(opened.getFeatures())
    chosen = [features[at] for at in sorted({0, len(features) // 2, len(features) - 1})] if features else []
    return [(feature.attributes(), opened.getFeature(feature.id()).attributes()) for feature in chosen]


def check(layer, kind, expected, found):
    if expected != found:
        wrong.append(f"{layer} {kind}: {expected} rows in the store, {found} by QGIS")


def quoted(value):
    return str(value) if isinstance(value, (int, float)) else "'" + str(value).replace("'", "''") + "'"


def quoted_name(name):
    return '"' + name.replace('"', '""') + '"'


print(f"{'QGIS ' + Qgis.QGIS_VERSION.split('-')[0]:14} {'all':>11} {'by id':>11} {'by attribute':>24} {'by date':>24}")
for collection in get("/collections")["collections"]:
    layer, about = collection["id"], collection["citymap"]

    def count(where="1"):
        return rows.execute(f'SELECT count(*) FROM "{layer}" WHERE {where}').fetchone()[0]

    expected, found = count(), read(layer)
    check(layer, "all", expected, len(found))
    line = [f"{layer:14}", f"{len(found)}/{expected}".rjust(11)]

    # Every feature by its values, and the key by a filter.
    if key := about["key"]:
        names = [row[0] for row in rows.execute(f'SELECT DISTINCT "{key}" FROM "{layer}" WHERE "{key}" IS NOT NULL')]
        read_keys = {own[key] for own in found if own[key] != NULL}
        if read_keys != set(names):
            wrong.append(f"{layer} keys: {sorted(set(names) ^ read_keys)[:3]} differ")
        wanted = [names[at] for at in sorted({0, len(names) // 2, len(names) - 1})] if names else []
        right = 0
        for name in wanted:
            where = f'"{key}" = {quoted(name)}'
            given = len(read(layer, where))
            check(layer, where, count(where), given)
            right += given == count(where)
        line.append(f"{right}/{len(wanted)}".rjust(11))
    else:
        right = sum(own == again for own, again in by_number(layer))
        if right != min(3, expected):
            wrong.append(f"{layer} by number: {right} of {min(3, expected)} are the same")
        line.append(f"{right}/{min(3, expected)}".rjust(11))

    shown = ""
    for field in about["fields"]:
        if field["type"] not in ("text", "int") or field["name"] == key:
            continue
        commonest = rows.execute(
            f'SELECT "{field["name"]}", count(*) AS n FROM "{layer}" WHERE "{field["name"]}" IS NOT NULL '
            f"GROUP BY 1 ORDER BY n DESC, 1 LIMIT 1"
        ).fetchone()
        if commonest:
            where = f'"{field["name"]}" = {quoted(commonest[0])}'
            given = len(read(layer, where))
            check(layer, where, commonest[1], given)
            shown = shown or f"{field['name']} {given}/{commonest[1]}"
    line.append(shown.rjust(24))

    shown = ""
    if field := about["temporal"]:
        days = [row[0][:10] for row in rows.execute(f'SELECT "{field}" FROM "{layer}" WHERE "{field}" IS NOT NULL ORDER BY 1')]
        is_day = any(own["name"] == field and own["type"] == "date" for own in about["fields"])
        for day in [days[len(days) // 2], "2999-01-01"]:
            # QGIS takes a day for its first instant where the field is of instants.
            stored, asked = ("substr(%s, 1, 10)", day) if is_day else ("substr(%s, 1, 19)", f"{day}T00:00:00")
            for compare in (">=", "<=", "=") if is_day else (">=", "<="):
                expected = count(f'{stored % quoted_name(field)} {compare} {quoted(asked)}')
                given = len(read(layer, f'"{field}" {compare} {quoted(day)}'))
                check(layer, f"{field} {compare} {day}", expected, given)
                shown = shown or f"{field} {given}/{expected}"
    line.append(shown.rjust(24))
    print(" ".join(line), flush=True)

if wrong:
    print("\n".join(wrong), file=sys.stderr)
# QGIS sometimes ends badly after its work is done.
sys.stdout.flush()
os._exit(1 if wrong else 0)
