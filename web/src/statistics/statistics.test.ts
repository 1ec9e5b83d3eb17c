import { describe, expect, it } from 'vitest';
import type { Collection, Field } from '../lib/api';
import { dividedBy, type LayerShare, type ListedFeature, type Share, type WithinAnswer } from '../lib/within';
import { featuresCsv, featuresGeoJson, statisticsCsv } from './export';
import { inArea, overlaps, sizeOf, valueRows } from './rows';
import { STATISTICS, valueText } from './words';

const GRID = { unit: 'm²', method: 'grid', crs: 'EPSG:9210' };
const share = (count: number, area?: number, more: Partial<Share> = {}): Share => ({
  count,
  whole: 1,
  contacts: 0,
  ...(area === undefined
    ? {}
    : { area: { value: area, ...GRID }, fullArea: { value: 2 * area, ...GRID }, share: area / 1000 }),
  ...more,
});

const LEVEL: Field = {
  name: 'cap',
  type: 'text',
  meaning: 'plan_level',
  title: { vi: 'Cấp', en: 'Level' },
  codeList: {
    id: 'plan_level',
    entries: [
      { code: 'QHPK', vi: 'Quy hoạch phân khu', en: 'Zoning plan' },
      { code: 'QHC', vi: 'Quy hoạch chung', en: 'General plan' },
    ],
  },
};
const USE: Field = {
  name: 'chuc_nang',
  type: 'text',
  meaning: 'plan_function',
  title: { vi: 'Chức năng', en: 'Function' },
  codeList: {
    id: 'planning_function',
    entries: [
      { code: 'DO', vi: 'Đất ở', en: 'Residential' },
      { code: 'CX', vi: 'Cây xanh', en: 'Green' },
    ],
  },
};
const zones = {
  id: 'zones',
  title: 'Zones',
  citymap: { role: 'zone', titles: { vi: 'Ô quy hoạch', en: 'Zones' }, fields: [USE, LEVEL], dataDate: '2026-01-01' },
} as unknown as Collection;
const roads = {
  id: 'roads',
  title: 'Roads',
  citymap: { role: 'road', titles: { vi: 'Đường, "phố"; hẻm', en: 'Roads' }, fields: [] },
} as unknown as Collection;

const group = (cap: string | null, chuc_nang: string | null, of: Share) => ({ values: { cap, chuc_nang }, ...of });
const planned: LayerShare = {
  layer: 'zones',
  titles: { vi: '', en: '' },
  role: 'zone',
  ...share(6, 1900),
  by: ['cap', 'chuc_nang'],
  groups: [
    group(null, 'CX', share(1, 10)),
    group('QHC', 'DO', share(1, 1000)),
    group('QHPK', 'CX', share(2, 300.5)),
    group('QHPK', 'DO', share(1, 589.5)),
    group('QHPK', null, share(1, 0, { contacts: 1, whole: 0 })),
  ],
};
const answer: WithinAnswer = {
  revision: 7,
  area: { value: 1000, ...GRID },
  layers: [planned, { layer: 'roads', titles: { vi: '', en: '' }, role: 'road', ...share(0), whole: 0 }],
};
const layers = new Map([zones, roads].map((layer) => [layer.id, layer]));

describe('the fields that divide a layer', () => {
  const layer = (id: string, ...fields: Partial<Field>[]) => ({ id, citymap: { fields } }) as unknown as Collection;
  const codes = { id: null, entries: [{ code: 'a' }, { code: 'b' }] } as unknown as Field['codeList'];

  it('are level and function of a plan, or else use, class, status or a field with codes', () => {
    const city = [
      zones,
      layer('parcels', { name: 'ma' }, { name: 'loai_dat', meaning: 'land_use' }, { name: 'tt', meaning: 'status' }),
      layer('lamps', { name: 'x' }, { name: 'loai', codeList: codes }),
      layer('water', { name: 'ten', meaning: 'name' }),
    ];
    expect(dividedBy(city)).toEqual(['zones.cap', 'zones.chuc_nang', 'parcels.loai_dat', 'lamps.loai']);
  });
});

