import { describe, expect, it } from 'vitest';
import type { Collection, Feature } from './api';
import {
  day,
  featureName,
  fieldValue,
  inputNumber,
  instant,
  measure,
  number,
  percent,
  readNumber,
  titleText,
} from './format';

describe('numbers, dates and sizes', () => {
  it('writes numbers as each language does', () => {
    expect(number(1234.5, 'vi')).toBe('1.234,5');
    expect(number(1234.5, 'en')).toBe('1,234.5');
  });
  it('writes areas in m², with larger units beside them', () => {
    expect(measure({ value: 64.24, unit: 'm²' }, 'vi')).toBe('64,2 m²');
    expect(measure({ value: 20319.94, unit: 'm²' }, 'vi')).toBe('20.319,9 m² (2,03 ha)');
    expect(measure({ value: 23456, unit: 'm²' }, 'en')).toBe('23,456.0 m² (2.35 ha)');
    expect(measure({ value: 2.5e6, unit: 'm²' }, 'vi')).toBe('2.500.000,0 m² (2,5 km²)');
  });
  it('writes shares without a space before the sign', () => {
    expect(percent(0.705, 'vi', 1)).toBe('70,5%');
    expect(percent(1, 'en')).toBe('100%');
  });
  it('reads numbers in the notation of the language, and what is pasted from other software', () => {
    for (const [text, lang, value] of [
      ['1234,5', 'vi', 1234.5],
      ['1.234,5', 'vi', 1234.5],
      ['1.191.562', 'vi', 1_191_562],
      ['1191574.985', 'vi', 1_191_574.985],
      ['0.125', 'vi', 0.125],
      ['64.5', 'vi', 64.5],
      ['−3,5', 'vi', -3.5],
      ['1,234.5', 'en', 1234.5],
      ['64,5', 'en', 64.5],
      [' 2.5e-7 ', 'en', 2.5e-7],
      ['2,5e-7', 'vi', 2.5e-7],
      ['.5', 'en', 0.5],
    ] as const) {
      expect(readNumber(text, lang), `${text} ${lang}`).toBe(value);
    }
    for (const [text, lang] of [
      ['1.234', 'vi'],
      ['1,234', 'en'],
      ['1.23.456', 'vi'],
      ['1,2,3', 'vi'],
      ['1.234.5', 'vi'],
      ['', 'vi'],
      ['12m', 'en'],
      ['Infinity', 'en'],
    ] as const) {
      expect(readNumber(text, lang), `${text} ${lang}`).toBeNull();
    }
  });
  it('reads every number that it shows', () => {
    for (const value of [0, -1.5, 1.234, 1234.567, 1e21, 1.5e-7, 602_941.92]) {
      for (const lang of ['vi', 'en'] as const) {
        expect(readNumber(inputNumber(String(value), lang), lang), `${value} ${lang}`).toBe(value);
      }
    }
  });
  it('writes dates in the language, and leaves what is no date', () => {
    expect(day('2026-01-02', 'vi')).toBe('02/01/2026');
    expect(day('2026-01-02', 'en')).toBe('2 Jan 2026');
    expect(day('đầu 2026', 'vi')).toBe('đầu 2026');
  });
  it('shows instants in the city’s time', () => {
    expect(instant('2026-01-01T20:00:00Z', 'vi')).toContain('03:00');
  });
});

describe('fields', () => {
  const landUse = {
    name: 'loai_dat',
    type: 'text' as const,
    codeList: { id: 'land_use', entries: [{ code: 'ODT', vi: 'Đất ở tại đô thị', en: 'Urban residential land' }] },
  };
  it('reads codes out in the language', () => {
    expect(fieldValue('ODT', landUse, 'vi')).toBe('Đất ở tại đô thị (ODT)');
    expect(fieldValue('ODT', landUse, 'en')).toBe('Urban residential land (ODT)');
    expect(fieldValue('XYZ', landUse, 'en')).toBe('XYZ');
  });
  it('reads out codes of the field’s own, with or without a text', () => {
    const entries = [
      { code: '1', vi: 'Nhà', en: 'House' },
      { code: '2', vi: '', en: '' },
    ];
    const kind = { name: 'lop', type: 'int' as const, codeList: { id: null, entries } };
    expect(fieldValue(1, kind, 'en')).toBe('House (1)');
    expect(fieldValue(2, kind, 'vi')).toBe('2');
    expect(fieldValue(3, kind, 'vi')).toBe('3');
  });
  it('keeps sheet and parcel numbers without separators', () => {
    expect(fieldValue(1234, { name: 'so_thua', type: 'int' }, 'vi')).toBe('1234');
    expect(fieldValue(1234.5, { name: 'a', type: 'real', unit: 'm²' }, 'vi')).toBe('1.234,5 m²');
    expect(fieldValue(64, { name: 'a', type: 'real', unit: 'm²' }, 'vi')).toBe('64,0 m²');
    expect(fieldValue(20_319.94, { name: 'a', type: 'real', unit: 'm²' }, 'en')).toBe('20,319.94 m² (2.03 ha)');
  });
  it('writes units in the language, and signs without a space', () => {
    expect(fieldValue(70, { name: 'a', type: 'real', unit: '%' }, 'vi')).toBe('70%');
    expect(fieldValue(6, { name: 'a', type: 'int', unit: 'tầng' }, 'vi')).toBe('6 tầng');
    expect(fieldValue(6, { name: 'a', type: 'int', unit: 'tầng' }, 'en')).toBe('6 storeys');
    expect(fieldValue(1, { name: 'a', type: 'int', unit: 'tầng' }, 'en')).toBe('1 storey');
  });
  it('falls back to the other language', () => {
    expect(titleText({ vi: 'Thửa đất', en: '' }, 'en')).toBe('Thửa đất');
  });
});

describe('names of features', () => {
  const collection = (fields: object[]) =>
    ({ id: 'layer', citymap: { titles: { vi: 'Trụ nước', en: 'Hydrants' }, fields } }) as unknown as Collection;
  const feature = (properties: Record<string, unknown>, label: string | null = null) =>
    ({ type: 'Feature', id: 947, geometry: null, properties, label }) as Feature;
  it('are the numbers of a parcel', () => {
    const parcels = collection([
      { name: 'so_to', meaning: 'sheet' },
      { name: 'so_thua', meaning: 'parcel_number' },
    ]);
    expect(featureName(feature({ so_to: 12, so_thua: 45 }, '45'), parcels, 'vi')).toBe('Thửa 45, tờ 12');
    expect(featureName(feature({ so_to: 12, so_thua: 45 }, '45'), parcels, 'en')).toBe('Parcel 45, sheet 12');
  });
  it('are never inner numbers', () => {
    expect(featureName(feature({}, '947'), collection([]), 'vi')).toBe('Trụ nước');
    expect(featureName(feature({}, 'Chợ Bến Thành'), collection([]), 'vi')).toBe('Chợ Bến Thành');
    const addressed = collection([{ name: 'dia_chi', meaning: 'address' }]);
    expect(featureName(feature({ dia_chi: '12 Lê Lợi' }), addressed, 'vi')).toBe('12 Lê Lợi');
  });
});
