import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AtAnswer, Feature } from '../lib/api';
import { MESSAGES } from '../lib/i18n';
import { Answer, type AnswerPort } from './answer.svelte';

afterEach(() => vi.unstubAllGlobals());

const parcel = (id: string, distance = 0): Feature => ({
  type: 'Feature',
  id,
  geometry: { type: 'Point', coordinates: [106.7, 10.77] },
  properties: {},
  distance,
});

const at = (...features: Feature[]): Partial<AtAnswer> => ({
  layers: [{ layer: 'parcels', titles: { vi: '', en: '' }, role: 'parcel', truncated: false, features }],
});

/**
 * An answer on a page whose server gives `answers` by the beginning of the path; a path that is not listed is a 404.
 */
function setUp(answers: Record<string, unknown>, port: Partial<AnswerPort> = {}) {
  const lost: string[] = [];
  vi.stubGlobal('fetch', async (path: string) => {
    const found = Object.entries(answers).find(([start]) => path.startsWith(start));
    return found ? Response.json(found[1]) : Response.json({ title: 'Not found' }, { status: 404 });
  });
  const answer = new Answer({
    words: () => MESSAGES.en,
    zoom: () => 17,
    tolerance: () => 3,
    layer: () => undefined,
    name: ({ feature }) => String(feature.label ?? `#${feature.id}`),
    isDrawn: () => true,
    roadLayers: () => [],
    blocked: () => false,
    unsaved: () => false,
    isPast: () => false,
    asked: () => {},
    lost: (text) => lost.push(text),
    ...port,
  });
  return { answer, answers, lost };
}

describe('what is at a point', () => {
  it('is listed nearest first, and the nearest is selected', async () => {
    const { answer } = setUp({ '/api/at': at(parcel('far', 2), parcel('near')) });
    await answer.ask([106.7, 10.77]);
    expect(answer.features.map(({ feature }) => feature.id)).toEqual(['near', 'far']);
    expect(answer.selected).toEqual({ layer: 'parcels', id: 'near' });
    expect(answer.selectedFeature?.feature.id).toBe('near');
    expect(answer.loading).toBe(false);
  });

  it('contains the feature of a link that is not found there', async () => {
    const { answer } = setUp({
      '/api/at': at(parcel('here')),
      '/api/collections/parcels/items/there': parcel('there'),
    });
    await answer.ask([106.7, 10.77], { layer: 'parcels', id: 'there' });
    expect(answer.features.map(({ feature }) => feature.id)).toEqual(['there', 'here']);
    expect(answer.selectedFeature?.feature.id).toBe('there');
  });

  it('is not asked for while unsaved work forbids it', async () => {
    const { answer } = setUp({ '/api/at': at(parcel('here')) }, { blocked: () => true });
    await answer.ask([106.7, 10.77]);
    expect([answer.at, answer.selected, answer.empty]).toEqual([null, null, true]);
  });

  it('is an error in words where a link leads to nothing', async () => {
    const { answer } = setUp({});
    await answer.show({ layer: 'parcels', id: 'gone' });
    expect([answer.error, answer.loading]).toEqual([MESSAGES.en.failedItem, false]);
  });
});

describe('when the data changes', () => {
  it('a deleted feature is reported and no longer selected', async () => {
    const { answer, answers, lost } = setUp({ '/api/at': at(parcel('12')) });
    await answer.ask([106.7, 10.77]);
    answers['/api/at'] = at();
    await answer.refresh();
    expect(answer.selected).toBeNull();
    expect(lost).toEqual([MESSAGES.en.gone('#12')]);
    expect(answer.gone).toBe(lost[0]);
  });

  it('a deleted feature stays on the page while a form with unsaved work is open for it', async () => {
    const { answer, answers } = setUp({ '/api/at': at(parcel('12')) }, { unsaved: () => true });
    await answer.ask([106.7, 10.77]);
    answers['/api/at'] = at();
    await answer.refresh();
    expect(answer.selectedFeature?.feature.id).toBe('12');
  });

  it('a failure on the way leaves everything as it is', async () => {
    const { answer, lost } = setUp({ '/api/at': at(parcel('12')) });
    await answer.ask([106.7, 10.77]);
    vi.stubGlobal('fetch', async () => Response.json({}, { status: 503 }));
    await answer.refresh();
    expect(answer.selectedFeature?.feature.id).toBe('12');
    expect([answer.error, lost]).toEqual([null, []]);
  });
});
