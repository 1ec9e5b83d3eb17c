"""Reads a CSV or GeoParquet file with DuckDB, which shares no code with the program, and prints it as JSON:
the columns with their types, and the rows with geometry as in GeoJSON, instants in milliseconds and days as text.

    python read.py FILE
"""

import json
import struct
import sys

import duckdb

KINDS = ["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"]


def geometry(wkb):
    """Well-known binary of two dimensions as a GeoJSON geometry."""
    place = 0

    def take(kind):
        nonlocal place
        values = struct.unpack_from("<" + kind, wkb, place)
        place += struct.calcsize("<" + kind)
        return values

    def many(item):
        return [item() for _ in range(take("I")[0])]

    def position():
        return list(take("dd"))

    def whole():
        order, code = take("BI")
        assert order == 1, "little-endian"
        kind = KINDS[code - 1]
        if kind == "GeometryCollection":
            return {"type": kind, "geometries": many(whole)}
        if kind.startswith("Multi"):
            return {"type": kind, "coordinates": many(lambda: whole()["coordinates"])}
        read = {"Point": position, "LineString": lambda: many(position), "Polygon": lambda: many(lambda: many(position))}
        return {"type": kind, "coordinates": read[kind]()}

    found = whole()
    assert place == len(wkb), "nothing follows the geometry"
    return found


def value(column):
    """The SQL expression for a column, and what makes JSON of its values."""
    name = '"' + column[0].replace('"', '""') + '"'
    if column[1].startswith("GEOMETRY"):
        return f"ST_AsWKB({name})", geometry
    if column[1] == "TIMESTAMP WITH TIME ZONE":
        return f"epoch_ms({name})", int
    if column[1] == "DATE":
        return f"CAST({name} AS VARCHAR)", str
    return name, lambda value: value


def main(path):
    connection = duckdb.connect()
    # A quoted empty text is not a missing value.
    source = "read_csv(?, all_varchar = true, header = true, delim = ',', quote = '\"', allow_quoted_nulls = false)"
    if path.endswith("parquet"):
        source = "read_parquet(?)"
    columns = [row[:2] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}", [path]).fetchall()]
    if not path.endswith("parquet"):
        columns = [(name, "GEOMETRY" if name == "wkt" else kind) for name, kind in columns]
        source = f"(SELECT * REPLACE (CAST(wkt AS GEOMETRY) AS wkt) FROM {source})" if ("wkt", "GEOMETRY") in columns else source
    readers = [value(column) for column in columns]
    query = f"SELECT {', '.join(sql for sql, _ in readers)} FROM {source}"
    rows = [
        [None if cell is None else make(cell) for cell, (_, make) in zip(row, readers)]
        for row in connection.execute(query, [path]).fetchall()
    ]
    answer = {"columns": columns, "rows": rows}
    if path.endswith("parquet"):
        metadata = connection.execute("SELECT key, value FROM parquet_kv_metadata(?)", [path]).fetchall()
        answer["geo"] = next((json.loads(text) for key, text in metadata if bytes(key) == b"geo"), None)
    json.dump(answer, sys.stdout, ensure_ascii=False)


main(sys.argv[1])
