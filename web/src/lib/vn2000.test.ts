import { afterEach, describe, expect, it } from 'vitest';
import { CITY } from '../../dev/mock/profile';
import { showCity } from './city';
import { fromVn2000, gridDistance, inVietnam, meridianText, toVn2000 } from './vn2000';

// Control points computed with PROJ 9.1.1, EPSG:6960 pinned.
const CONTROL: [string, number, number, number, number][] = [
  ['Bến Thành', 106.698, 10.7725, 603481.588, 1191454.6112],
  ['Thủ Đức', 106.7537, 10.8494, 609545.7798, 1199980.5377],
  ['Củ Chi', 106.4933, 10.9733, 581039.0513, 1213603.5892],
  ['Thủ Dầu Một', 106.6519, 10.9804, 598371.1816, 1214436.3465],
];

describe('VN-2000 / TM-3 105-45', () => {
  it.each(CONTROL)('agrees with PROJ to 1 mm at %s', (_name, lon, lat, easting, northing) => {
    const [x, y] = toVn2000(lon, lat);
    expect(Math.abs(x - easting)).toBeLessThan(0.001);
    expect(Math.abs(y - northing)).toBeLessThan(0.001);
  });

  it('comes back to where it started', () => {
    for (const [, lon, lat, easting, northing] of CONTROL) {
      const [backLon, backLat] = fromVn2000(easting, northing);
      expect(Math.abs(backLon - lon)).toBeLessThan(2e-8);
      expect(Math.abs(backLat - lat)).toBeLessThan(2e-8);
    }
  });

  it('measures on the grid', () => {
    const [, lon, lat] = CONTROL[0]!;
    const other = fromVn2000(603481.588 + 3, 1191454.6112 + 4);
    expect(gridDistance([lon, lat], other)).toBeCloseTo(5, 3);
  });

  it('knows where it has no meaning', () => {
    expect(inVietnam(106.7, 10.77)).toBe(true);
    expect(inVietnam(-71.1, 42.37)).toBe(false);
  });
});

describe('another city', () => {
  afterEach(() => showCity(CITY));

  it('has a zone of its own', () => {
    showCity({ ...CITY, grid: { crs: 'EPSG:5897', centralMeridian: 105, scale: 0.9999 } });
    // Hà Nội, computed with PROJ 9.1.1, EPSG:6960 pinned.
    const [x, y] = toVn2000(105.85, 21.03);
    expect([x > 588_000 && x < 589_000, y > 2_326_000 && y < 2_327_000]).toEqual([true, true]);
    expect(meridianText()).toBe('105°00′');
  });

  it('has no VN-2000 coordinates on another grid', () => {
    showCity({ ...CITY, grid: null });
    expect(inVietnam(106.7, 10.77)).toBe(false);
    expect(toVn2000(106.7, 10.77)).toEqual([Number.NaN, Number.NaN]);
  });
});
