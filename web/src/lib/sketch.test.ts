import { describe, expect, it } from 'vitest';
import type { Collection, WithinAnswer } from './api';
import { crossesItself, gridArea, gridLength, type LonLat, onGrid, polygonOf, statisticsCsv } from './sketch';
import { fromVn2000 } from './vn2000';

/** A ring in metres east and north of a corner in the city. */
const city = (offsets: [number, number][]): LonLat[] =>
  offsets.map(([east, north]) => fromVn2000(603_000 + east, 1_191_000 + north));

describe('figures on the grid', () => {
  const field = city([
    [0, 0],
    [300, 0],
    [300, 200],
    [0, 200],
  ]);

  it('are those of the drawing in metres, whichever way it runs', () => {
    expect(gridLength(field)).toBeCloseTo(800, 4);
    expect(gridLength(field, true)).toBeCloseTo(1000, 4);
    expect(gridArea(field)).toBeCloseTo(60_000, 2);
    expect(gridArea([...field].reverse())).toBeCloseTo(60_000, 2);
    // A hollow corner takes its part away.
    const hollow = city([
      [0, 0],
      [300, 0],
      [300, 200],
      [100, 200],
      [100, 100],
      [0, 100],
    ]);
    expect(gridArea(hollow)).toBeCloseTo(50_000, 2);
  });

  it('are nothing for less than they need', () => {
    expect([gridLength([]), gridLength(field.slice(0, 1), true), gridArea([]), gridArea(field.slice(0, 2))]).toEqual([
      0, 0, 0, 0,
    ]);
  });

  it('mean nothing far from Vietnam', () => {
    expect(onGrid(field)).toBe(true);
    expect(onGrid([...field, [-71.1, 42.4]])).toBe(false);
  });
});

describe('an outline', () => {
  it('that crosses or touches itself is found out', () => {
    const bowTie: LonLat[] = [
      [0, 0],
      [1, 1],
      [1, 0],
      [0, 1],
    ];
    const touching: LonLat[] = [
      [0, 0],
      [2, 0],
      [2, 1],
      [1, 0],
      [0, 1],
    ];
    const square: LonLat[] = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ];
    expect([bowTie, touching, square, square.slice(0, 3)].map(crossesItself)).toEqual([true, true, false, false]);
  });

  it('becomes a closed ring that runs counter-clockwise', () => {
    const clockwise: LonLat[] = [
      [0, 0],
      [0, 1],
      [1, 1],
    ];
    expect(polygonOf(clockwise).coordinates).toEqual([
      [
        [1, 1],
        [0, 1],
        [0, 0],
        [1, 1],
      ],
    ]);
  });
});

describe('the statistics as CSV', () => {
  const grid = { unit: 'm²', method: 'grid', crs: 'EPSG:9210' };
  const answer = {
    revision: 7,
    area: { value: 1000.5, ...grid },
    layers: [
      {
        layer: 'parcels',
        titles: { vi: '', en: '' },
        role: 'parcel',
        count: 3,
        whole: 1,
        area: { value: 12.25, ...grid },
      },
      { layer: 'roads', titles: { vi: '', en: '' }, role: 'road', count: 0, whole: 0 },
    ],
  } as WithinAnswer;
  const dated = new Map([['parcels', { citymap: { dataDate: '2026-01-01' } } as Collection]]);

  it('has the area, every layer, dates and the method', () => {
    const csv = statisticsCsv(answer, (layer) => (layer === 'roads' ? 'Đường, "phố"' : 'Thửa đất'), dated);
    expect(csv.startsWith('\uFEFF')).toBe(true);
    expect(csv.slice(1).split('\r\n')).toEqual([
      'layer,title,count,whole,area_m2,length_m,method,data_date,revision',
      ',,,,1000.5,,EPSG:9210,,7',
      'parcels,Thửa đất,3,1,12.25,,EPSG:9210,2026-01-01,7',
      'roads,"Đường, ""phố""",0,0,,,,,7',
      '',
    ]);
  });

  it('gives a spreadsheet no formula to run', () => {
    expect(statisticsCsv(answer, () => '=HYPERLINK("x")', dated)).toContain(`"'=HYPERLINK(""x"")"`);
  });
});
