"""GDAL's attribute filters: python where_client.py API STORE

Each condition is read through a proxy that notes the requests: the rows must be as many as SQLite counts in the
store, and the condition must have reached the server, but for those that GDAL is known to test itself.
"""

import http.server
import re
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

api, store = sys.argv[1:]
server = api.removesuffix("/api")
rows = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
rows.execute("PRAGMA case_sensitive_like = ON")
asked = []


class Proxy(http.server.BaseHTTPRequestHandler):
    """Passes requests on with their own host, so that links lead back to it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked.append(self.path)
        headers = {name: value for name, value in self.headers.items() if name.lower() in ("host", "accept")}
        request = urllib.request.Request(server + self.path, headers=headers)
        try:
            answer = urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            answer = error
        body = answer.read()
        self.send_response(answer.status)
        for name in ("content-type", "link", "content-crs"):
            if value := answer.headers.get(name):
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
SOURCE = f"OAPIF:http://127.0.0.1:{proxy.server_port}/api"

# The layer, the condition as GDAL takes it, and as SQLite takes it where that differs.
CONDITIONS = [
    ("parcels", "loai_dat = 'ODT'"),
    ("parcels", "loai_dat <> 'ODT'"),
    ("parcels", "loai_dat = 'O''DT'"),
    ("parcels", "ten_duong = 'Phan Liêm'"),
    ("parcels", "so_to = 1"),
    ("parcels", "so_thua > 10"),
    ("parcels", "so_thua >= 10"),
    ("parcels", "so_thua < 10"),
    ("parcels", "so_thua <= 10"),
    ("parcels", "so_thua <> 10"),
    ("parcels", "so_thua != 10"),
    ("parcels", "dien_tich > 100"),
    ("parcels", "dien_tich > 99.5"),
    ("parcels", "dien_tich <= 120.25"),
    ("parcels", "dien_tich > 1e2"),
    ("parcels", "so_thua = -1"),
    ("parcels", "100 < dien_tich"),
    ("parcels", "loai_dat > 'ODT'"),
    ("parcels", "loai_dat IN ('TMD','BCS')"),
    ("parcels", "loai_dat IN ('TMD')"),
    ("parcels", "loai_dat NOT IN ('TMD','BCS')"),
    ("parcels", "so_thua IN (1,2,3,5,8)"),
    ("parcels", "so_thua NOT IN (1,2,3)"),
    ("parcels", "dien_tich BETWEEN 80 AND 120"),
    ("parcels", "so_thua BETWEEN 5 AND 5"),
    ("parcels", "so_thua NOT BETWEEN 5 AND 50"),
    ("parcels", "loai_dat BETWEEN 'A' AND 'C'"),
    ("parcels", "ten_duong IS NULL"),
    ("parcels", "so_nha IS NOT NULL"),
    ("parcels", "so_nha IS NULL"),
    ("parcels", "NOT so_nha IS NULL"),
    ("parcels", "loai_dat LIKE 'O%'"),
    ("parcels", "loai_dat LIKE '%T'"),
    ("parcels", "loai_dat LIKE 'O_T'"),
    ("parcels", "loai_dat NOT LIKE 'O%'"),
    ("parcels", "ten_duong LIKE 'Ng%'"),
    ("parcels", "dia_chi LIKE '%Nguyễn%'"),
    ("parcels", "loai_dat = 'ODT' AND dien_tich > 100"),
    ("parcels", "loai_dat = 'ODT' AND dien_tich > 100 AND so_thua < 200"),
    ("parcels", "loai_dat = 'ODT' OR dien_tich > 200"),
    ("parcels", "loai_dat = 'BCS' OR loai_dat = 'TMD' OR so_thua = 3"),
    ("parcels", "(loai_dat = 'ODT' OR dien_tich > 200) AND so_thua < 50"),
    ("parcels", "loai_dat = 'ODT' AND (so_thua < 20 OR so_thua > 100)"),
    ("parcels", "NOT loai_dat = 'ODT'"),
    ("parcels", "NOT (loai_dat = 'ODT' AND dien_tich > 100)"),
    ("parcels", "NOT (loai_dat = 'ODT' OR dien_tich > 100)"),
    ("parcels", "so_nha IS NULL AND loai_dat <> 'TMD'"),
    ("parcels", "so_nha IS NULL OR so_thua = 1"),
    ("parcels", "loai_dat IN ('TMD','BCS') AND dien_tich BETWEEN 50 AND 150"),
    ("parcels", "loai_dat LIKE 'O%' AND so_thua <> 4"),
    ("zones", "ngay_quyet_dinh = '2018-07-07'"),
    ("zones", "ngay_quyet_dinh >= '2018/07/07'", "ngay_quyet_dinh >= '2018-07-07'"),
    ("zones", "ngay_quyet_dinh < '2013/06/01'", "ngay_quyet_dinh < '2013-06-01'"),
    ("zones", "ngay_quyet_dinh IS NULL"),
    ("zones", "ngay_quyet_dinh >= '2012/01/01' AND cap = 'QHPK'", "ngay_quyet_dinh >= '2012-01-01' AND cap = 'QHPK'"),
    ("zones", "mat_do > 40 AND tang_cao_max <= 10"),
    ("zones", "ten LIKE 'Khu%' OR mat_do IS NULL"),
    ("roads", "lo_gioi > 24 AND ten IS NOT NULL"),
    ("reports_1022", "thoi_gian >= '2025/07/01 00:00:00'", "thoi_gian >= '2025-07-01T00:00:00'"),
    ("reports_1022", "thoi_gian < '2025/07/01 00:00:00' AND loai IS NOT NULL", "thoi_gian < '2025-07-01T00:00:00' AND loai IS NOT NULL"),
]


def read(layer, where):
    command = ["ogrinfo", "-ro", "-q", "-nomd", "-geom=NO", SOURCE, layer, "-where", where]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "ERROR" not in ran.stderr, f"{where}: {ran.stderr}"
    return len(re.findall("^OGRFeature", ran.stdout, re.M))


wrong, reached, selective = [], 0, 0
for layer, where, *sql in CONDITIONS:

    def count(condition):
        return rows.execute(f'SELECT count(*) FROM "{layer}" WHERE {condition}').fetchone()[0]

    expected = count(sql[0] if sql else where)
    selective += 0 < expected < count("1")
    asked.clear()
    found = read(layer, where)
    if found != expected:
        wrong.append(f"{layer}: {where}: {expected} rows in the store, {found} by GDAL")
    # GDAL 3.6 sends neither IN nor a comparison that begins with the constant, and tests them itself.
    is_own = " IN (" in where or where[0].isdigit()
    at_server = any("items?" in path and "filter=" in path for path in asked)
    if not at_server and not is_own:
        wrong.append(f"{layer}: {where}: the condition did not reach the server")
    reached += at_server
    print(f"{found:5} {'server' if at_server else 'GDAL':6} {layer}: {where}")
print(f"{len(CONDITIONS)} conditions, {reached} at the server, {selective} for some rows and not all")
if selective < 45:
    wrong.append(f"only {selective} conditions hold for some rows and not all")
if wrong:
    sys.exit("\n".join(wrong))
