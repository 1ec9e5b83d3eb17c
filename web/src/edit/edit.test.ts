import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Feature, Field } from '../lib/api';
import { MESSAGES } from '../lib/i18n';
import { requestTime } from '../lib/requesttime';
import { cornersOf, insertCorner, moveCorner, removeCorner } from './corners';
import { failureOf, fieldRule } from './failure';
import { changesOf, faultyFields, inputText, readText, textsOf } from './form';
import { EDIT } from './words';
import { create, patch, readNow, WriteError } from './writes';

const field = (name: string, type: Field['type']): Field => ({ name, type });
const FIELDS = [
  field('ten', 'text'),
  field('so', 'int'),
  field('dien_tich', 'real'),
  field('ngay', 'date'),
  field('luc', 'datetime'),
  field('con', 'bool'),
];
const FEATURE: Feature = {
  type: 'Feature',
  id: '1',
  geometry: null,
  properties: {
    ten: 'A ',
    so: 7,
    dien_tich: 1 / 3,
    ngay: '2026-01-31',
    luc: '2026-01-31T17:30:00.250Z',
    con: false,
  },
};

describe('the form', () => {
  it('changes nothing that was not touched, however it is shown', () => {
    for (const lang of ['vi', 'en'] as const) {
      const texts = textsOf(FEATURE, FIELDS, lang);
      expect(changesOf(FEATURE, texts, FIELDS, lang)).toEqual({ properties: {}, wrong: {} });
    }
  });

  it('shows instants in the city’s time, and reads them so', () => {
    expect(inputText('2026-01-31T17:30:00Z', field('luc', 'datetime'), 'vi')).toBe('2026-02-01T00:30:00');
    expect(readText('2026-02-01T00:30', field('luc', 'datetime'), 'vi')).toEqual({ value: '2026-01-31T17:30:00Z' });
  });

  it('reads what people type, and says what it cannot read', () => {
    expect(readText('1,5', field('x', 'real'), 'vi')).toEqual({ value: 1.5 });
    expect(readText(' 12 ', field('x', 'int'), 'vi')).toEqual({ value: 12 });
    expect(readText('', field('x', 'text'), 'vi')).toEqual({ value: null });
    expect(readText('true', field('x', 'bool'), 'vi')).toEqual({ value: true });
    for (const [text, type, wrong] of [
      ['1.5', 'int', 'badInteger'],
      ['9007199254740993', 'int', 'badInteger'],
      ['1.234', 'real', 'badNumber'],
      ['Infinity', 'real', 'badNumber'],
      ['2026-02-30', 'date', 'badDate'],
      ['today', 'datetime', 'badDate'],
    ] as const) {
      expect(readText(text, field('x', type), 'vi'), text).toEqual({ wrong });
    }
  });

  it('contains only what changed, and an emptied field as null', () => {
    const texts = { ...textsOf(FEATURE, FIELDS, 'vi'), ten: 'B', so: '', dien_tich: 'x' };
    expect(changesOf(FEATURE, texts, FIELDS, 'vi')).toEqual({
      properties: { ten: 'B', so: null },
      wrong: { dien_tich: 'badNumber' },
    });
  });

  it('shows numbers as the language writes them', () => {
    const size = { ...FEATURE, properties: { dien_tich: 1234.5 } };
    expect(textsOf(size, FIELDS, 'vi').dien_tich).toBe('1234,5');
    expect(textsOf(size, FIELDS, 'en').dien_tich).toBe('1234.5');
  });

  it('finds the field of each fault by its pointer', () => {
    const fields = [field('a/b', 'text'), field('c', 'text'), field('d', 'text')];
    const one = [{ pointer: '/properties/a~1b' }, { pointer: '/properties/c' }, { pointer: '/properties/c' }];
    expect(faultyFields(one, fields)).toEqual({ fields: fields.slice(0, 2), other: false });
    expect(faultyFields([{ pointer: '/geometry' }], fields)).toEqual({ fields: [], other: true });
    expect(faultyFields([{ pointer: '/properties/hidden' }], fields)).toEqual({ fields: [], other: true });
  });
});

describe('corners', () => {
  const square: GeoJSON.MultiPolygon = {
    type: 'MultiPolygon',
    coordinates: [
      [
        [
          [0, 0],
          [4, 0],
          [4, 4],
          [0, 0],
        ],
        [
          [2, 1],
          [3, 1],
          [3, 2],
          [2, 1],
        ],
      ],
      [
        [
          [9, 9],
          [10, 9],
          [10, 10],
          [9, 9],
        ],
      ],
    ],
  };

  it('are counted through parts and rings, without the repeated last', () => {
    expect(cornersOf(square)).toHaveLength(9);
    expect(cornersOf(square)[6]).toEqual([9, 9]);
  });

  it('move with the position that repeats them, and nothing else moves', () => {
    const moved = moveCorner(square, 6, [8, 8]);
    expect(moved?.coordinates[1]).toEqual([
      [
        [8, 8],
        [10, 9],
        [10, 10],
        [8, 8],
      ],
    ]);
    expect(moved?.coordinates[0]).toEqual(square.coordinates[0]);
    expect(cornersOf(square)[6], 'the former shape is as it was').toEqual([9, 9]);
  });

  it('are added halfway, across the end of a ring too, and taken away down to a triangle', () => {
    const more = insertCorner(square, 2);
    expect(cornersOf(more as GeoJSON.Geometry)[3]).toEqual([2, 2]);
    expect(removeCorner(more as GeoJSON.MultiPolygon, 3)).toEqual(square);
    expect(removeCorner(square, 0)).toBeNull();
    const line: GeoJSON.LineString = { type: 'LineString', coordinates: square.coordinates[0]?.[0]?.slice(0, 2) ?? [] };
    expect(insertCorner(line, 1)).toBeNull();
    expect(removeCorner(line, 0)).toBeNull();
    expect(insertCorner({ type: 'Point', coordinates: [1, 1] }, 0)).toBeNull();
    expect(moveCorner(line, 5, [0, 0])).toBeNull();
  });
});

