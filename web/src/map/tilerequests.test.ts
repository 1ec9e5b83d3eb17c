import GeoJSONVT from 'geojson-vt';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import vtpbf from 'vt-pbf';
import { joinedAddress, TileRequests } from './tilerequests';

const ORDER = ['communes', 'roads', 'zones', 'parcels'];
const url = (layer: string, place = '14/1/2', rest = '') =>
  `http://city.test/geo/tiles/${layer}/${place}?rev=3-${layer}${rest}`;

/** A tile with a point in each of the layers. */
function tile(names: string[]): Uint8Array {
  const point: GeoJSON.Feature = { type: 'Feature', geometry: { type: 'Point', coordinates: [1, 1] }, properties: {} };
  const index = new GeoJSONVT({ type: 'FeatureCollection', features: [point] }).getTile(0, 0, 0)!;
  return new Uint8Array(vtpbf.fromGeojsonVt(Object.fromEntries(names.map((name) => [name, index])), { version: 2 }));
}

const asked: string[] = [];
let answer: (url: string) => Response;

beforeEach(() => {
  vi.useFakeTimers();
  asked.length = 0;
  answer = (address) => new Response(tile((address.split('/')[5] ?? '').split(',')) as BodyInit);
  vi.stubGlobal('fetch', async (address: string, { signal }: { signal: AbortSignal }) => {
    asked.push(address);
    await Promise.resolve();
    signal.throwIfAborted();
    return answer(address);
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Announces all addresses and then requests those of `claimed`, as the map does. */
function request(requests: TileRequests, urls: string[], claimed = urls) {
  const addresses = new Map(urls.map((own) => [own, requests.announce(own)]));
  return claimed.map((own) => {
    const abort = new AbortController();
    const answered = requests.load({ url: addresses.get(own)! }, abort) as Promise<{ data: ArrayBuffer }>;
    return { answered, abort };
  });
}
const requestsOf = () => new TileRequests((layer) => ORDER.indexOf(layer));

describe('the requests of a place', () => {
  it('become one for all of its layers, what matters first, with all versions', async () => {
    const answers = request(
      requestsOf(),
      ['parcels', 'roads', 'communes'].map((layer) => url(layer)),
    );
    for (const { answered } of answers) expect((await answered).data.byteLength).toBeGreaterThan(0);
    expect(asked).toEqual([
      'http://city.test/geo/tiles/communes,roads,parcels/14/1/2?rev=3-communes.3-roads.3-parcels',
    ]);
  });

  it('stay apart by place and by the time of the data', async () => {
    const urls = [url('roads'), url('roads', '14/1/3'), url('roads', '14/1/2', '&revision=2')];
    for (const { answered } of request(requestsOf(), urls)) await answered;
    expect(asked).toEqual(urls);
  });

  it('leave out layers that the map announced but did not request, after a short wait', async () => {
    const [only] = request(requestsOf(), [url('roads'), url('zones')], [url('zones')]);
    await vi.advanceTimersByTimeAsync(10);
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    await only!.answered;
    expect(asked).toEqual([url('zones')]);
  });

  it('do not wait for layers that the map gave up long ago', async () => {
    const requests = requestsOf();
    requests.announce(url('parcels'));
    await vi.advanceTimersByTimeAsync(1000);
    const [only] = request(requests, [url('roads')]);
    await only!.answered;
    expect(asked).toEqual([url('roads')]);
  });

  it('give each tile of the map its own bytes where several show the same place', async () => {
    const requests = requestsOf();
    const answers = request(
      requests,
      ['roads', 'zones', 'roads', 'zones'].map((layer) => url(layer)),
    );
    const [first, , second] = await Promise.all(answers.map(({ answered }) => answered));
    expect(asked).toHaveLength(1);
    expect(first!.data).not.toBe(second!.data);
    expect(first!.data).toEqual(second!.data);
  });

  it('are not gathered without a version: the tile has changed since, and is requested alone', () => {
    const stale = 'http://city.test/geo/tiles/parcels/14/1/2';
    expect(requestsOf().announce(stale)).toBe(stale);
  });
});

describe('the answer for several layers', () => {
  it('is empty for a layer without a feature there, and for all where there is nothing', async () => {
    answer = () => new Response(tile(['roads']) as BodyInit);
    const [roads, zones] = request(requestsOf(), [url('roads'), url('zones')]);
    expect((await zones!.answered).data.byteLength).toBe(0);
    expect((await roads!.answered).data.byteLength).toBeGreaterThan(0);
    answer = () => new Response(null, { status: 204 });
    for (const { answered } of request(requestsOf(), [url('roads'), url('zones')])) {
      expect((await answered).data.byteLength).toBe(0);
    }
  });

  it('gives the first layers before the last have arrived', async () => {
    let more: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        more = controller;
      },
    });
    answer = () => new Response(body);
    const [roads, zones] = request(requestsOf(), [url('roads'), url('zones')]);
    await vi.advanceTimersByTimeAsync(1);
    more!.enqueue(tile(['roads']));
    expect((await roads!.answered).data.byteLength).toBeGreaterThan(0);
    const late = vi.fn();
    void zones!.answered.then(late);
    await vi.advanceTimersByTimeAsync(1000);
    expect(late).not.toHaveBeenCalled();
    more!.close();
    await zones!.answered;
  });

  it('that the server refuses is asked for layer by layer: one of them may be gone', async () => {
    answer = (address) =>
      address.includes(',') || address.includes('zones')
        ? new Response('gone', { status: 404 })
        : new Response(tile(['roads']) as BodyInit);
    const [roads, zones] = request(requestsOf(), [url('roads'), url('zones')]);
    await expect(zones!.answered).rejects.toThrow('HTTP 404');
    expect((await roads!.answered).data.byteLength).toBeGreaterThan(0);
    expect(asked.slice(1)).toEqual([url('roads'), url('zones')]);
  });

  it('that fails or is cut off fails for all that wait for it', async () => {
    answer = () => new Response('late', { status: 503 });
    for (const { answered } of request(requestsOf(), [url('roads'), url('zones')])) {
      await expect(answered).rejects.toThrow('HTTP 503');
    }
    answer = () => new Response(tile(['zones']).subarray(0, 20) as BodyInit);
    for (const { answered } of request(requestsOf(), [url('roads'), url('zones')])) {
      await expect(answered).rejects.toThrow('middle of a layer');
    }
  });

  it('is cancelled once nobody needs it, not before', async () => {
    let ended: unknown = null;
    vi.stubGlobal('fetch', (_: string, { signal }: { signal: AbortSignal }) => {
      signal.addEventListener('abort', () => (ended = signal.aborted));
      return new Promise(() => {});
    });
    const [roads, zones] = request(requestsOf(), [url('roads'), url('zones')]);
    await vi.advanceTimersByTimeAsync(1);
    roads!.abort.abort();
    await expect(roads!.answered).rejects.toThrow('no longer needed');
    expect(ended).toBeNull();
    zones!.abort.abort();
    await expect(zones!.answered).rejects.toThrow('no longer needed');
    expect(ended).toBe(true);
  });
});

it('addresses that are not of tiles are never joined', () => {
  expect(() => joinedAddress([url('roads'), 'http://city.test/api'])).toThrow('not addresses of tiles');
});