describe('the rows of a layer', () => {
  const rows = valueRows(planned, zones.citymap.fields);

  it('are its levels from the finest with their sums, and below them the largest first', () => {
    expect(rows.map(({ depth, value, count, area }) => [depth, value, count, area?.value])).toEqual([
      [1, 'QHPK', 3, 890],
      [2, 'DO', 1, 589.5],
      [2, 'CX', 2, 300.5],
      [1, 'QHC', 1, 1000],
      [2, 'DO', 1, 1000],
      [1, null, 1, 10],
      [2, 'CX', 1, 10],
    ]);
    expect(rows[0]?.share).toBeCloseTo(0.89, 9);
    expect([rows[0]?.values, rows[1]?.values]).toEqual([{ cap: 'QHPK' }, { cap: 'QHPK', chuc_nang: 'DO' }]);
  });

  it('are none without fields, and leave out what only touches', () => {
    expect(valueRows({ ...planned, by: undefined, groups: undefined }, zones.citymap.fields)).toEqual([]);
    expect(rows.some(({ value, depth }) => depth === 2 && value === null)).toBe(false);
    expect(inArea(share(5, 1, { contacts: 2 }))).toBe(3);
  });

  it('say when a sum is no size: features overlap where it is above the area', () => {
    expect([overlaps(planned, answer.area), rows.some((row) => overlaps(row, answer.area))]).toEqual([true, false]);
    expect([sizeOf(planned, false)?.value, sizeOf(planned, true)?.value]).toEqual([1900, 3800]);
  });
});

describe('the table as CSV', () => {
  const text = statisticsCsv(answer, layers, 'vi', STATISTICS.vi);
  const lines = text.slice(1).split('\r\n');

  it('opens in a Vietnamese spreadsheet: byte order mark, semicolons, decimal commas', () => {
    expect(text.startsWith('\uFEFF')).toBe(true);
    expect(lines[0]).toMatch(/^Lớp;Phân loại theo;Giá trị;Số lượng;Nằm trọn;Diện tích trong vùng \(m²\);/);
    expect(lines[1]).toBe('Diện tích vùng;;;;;1000;100;;;;EPSG:9210;;7');
    expect(lines[3]).toBe('Ô quy hoạch;Cấp;Quy hoạch phân khu (QHPK);3;2;890;89;1780;;;EPSG:9210;2026-01-01;7');
    expect(lines[5]).toContain('Chức năng;Quy hoạch phân khu (QHPK) / Cây xanh (CX);2;1;300,5;30,05;601;');
    expect(
      new Set(lines.slice(0, -1).map((line) => line.replace(/"[^"]*(""[^"]*)*"/g, '').split(';').length)).size,
    ).toBe(1);
  });

  it('quotes what has separators, and gives no formula to run', () => {
    expect(text).toContain('"Đường, ""phố""; hẻm";');
    const evil = { ...roads, citymap: { ...roads.citymap, titles: { vi: '=HYPERLINK("x")', en: '' } } } as Collection;
    expect(statisticsCsv(answer, new Map([['roads', evil]]), 'vi', STATISTICS.vi)).toContain(`"'=HYPERLINK(""x"")";`);
  });
});

describe('the features as files', () => {
  const feature: ListedFeature = {
    type: 'Feature',
    id: 'Z-1',
    geometry: { type: 'Point', coordinates: [106.7, 10.77] },
    properties: { chuc_nang: 'CX', cap: null, so: -3.25 },
    label: 'x',
    inside: share(1, 12.345),
  };
  const layer = {
    ...zones,
    citymap: { ...zones.citymap, fields: [USE, LEVEL, { name: 'so', type: 'real' }] },
  } as unknown as Collection;

  it('have every field, the text of codes, and numbers as numbers', () => {
    const lines = featuresCsv([feature], layer, 'vi', STATISTICS.vi).slice(1).split('\r\n');
    expect(lines).toEqual([
      'Mã đối tượng;Chức năng;Cấp;so;Nằm trọn;Diện tích trong vùng (m²);Tỷ lệ diện tích vùng (%);' +
        'Diện tích toàn bộ (m²);Chiều dài trong vùng (m);Chiều dài toàn bộ (m)',
      'Z-1;Cây xanh (CX);;-3,25;có;12,35;1,23;24,69;;',
      '',
    ]);
  });

  it('are GeoJSON with the part inside', () => {
    const read = JSON.parse(featuresGeoJson([feature]));
    expect([read.type, read.features[0].id, read.features[0].inside.area.value]).toEqual([
      'FeatureCollection',
      'Z-1',
      12.345,
    ]);
  });
});

describe('a value', () => {
  it('is read as the text of its code', () => {
    expect(valueText('QHC', LEVEL, 'vi', STATISTICS.vi)).toBe('Quy hoạch chung (QHC)');
    expect(valueText('DO', USE, 'en', STATISTICS.en)).toBe('Residential (DO)');
    expect(valueText(null, USE, 'vi', STATISTICS.vi)).toBe('(không ghi)');
  });
});
