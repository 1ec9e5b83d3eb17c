/** What the tests of the page share: opening it, finding a parcel, reading pixels, and changing data. */
import AxeBuilder from '@axe-core/playwright';
import { type APIRequestContext, test as base, expect, type Page } from '@playwright/test';
import { MOCK_TOKEN } from '../dev/mock/record';
import type { Collection, Feature } from '../src/lib/api';
import { innerPoint } from '../src/lib/geometry';

/** Bến Thành, where both the demo city and the made-up quarter have parcels. */
export const CORE: [number, number] = [106.698, 10.7725];

/**
 * Every test also fails on an error in the browser's console and on a request to another host: the running system never
 * leaves the city's network. A test that causes an error itself takes it off the list.
 */
export const test = base.extend<{ watched: string[] }>({
  watched: [
    async ({ page, baseURL }, use) => {
      const trouble: string[] = [];
      const host = new URL(baseURL ?? '').host;
      page.on('request', (request) => {
        const url = new URL(request.url());
        if (/^(https?|wss?):$/.test(url.protocol) && url.host !== host) trouble.push(`foreign host: ${request.url()}`);
      });
      page.on('console', (message) => {
        if (message.type() === 'error') trouble.push(`console: ${message.text()} ${message.location().url}`);
      });
      page.on('pageerror', (error) => trouble.push(`page: ${error.message}`));
      await use(trouble);
      expect(trouble).toEqual([]);
    },
    { auto: true },
  ],
});
export { expect };

/** A token that may write: the server is started with it (scripts/e2e), the made-up quarter has its own. */
export const TOKEN = process.env.CITYMAP_TOKEN ?? MOCK_TOKEN;

/** Waits until the map has drawn all it has to; never for a time. */
export async function idle(page: Page): Promise<void> {
  await page.waitForSelector('html[data-map-idle="true"]', { timeout: 60_000 });
}

/** Opens the page at a hash and waits for the map. */
export async function open(page: Page, hash = ''): Promise<void> {
  await page.goto(`/${hash}`);
  await idle(page);
}

/** Switches off what is slow to draw in software, for tests of which it is no part. */
export const LIGHT = '&off=parcels,buildings,addresses,street_lights';

/** The layers of a role. */
export async function layers(request: APIRequestContext, role: string): Promise<Collection[]> {
  const answer = await request.get('/api/collections');
  expect(answer.ok()).toBe(true);
  const { collections } = (await answer.json()) as { collections: Collection[] };
  return collections.filter((collection) => collection.citymap.role === role);
}

/** A parcel near the core: its layer, itself and a point inside it. */
export async function knownParcel(
  request: APIRequestContext,
): Promise<{ layer: Collection; feature: Feature; point: [number, number] }> {
  const layer = (await layers(request, 'parcel'))[0]!;
  const [lon, lat] = CORE;
  const bbox = [lon - 0.003, lat - 0.003, lon + 0.003, lat + 0.003].join(',');
  const answer = await request.get(`/api/collections/${layer.id}/items?bbox=${bbox}&limit=1`);
  const feature = ((await answer.json()) as { features: Feature[] }).features[0]!;
  return { layer, feature, point: innerPoint(feature.geometry)! };
}

/** How people name a parcel: by its number on its map sheet. */
export function parcelName(layer: Collection, feature: Feature): string {
  const meant = (meaning: string) =>
    feature.properties[layer.citymap.fields.find((field) => field.meaning === meaning)?.name ?? ''];
  return `Thửa ${meant('parcel_number')}, tờ ${meant('sheet')}`;
}

/** The position of a point on the page, in pixels. */
export function pixel(page: Page, [lon, lat]: [number, number]): Promise<{ x: number; y: number }> {
  return page.evaluate(
    ([x, y]) => {
      const { map } = (
        window as unknown as { citymap: { map: { project: (at: [number, number]) => { x: number; y: number } } } }
      ).citymap;
      const { x: px, y: py } = map.project([x!, y!]);
      return { x: px, y: py };
    },
    [lon, lat],
  );
}

/** The colours of a part of the page, with the number of pixels of each, most frequent first. */
export async function colors(
  page: Page,
  clip: { x: number; y: number; width: number; height: number },
): Promise<Map<string, number>> {
  const png = (await page.screenshot({ clip })).toString('base64');
  const counts = await page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d')!;
    context.drawImage(image, 0, 0);
    const { data: rgba } = context.getImageData(0, 0, image.width, image.height);
    const found: Record<string, number> = {};
    for (let at = 0; at < rgba.length; at += 4) {
      const key = `#${[0, 1, 2].map((channel) => rgba[at + channel]!.toString(16).padStart(2, '0')).join('')}`;
      found[key] = (found[key] ?? 0) + 1;
    }
    return found;
  }, png);
  return new Map(Object.entries(counts).sort((a, b) => b[1] - a[1]));
}

/** What axe finds seriously or critically wrong with the accessibility of the page as it is. */
export async function serious(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`);
}

/** The address of a feature. */
export const itemPath = (layer: Collection, feature: Feature) =>
  `/api/collections/${layer.id}/items/${encodeURIComponent(String(feature.id))}`;

/** Changes a feature as any service would, and returns the revision. */
export async function patchFeature(
  request: APIRequestContext,
  layer: Collection,
  feature: Feature,
  body: { properties?: Record<string, unknown>; geometry?: GeoJSON.Geometry },
  message = 'e2e',
): Promise<number> {
  const path = itemPath(layer, feature);
  const etag = (await request.get(path)).headers().etag!;
  const answer = await request.patch(path, {
    headers: {
      authorization: `Bearer ${TOKEN}`,
      'if-match': etag,
      'content-type': 'application/merge-patch+json',
      'citymap-message': encodeURIComponent(message),
    },
    data: JSON.stringify(body),
  });
  expect(answer.ok(), await answer.text()).toBe(true);
  return Number(answer.headers()['citymap-revision']);
}

/** A text field of the layer that nothing is coloured, keyed or labelled by. */
export function plainField(layer: Collection): string {
  const { fields, key, label } = layer.citymap;
  const found = fields.find(
    ({ name, type, codeList }) => type === 'text' && !codeList && name !== key && name !== label,
  );
  return found!.name;
}

/** The value of a field in the tile that shows a point, as it is drawn now. */
export function drawnValue(page: Page, layer: string, point: [number, number], field: string): Promise<unknown> {
  return page.evaluate(
    ([id, lon, lat, name]) => {
      const { map } = (
        window as unknown as {
          citymap: {
            map: {
              project: (at: [number, number]) => unknown;
              queryRenderedFeatures: (at: unknown, options: object) => { properties: Record<string, unknown> }[];
            };
          };
        }
      ).citymap;
      const at = map.project([lon as number, lat as number]);
      return map.queryRenderedFeatures(at, { layers: [`${id}/fill`] })[0]?.properties[name as string];
    },
    [layer, point[0], point[1], field] as const,
  );
}
