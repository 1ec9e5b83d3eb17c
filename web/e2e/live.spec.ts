/** The page follows changes of the data. */
import type { Page } from '@playwright/test';
import type { Feature } from '../src/lib/api';
import {
  CORE,
  drawnValue,
  expect,
  idle,
  itemPath,
  knownParcel,
  layers,
  open,
  patchFeature,
  plainField,
  TOKEN,
  test,
} from './page';

const [LON, LAT] = CORE;
/** What is slow to draw in software and no part of these tests. */
const QUIET = '&off=buildings,addresses,street_lights,zones,hydrants';

/** Every tile that a page asks for: layer, place, and the rest of its address. */
function tilesAsked(page: Page): { layer: string; place: string; search: string }[] {
  const asked: { layer: string; place: string; search: string }[] = [];
  page.on('request', (request) => {
    const { pathname, search } = new URL(request.url());
    const [, , layer = '', ...place] = pathname.split('/');
    if (pathname.startsWith('/tiles/')) asked.push({ layer, place: place.join('/'), search });
  });
  return asked;
}

test('two browsers see an edit without reloading, and only the touched tiles are fetched again', async ({
  page,
  browser,
  request,
}) => {
  // Two maps at once, drawn in software.
  test.setTimeout(240_000);
  const { layer, feature, point } = await knownParcel(request);
  const field = plainField(layer);
  const hash = `#map=17/${point[1]}/${point[0]}${QUIET}`;
  const second = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  await open(page, hash);
  await open(second, hash);
  const shown = new Set<string>();
  const asked = [tilesAsked(page), tilesAsked(second)];
  // The note goes by itself.
  const noted = [page, second].map((own) => own.getByText(/Vừa cập nhật: Thửa đất/).waitFor());
  const text = `Đường e2e ${Date.now()}`;
  const revision = await patchFeature(request, layer, feature, { properties: { [field]: text } });
  const changes = await (await request.get(`/api/changes?since=${revision - 1}&limit=1`)).json();
  const touched = new Set<string>();
  for (const [z, list] of Object.entries(changes.revisions[0].layers[0].tiles as Record<string, [number, number][]>)) {
    for (const [x, y] of list) touched.add(`${z}/${x}/${y}`);
  }
  for (const [index, own] of [page, second].entries()) {
    await expect.poll(() => drawnValue(own, layer.id, point, field), { timeout: 10_000 }).toBe(text);
    await idle(own);
    for (const { layer: name, place, search } of asked[index]!) {
      expect(name).toBe(layer.id);
      expect(touched.has(place), `${place} was touched`).toBe(true);
      expect(search, 'not from the browser’s cache').not.toContain('rev=');
      shown.add(place);
    }
    expect(new Set(asked[index]!.map(({ place }) => place)).size, 'each once').toBe(asked[index]!.length);
  }
  await Promise.all(noted);
  expect(shown.size).toBeGreaterThan(0);
  await second.context().close();
});

test('a tile that left the view is not shown in its former state when it comes back', async ({ page, request }) => {
  const { layer, feature, point } = await knownParcel(request);
  const field = plainField(layer);
  await open(page, `#map=18/${point[1]}/${point[0]}${QUIET}`);
  const jump = (lon: number) =>
    page.evaluate(
      ([x, y]) => {
        const { map } = (window as unknown as { citymap: { map: { jumpTo: (to: object) => void } } }).citymap;
        map.jumpTo({ center: [x, y] });
      },
      [lon, point[1]] as const,
    );
  await jump(point[0] + 0.012);
  await idle(page);
  const text = `Đường xa ${Date.now()}`;
  await patchFeature(request, layer, feature, { properties: { [field]: text } });
  await expect(page.getByText(/Vừa cập nhật/)).toBeVisible();
  await jump(point[0]);
  await idle(page);
  await expect.poll(() => drawnValue(page, layer.id, point, field)).toBe(text);
});

test('the selection follows the data: changed values silently, a deleted feature with a message', async ({
  page,
  request,
  watched,
}) => {
  const layer = (await layers(request, 'parcel'))[0]!;
  const field = plainField(layer);
  const key = `e2e-${Date.now()}`;
  const [x, y] = [LON + 0.0001, LAT + 0.0001];
  const ring = [
    [x, y],
    [x + 0.0001, y],
    [x + 0.0001, y + 0.0001],
    [x, y + 0.0001],
    [x, y],
  ];
  const created = await request.post(`/api/collections/${layer.id}/items`, {
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/geo+json' },
    data: JSON.stringify({
      type: 'Feature',
      geometry: { type: 'Polygon', coordinates: [ring] },
      properties: { [layer.citymap.key!]: key },
    }),
  });
  expect(created.status(), await created.text()).toBe(201);
  const feature = { id: key } as Feature;
  await open(page, `#map=19/${y}/${x}${QUIET}&sel=${layer.id}:${key}`);
  const card = page.locator('.chosen');
  await expect(card).toBeVisible();
  // The panel stays where the user is.
  await page.getByRole('tab', { name: 'Lớp dữ liệu' }).click();
  await patchFeature(request, layer, feature, { properties: { [field]: 'Một giá trị mới' } });
  await expect(page.getByText(/Vừa cập nhật/)).toBeVisible();
  await expect(page.getByRole('tab', { name: 'Lớp dữ liệu' })).toHaveAttribute('aria-selected', 'true');
  await page.getByRole('tab', { name: /Đang chọn/ }).click();
  await expect(card).toContainText('Một giá trị mới');
  const path = itemPath(layer, feature);
  const etag = (await request.get(path)).headers().etag!;
  const gone = await request.delete(path, { headers: { authorization: `Bearer ${TOKEN}`, 'if-match': etag } });
  expect(gone.ok(), await gone.text()).toBe(true);
  await expect(page.getByText(/vừa bị xóa khỏi dữ liệu/).first()).toBeVisible();
  await expect(card).toHaveCount(0);
  // The browser itself reports the 404 answer.
  expect(watched.every((line) => line.includes('404') && line.includes(key))).toBe(true);
  watched.length = 0;
});

test('what was missed while offline is caught up with', async ({ page, request, context, watched }) => {
  const { layer, feature, point } = await knownParcel(request);
  const field = plainField(layer);
  await open(page, `#map=17/${point[1]}/${point[0]}${QUIET}`);
  await context.setOffline(true);
  await expect(page.getByText(/Mất kết nối/)).toBeVisible({ timeout: 30_000 });
  const text = `Đường lỡ ${Date.now()}`;
  await patchFeature(request, layer, feature, { properties: { [field]: text } });
  await context.setOffline(false);
  await expect.poll(() => drawnValue(page, layer.id, point, field), { timeout: 30_000 }).toBe(text);
  await expect(page.getByText(/Mất kết nối/)).toHaveCount(0);
  // The browser itself reports what it could not fetch.
  expect(watched.filter((line) => !/ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED|ERR_FAILED/.test(line))).toEqual([]);
  watched.length = 0;
});
