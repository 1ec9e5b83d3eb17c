/** The layers of a made-up quarter around Bến Thành: for work on the page without a server. */
import { readFileSync } from 'node:fs';
import type { Collection, Field, GeometryKind, Meaning, Role, Theme } from '../../src/lib/api';
import { showCity } from '../../src/lib/city';
import { fromVn2000 } from '../../src/lib/vn2000';
import { CITY } from './profile';

showCity(CITY);

export interface MockLayer {
  collection: Collection;
  features: GeoJSON.Feature[];
}

/** A code list of the project's data folder, as the server describes it. */
function codeList(file: string, id: string): Field['codeList'] {
  const lines = readFileSync(new URL(`../../../data/${file}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'));
  const [head = '', ...rows] = lines;
  const columns = head.split('\t');
  const at = (names: string[]) => columns.findIndex((column) => names.includes(column));
  const [code, vi, en, color] = [
    at(['code', 'key']),
    at(['vi', 'name_vi']),
    at(['en', 'name_en']),
    at(['colour', 'color', 'hex']),
  ];
  const entries = rows.map((row) => {
    const cells = row.split('\t');
    return { code: cells[code] ?? '', vi: cells[vi] ?? '', en: cells[en] ?? '', color: cells[color] || null };
  });
  return { id, entries };
}

// The same numbers at each start, so that a picture can be compared with the one before.
let state = 42;
const random = () => {
  state = (state * 1664525 + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const pick = <T>(list: T[]): T => list[Math.floor(random() * list.length)] as T;

const CENTER: [number, number] = [603481.588, 1191454.611];
/** Metres east and north of the market, turned a little as the streets there are. */
const place = (x: number, y: number): [number, number] => {
  const angle = 0.55;
  return fromVn2000(
    CENTER[0] + x * Math.cos(angle) - y * Math.sin(angle),
    CENTER[1] + x * Math.sin(angle) + y * Math.cos(angle),
  );
};
const polygon = (corners: [number, number][]): GeoJSON.Polygon => ({
  type: 'Polygon',
  coordinates: [[...corners, corners[0] as [number, number]].map(([x, y]) => place(x, y))],
});
const rectangle = (x: number, y: number, w: number, h: number) =>
  polygon([
    [x, y],
    [x + w, y],
    [x + w, y + h],
    [x, y + h],
  ]);

function layer(
  id: string,
  titles: [string, string],
  role: Role,
  geometry: GeometryKind,
  key: string | null,
  label: string | null,
  fields: Field[],
  rows: [GeoJSON.Geometry, Record<string, unknown>][],
): MockLayer {
  const features = rows.map(
    ([shape, properties], index): GeoJSON.Feature => ({
      type: 'Feature',
      id: key ? String(properties[key]) : index + 1,
      geometry: shape,
      properties,
    }),
  );
  const xs = JSON.stringify(features.map((feature) => (feature.geometry as GeoJSON.Polygon).coordinates))
    .match(/-?\d+\.?\d*/g)!
    .map(Number);
  const lons = xs.filter((_, index) => index % 2 === 0);
  const lats = xs.filter((_, index) => index % 2 === 1);
  const bbox = [
    lons.reduce((a, b) => Math.min(a, b)),
    lats.reduce((a, b) => Math.min(a, b)),
    lons.reduce((a, b) => Math.max(a, b)),
    lats.reduce((a, b) => Math.max(a, b)),
  ];
  return {
    features,
    collection: {
      id,
      title: `${titles[0]} (dữ liệu giả lập)`,
      extent: { spatial: { bbox: [bbox] } },
      citymap: {
        titles: { vi: `${titles[0]} (dữ liệu giả lập)`, en: `${titles[1]} (synthetic)` },
        role,
        geometry,
        count: features.length,
        revision: 1,
        key,
        label,
        validFrom: id === 'zones' ? 'tu_ngay' : null,
        validTo: null,
        dataDate: '2026-01-01',
        source: 'mock',
        sourceCrs: 'EPSG:9210',
        synthetic: true,
        theme: THEMES[id] ?? null,
        fields,
        tilesVersion: '1-mock',
      },
    },
  };
}

/** What the fields of the made-up quarter mean. */
const MEANINGS: Record<string, Meaning> = {
  ten: 'name',
  so_nha: 'house_number',
  cap: 'plan_level',
  cap_duong: 'road_class',
  lo_gioi: 'right_of_way',
  long_duong: 'width',
};

const field = (name: string, type: Field['type'], vi: string, en: string, more: Partial<Field> = {}): Field => ({
  name,
  type,
  title: { vi, en },
  meaning: MEANINGS[name] ?? null,
  ...more,
});

/** What the layers of the made-up quarter show, where their role does not say it. */
const THEMES: Record<string, Theme> = { hydrants: 'hydrant', water: 'water' };

const STREETS = [
  'Nguyễn Trãi',
  'Lê Lợi',
  'Hàm Nghi',
  'Pasteur',
  'Nguyễn Huệ',
  'Lê Lai',
  'Trần Hưng Đạo',
  'Đồng Khởi',
  'Võ Thị Sáu',
  'Lý Tự Trọng',
];
const USES = ['ODT', 'ODT', 'ODT', 'ODT', 'TMD', 'DGD', 'DYT', 'DKV', 'SKC', 'TSC', 'DVH'];
const FUNCTIONS = ['O_Nhomnhao', 'O_HH', 'DV', 'CXCC', 'TH', 'CQ', 'YT'];

/** All layers of the made-up quarter. */
export function makeCity(): MockLayer[] {
  const parcels: [GeoJSON.Geometry, Record<string, unknown>][] = [];
  const buildings: [GeoJSON.Geometry, Record<string, unknown>][] = [];
  const addresses: [GeoJSON.Geometry, Record<string, unknown>][] = [];
  const roads: [GeoJSON.Geometry, Record<string, unknown>][] = [];
  const zones: [GeoJSON.Geometry, Record<string, unknown>][] = [];
  const hydrants: [GeoJSON.Geometry, Record<string, unknown>][] = [];
  const STEP = [110, 70];
  for (let row = -5; row < 5; row += 1) {
    for (let column = -5; column < 5; column += 1) {
      const [x, y] = [column * (STEP[0] ?? 0), row * (STEP[1] ?? 0)];
      let along = x + 6;
      let number = 1;
      while (along < x + 98) {
        const width = Math.min(4 + random() * 4, x + 104 - along);
        for (const half of [0, 1]) {
          const so_thua = parcels.length + 1;
          const bottom = y + 6 + half * 29;
          const loai_dat = pick(USES);
          const dia_chi = `${number + half} ${pick(STREETS)}, Phường Bến Thành`;
          parcels.push([
            rectangle(along, bottom, width, 29),
            {
              ma_thua: `26743-${row + 6}-${so_thua}`,
              ma_xa: '26743',
              so_to: row + 6,
              so_thua,
              loai_dat,
              dien_tich: Math.round(width * 290) / 10,
              dia_chi,
            },
          ]);
          buildings.push([
            rectangle(along, bottom + (half ? 5 : 0), width, 24),
            { so_tang: 1 + Math.floor(random() * 7) },
          ]);
          const [lon, lat] = place(along + width / 2, bottom + (half ? 27 : 2));
          addresses.push([
            { type: 'Point', coordinates: [lon, lat] },
            { so_nha: String(number + half), dia_chi },
          ]);
        }
        number += 2;
        along += width;
      }
      zones.push([
        rectangle(x + 20, y - 20, STEP[0] ?? 0, STEP[1] ?? 0),
        {
          ma_o: `A${zones.length + 1}`,
          ten: `Ô ${zones.length + 1}`,
          cap: 'QHPK',
          chuc_nang: pick(FUNCTIONS),
          mat_do: 60,
          he_so: 4.5,
        },
      ]);
      hydrants.push([{ type: 'Point', coordinates: place(x + 2, y + 2) }, { ma: `H${hydrants.length + 1}` }]);
    }
  }
  for (let line = -5; line <= 5; line += 1) {
    const wide = line % 5 === 0;
    const properties = { cap_duong: wide ? 'primary' : 'local', lo_gioi: wide ? 20 : 12, long_duong: wide ? 14 : 7 };
    const points = (f: (t: number) => [number, number]) => Array.from({ length: 6 }, (_, index) => f(index / 5));
    roads.push([
      { type: 'LineString', coordinates: points((t) => place(-550 + 1100 * t, line * 70)) },
      { ma_duong: `N${line}`, ten: pick(STREETS), ...properties },
    ]);
    roads.push([
      { type: 'LineString', coordinates: points((t) => place(line * 110, -350 + 700 * t)) },
      { ma_duong: `D${line}`, ten: pick(STREETS), ...properties },
    ]);
  }
  const communes: [GeoJSON.Geometry, Record<string, unknown>][] = [
    ['26743', 'Phường Bến Thành', -900],
    ['26740', 'Phường Sài Gòn', 0],
  ].map(([ma, ten, x]) => [rectangle(Number(x), -800, 900, 1600), { ma, ten, loai: 'phường' }]);
  const river = polygon([
    [700, -800],
    [760, -300],
    [720, 200],
    [800, 800],
    [1000, 800],
    [950, 100],
    [1000, -800],
  ]);
  const landUse = field('loai_dat', 'text', 'Loại đất', 'Land use', {
    codeList: codeList('land_use_codes.tsv', 'land_use'),
  });
  const planned = field('chuc_nang', 'text', 'Chức năng sử dụng đất', 'Planned use', {
    codeList: codeList('planning_functions.tsv', 'planning_function'),
  });
  return [
    layer(
      'parcels',
      ['Thửa đất', 'Parcels'],
      'parcel',
      'polygon',
      'ma_thua',
      'so_thua',
      [
        field('ma_thua', 'text', 'Mã thửa', 'Parcel key'),
        field('so_to', 'int', 'Số tờ bản đồ', 'Map sheet'),
        field('so_thua', 'int', 'Số thửa', 'Parcel number'),
        landUse,
        field('dien_tich', 'real', 'Diện tích trên giấy', 'Certificate area', { unit: 'm²' }),
        field('dia_chi', 'text', 'Địa chỉ', 'Address'),
      ],
      parcels,
    ),
    layer(
      'zones',
      ['Ô quy hoạch', 'Planning zones'],
      'zone',
      'polygon',
      'ma_o',
      'ten',
      [
        field('ma_o', 'text', 'Mã ô', 'Zone'),
        field('cap', 'text', 'Cấp quy hoạch', 'Plan level', {
          codeList: codeList('plan_levels.tsv', 'plan_level'),
          meaning: 'plan_level',
        }),
        planned,
        field('mat_do', 'real', 'Mật độ xây dựng', 'Building coverage', { unit: '%' }),
        field('he_so', 'real', 'Hệ số sử dụng đất', 'Floor-area ratio'),
      ],
      zones,
    ),
    layer(
      'roads',
      ['Đường', 'Roads'],
      'road',
      'line',
      'ma_duong',
      'ten',
      [
        field('ten', 'text', 'Tên đường', 'Name'),
        field('cap_duong', 'text', 'Cấp đường', 'Class', { codeList: codeList('road_classes.tsv', 'road_class') }),
        field('lo_gioi', 'real', 'Lộ giới', 'Right-of-way', { unit: 'm' }),
        field('long_duong', 'real', 'Lòng đường', 'Carriageway', { unit: 'm' }),
      ],
      roads,
    ),
    layer(
      'buildings',
      ['Nhà, công trình', 'Buildings'],
      'building',
      'polygon',
      null,
      null,
      [field('so_tang', 'int', 'Số tầng', 'Storeys')],
      buildings,
    ),
    layer(
      'addresses',
      ['Địa chỉ', 'Addresses'],
      'address',
      'point',
      null,
      'dia_chi',
      [field('so_nha', 'text', 'Số nhà', 'House number'), field('dia_chi', 'text', 'Địa chỉ', 'Address')],
      addresses,
    ),
    layer(
      'communes',
      ['Phường, xã', 'Communes'],
      'admin_unit',
      'polygon',
      'ma',
      'ten',
      [field('ma', 'text', 'Mã', 'Code'), field('ten', 'text', 'Tên', 'Name')],
      communes,
    ),
    layer(
      'hydrants',
      ['Trụ chữa cháy', 'Hydrants'],
      'utility',
      'point',
      'ma',
      'ma',
      [field('ma', 'text', 'Mã', 'Code')],
      hydrants,
    ),
    layer(
      'water',
      ['Sông, kênh, rạch', 'Water'],
      'other',
      'polygon',
      null,
      'ten',
      [field('ten', 'text', 'Tên', 'Name')],
      [[river, { ten: 'Sông Sài Gòn' }]],
    ),
  ];
}