describe('writing', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    requestTime.minRevision = 0;
  });

  const world = (answer: Response) => {
    const asked: [string, RequestInit][] = [];
    vi.stubGlobal('sessionStorage', { getItem: () => 'a-token-of-16-letters' });
    vi.stubGlobal('location', { href: 'http://city.test/' });
    vi.stubGlobal('fetch', async (path: string, question: RequestInit) => {
      asked.push([path, question]);
      return answer;
    });
    return asked;
  };

  it('sends the changes with the tag of the state that was read, the token and the reason', async () => {
    const asked = world(new Response('{}', { headers: { 'citymap-revision': '12' } }));
    await patch('parcels', '26740-1/10', '"abc.1"', { properties: { so_thua: 5 } }, 'đo lại');
    const [path, question] = asked[0]!;
    expect(path).toBe('/api/collections/parcels/items/26740-1%2F10');
    expect(question.method).toBe('PATCH');
    expect(JSON.parse(String(question.body))).toEqual({ properties: { so_thua: 5 } });
    expect(question.headers).toMatchObject({
      'if-match': '"abc.1"',
      authorization: 'Bearer a-token-of-16-letters',
      'citymap-message': '%C4%91o%20l%E1%BA%A1i',
      'content-type': 'application/merge-patch+json',
    });
    expect(requestTime.minRevision, 'read what you wrote').toBe(12);
  });

  it('takes the id of the new feature from the address that the server returns', async () => {
    const location = 'http://city.test/api/collections/parcels/items/26740-1%2F11';
    const asked = world(new Response(null, { status: 201, headers: { location } }));
    expect(await create('parcels', { geometry: null, properties: {} }, '', 'k')).toBe('26740-1/11');
    expect(asked[0]![1].headers).toMatchObject({ 'idempotency-key': 'k' });
    expect(asked[0]![1].headers).not.toHaveProperty('citymap-message');
  });

  it('tells all faults of what was not taken', async () => {
    const faults = [{ pointer: '/properties/so_thua', reason: 'no' }];
    world(new Response(JSON.stringify({ title: 'x', detail: 'y', faults }), { status: 422 }));
    const error = await patch('parcels', 1, '"a"', {}, '').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(WriteError);
    expect(error).toMatchObject({ status: 422, message: 'y', faults });
  });

  it('reads the feature with its state', async () => {
    world(new Response(JSON.stringify(FEATURE), { headers: { etag: '"abc.1"' } }));
    expect(await readNow('parcels', 1)).toEqual({ feature: FEATURE, etag: '"abc.1"' });
  });
});

describe('a change that was not saved', () => {
  const fields: Field[] = [{ name: 'so_thua', type: 'int' }];

  it('marks the fields that the server names, in the language of the page', () => {
    const faults = [
      { pointer: '/properties/so_thua', reason: 'too large' },
      { pointer: '/geometry', reason: 'crosses itself' },
    ];
    const failure = failureOf(new WriteError(422, 'not valid', faults), fields, 'vi');
    expect(failure.faults.so_thua).toBe(EDIT.vi.badInteger);
    expect(failure.text).toBe(`${EDIT.vi.faults} ${EDIT.vi.badShape}`);
    const unnamed = failureOf(new WriteError(422, 'not valid', [], 'invalid'), fields, 'vi');
    expect(unnamed.text).toBe(`${EDIT.vi.failed} ${MESSAGES.vi.problems.invalid}`);
  });

  it('says what a field may have', () => {
    const codes = { id: null, entries: [{ code: 'A', vi: '', en: '' }] };
    expect(fieldRule({ name: 'x', type: 'text', codeList: codes }, 'vi')).toBe(EDIT.vi.badCode);
    const share: Field = { name: 'x', type: 'real', range: { min: 0.5, max: 1000 } };
    expect(fieldRule(share, 'vi')).toBe('Hãy nhập một số từ 0,5 đến 1.000.');
    expect(fieldRule({ ...share, range: { min: null, max: 1000 } }, 'en')).toBe(
      'Enter a number not greater than 1,000.',
    );
    expect(fieldRule({ ...share, range: { min: 0 } }, 'en')).toBe('Enter a number not less than 0.');
    expect(fieldRule({ name: 'x', type: 'text', pattern: '[0-9]*' }, 'en')).toBe(EDIT.en.badPattern('[0-9]*'));
    expect(fieldRule({ name: 'x', type: 'datetime' }, 'en')).toBe(EDIT.en.badDate);
  });

  it('asks for another token if this one is refused, and for nothing if the network failed', () => {
    expect(failureOf(new WriteError(401, ''), fields, 'en')).toEqual({
      text: EDIT.en.unauthorized,
      faults: {},
      refused: true,
    });
    expect(failureOf(new WriteError(0, 'no network'), fields, 'en').refused).toBe(false);
  });
});
