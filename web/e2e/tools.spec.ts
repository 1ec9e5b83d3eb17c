/** Measuring, statistics and drawing. */
import { readFile } from 'node:fs/promises';
import type { Locator, Page, Response } from '@playwright/test';
import type { WithinAnswer } from '../src/lib/within';
import '../dev/testcity';
import { fromVn2000, toVn2000 } from '../src/lib/vn2000';
import { INK } from '../src/map/ink';
import { CORE, colors, expect, idle, LIGHT, open, pixel, serious, test } from './page';

const [LON, LAT] = CORE;
const [EAST, NORTH] = toVn2000(LON, LAT);

/** Clicks at places given in metres east and north of the core. */
async function clickAt(page: Page, ...offsets: [number, number][]): Promise<void> {
  for (const [east, north] of offsets) {
    const at = await pixel(page, fromVn2000(EAST + east, NORTH + north));
    await page.mouse.click(at.x, at.y);
  }
}

const SQUARE: [number, number][] = [
  [-60, -60],
  [60, -60],
  [60, 60],
  [-60, 60],
];

/** A figure as Vietnamese writes it: 1.234,5. */
const figure = (text: string) =>
  Number(
    text
      .replace(/[^\d.,]/g, '')
      .replaceAll('.', '')
      .replace(',', '.'),
  );

const bar = (page: Page) => page.getByRole('region', { name: 'Công cụ đang dùng' });

async function start(page: Page, tool: string): Promise<void> {
  await page.getByRole('tab', { name: 'Công cụ' }).click();
  await page.getByRole('button', { name: tool }).click();
  await expect(bar(page)).toBeVisible();
}

test('measuring: a line, an area, on the VN-2000 grid, and the way out by Escape', async ({ page }) => {
  await open(page, `#map=17.5/${LAT}/${LON}${LIGHT}`);
  await start(page, 'Đo khoảng cách, diện tích');
  await clickAt(page, [-60, -60], [60, -60]);
  // Within what half a pixel is worth at this zoom.
  const length = page.locator('.measured-length');
  await expect(length).toHaveText(/^12\d,\d m$|^1(19|20),\d m$/);
  expect(Math.abs(figure((await length.textContent())!) - 120)).toBeLessThan(1);
  await clickAt(page, [60, 60], [-60, 60], [-60, -60]);
  await expect(page.getByText('Tính theo VN-2000, kinh tuyến trục 105°45′, múi chiếu 3°.')).toBeVisible();
  const area = page.locator('.measured-area');
  await expect(area).toHaveText(/^14\.\d{3},\d m² \(1,4\d? ha\)$/);
  expect(Math.abs(figure((await area.textContent())!.split(' ')[0]!) - 14_400)).toBeLessThan(200);
  expect(Math.abs(figure((await length.textContent())!) - 480)).toBeLessThan(3);
  await idle(page);
  const seen = await colors(page, { x: 420, y: 120, width: 760, height: 620 });
  expect(seen.get(INK.light.select) ?? 0, 'the outline is drawn').toBeGreaterThan(300);
  expect(page.url(), 'a tool’s clicks ask nothing').not.toContain('at=');
  await page.keyboard.press('Escape');
  await expect(area).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(bar(page)).toHaveCount(0);
  await clickAt(page, [0, 0]);
  await expect(page.getByRole('heading', { name: 'Tại điểm này' })).toBeVisible();
});

test('a double click ends a line and does not zoom; what was drawn can be taken back', async ({ page }) => {
  await open(page, `#map=17.5/${LAT}/${LON}${LIGHT}`);
  await start(page, 'Đo khoảng cách, diện tích');
  await clickAt(page, [-60, 0]);
  const end = await pixel(page, fromVn2000(EAST + 60, NORTH));
  await page.mouse.dblclick(end.x, end.y);
  await expect(page.getByText('Bấm vào bản đồ để vẽ lại từ đầu.')).toBeVisible();
  await expect(page.getByText('2 điểm')).toBeVisible();
  await expect(page.getByText('Tỷ lệ 1/1.600')).toBeVisible();
  await page.getByRole('button', { name: 'Vẽ tiếp' }).click();
  await clickAt(page, [60, 60], [-60, 60]);
  await expect(page.getByText('4 điểm')).toBeVisible();
  await page.getByRole('button', { name: 'Khép vùng' }).click();
  await expect(page.locator('.measured-area')).toBeVisible();
  await bar(page).getByRole('button', { name: 'Thoát' }).click();
  await expect(page.locator('.measured-area')).toHaveCount(0);
});

/** The bytes of the file that a click downloads, as text, and the name that it gets. */
async function downloaded(page: Page, click: () => Promise<void>): Promise<{ name: string; text: string }> {
  const started = page.waitForEvent('download');
  await click();
  const download = await started;
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
}

test('statistics of a drawn area: by layer and class, equal to the interface, as CSV for a spreadsheet', async ({
  page,
}) => {
  await open(page, `#map=17.5/${LAT}/${LON}${LIGHT}`);
  await start(page, 'Thống kê theo vùng');
  const answered = page.waitForResponse((response) => new URL(response.url()).pathname === '/api/within');
  await clickAt(page, ...SQUARE, SQUARE[0]!);
  const response = await answered;
  expect(response.request().method()).toBe('POST');
  const answer = (await response.json()) as WithinAnswer;
  expect(Math.abs(answer.area.value - 14_400)).toBeLessThan(200);
  const parcels = answer.layers.find((layer) => layer.role === 'parcel')!;
  expect(parcels.count).toBeGreaterThan(0);
  const row = page.locator(`tr[data-layer="${parcels.layer}"]`);
  await expect(row.getByRole('rowheader')).toContainText('Thửa đất');
  const figures = async (of: Locator) => (await of.getByRole('cell').allTextContents()).map(figure);
  expect((await figures(row)).slice(0, 2)).toEqual([parcels.count, parcels.whole]);
  // Each land use has a row, the largest first, and together they are the layer.
  const uses = page.locator(`tbody:has(tr[data-layer="${parcels.layer}"]) tr[data-code]`);
  expect(await uses.count()).toBe(parcels.groups!.length);
  const counts = await Promise.all((await uses.all()).map(async (use) => (await figures(use))[0]!));
  expect(counts.reduce((a, b) => a + b, 0)).toBe(parcels.count);
  await expect(uses.first()).toContainText(/\(\w+\)[\d.,\s]*m²/);
  // Plans are divided by level; no sum is larger than the area.
  const zones = answer.layers.find((layer) => layer.role === 'zone')!;
  const levels = page.locator(`tbody:has(tr[data-layer="${zones.layer}"]) tr[data-code^="QH"]`);
  expect(await levels.count()).toBeGreaterThan(0);
  await expect(levels.first()).toContainText(/^Quy hoạch (chung|phân khu|chi tiết) 1\/[\d./–]+ \(QH/);
  for (const share of await page.locator('td .share').allTextContents()) {
    expect(figure(share), share).toBeLessThanOrEqual(100);
  }
  await expect(page.getByText('Tính theo VN-2000, kinh tuyến trục 105°45′, múi chiếu 3°.')).toBeVisible();
  expect(await serious(page)).toEqual([]);
  const inside = (await row.getByRole('cell').nth(2).textContent())!;
  await page.getByRole('checkbox', { name: 'Tính cả phần nằm ngoài vùng' }).check();
  await expect(row.getByRole('cell').nth(2)).not.toHaveText(inside);
  const { name, text } = await downloaded(page, () => page.getByRole('button', { name: 'Tải bảng (CSV)' }).click());
  const today = new Date(Date.now() + 7 * 3_600_000).toISOString().slice(0, 10);
  expect(name, 'the day of the city').toBe(`citymap-thong-ke-${today}.csv`);
  expect(text.startsWith('\uFEFFLớp;')).toBe(true);
  const line = text.split('\r\n').find((own) => own.startsWith('Thửa đất;;;'))!;
  const decimal = (value: number) => String(Math.round(value * 100) / 100).replace('.', ',');
  expect(line).toContain(`;${parcels.count};${parcels.whole};${decimal(parcels.area!.value)};`);
});

test('the features of a class are listed page by page, opened, and downloaded', async ({ page }) => {
  await open(page, `#map=17.5/${LAT}/${LON}${LIGHT}`);
  await start(page, 'Thống kê theo vùng');
  const answered = page.waitForResponse((response) => new URL(response.url()).pathname === '/api/within');
  await clickAt(page, ...SQUARE, SQUARE[0]!);
  const answer = (await (await answered).json()) as WithinAnswer;
  const parcels = answer.layers.find((layer) => layer.role === 'parcel')!;
  const largest = parcels.groups!.toSorted((a, b) => b.area!.value - a.area!.value)[0]!;
  const use = page.locator(`tbody:has(tr[data-layer="${parcels.layer}"]) tr[data-code]`).first();
  await use.getByRole('button').focus();
  await page.keyboard.press('Enter');
  const list = page.getByRole('region', { name: /^Thửa đất – / });
  await expect(list.getByRole('heading')).toBeFocused();
  const items = list.getByRole('listitem');
  await expect(items).toHaveCount(Math.min(50, largest.count));
  while ((await items.count()) < largest.count) {
    const before = await items.count();
    await list.getByRole('button', { name: 'Xem thêm' }).click();
    await expect.poll(() => items.count()).toBeGreaterThan(before);
  }
  await expect(items.first()).toContainText(/Thửa \d+, tờ \d+ · Phường .* m²/);
  const csv = await downloaded(page, () => list.getByRole('button', { name: 'Tải CSV' }).click());
  expect(csv.name).toMatch(/^citymap-parcels-\d{4}-\d\d-\d\d\.csv$/);
  expect(csv.text.split('\r\n').length).toBe(largest.count + 2);
  expect(csv.text, 'areas with a decimal comma').toMatch(/;\d+,\d+;/);
  const geojson = await downloaded(page, () => list.getByRole('button', { name: 'Tải GeoJSON' }).click());
  const read = JSON.parse(geojson.text) as GeoJSON.FeatureCollection;
  expect([read.type, read.features.length]).toEqual(['FeatureCollection', largest.count]);
  expect(await serious(page)).toEqual([]);
  const name = (await items.first().textContent())!.match(/Thửa \d+, tờ \d+/)![0];
  await items.first().getByRole('button').click();
  await expect(page.locator('.chosen .name')).toContainText(name);
  // The statistics are still there.
  await page.getByRole('tab', { name: 'Công cụ' }).click();
  await expect(list).toBeVisible();
});

test('a chosen commune is an area; its neighbours only touch it', async ({ page }) => {
  await open(page, `#map=14/${LAT}/${LON}${LIGHT}&sel=communes:26743&lang=en`);
  await expect(page.locator('.chosen .name')).toHaveText('Phường Bến Thành');
  const answered = page.waitForResponse((response) => new URL(response.url()).pathname === '/api/within');
  await page.locator('.chosen').getByRole('button', { name: 'Statistics inside' }).click();
  const response = await answered;
  expect(new URL(response.url()).searchParams.get('of')).toBe('communes:26743');
  const answer = (await response.json()) as WithinAnswer;
  const communes = answer.layers.find((layer) => layer.role === 'admin_unit')!;
  expect(communes.count - communes.contacts).toBe(1);
  await expect(page.getByText('Area: Communes: Phường Bến Thành')).toBeVisible();
  const row = page.locator(`tr[data-layer="${communes.layer}"]`);
  await expect(row.getByRole('cell').first()).toHaveText('1');
  await expect(row).toContainText('only touch it');
  await expect(row).toContainText('100.0%');
  expect(await serious(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await expect(page.getByText('Area: Communes: Phường Bến Thành')).toHaveCount(0);
});

test('an outline that crosses itself is not sent, and the page says why', async ({ page }) => {
  await open(page, `#map=17.5/${LAT}/${LON}${LIGHT}`);
  let asked = 0;
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/api/within') asked += 1;
  });
  await start(page, 'Thống kê theo vùng');
  await clickAt(page, [-60, -60], [60, 60], [60, -60], [-60, 60], [-60, -60]);
  await expect(page.getByText(/Đường bao tự cắt/)).toBeVisible();
  expect(asked).toBe(0);
});

test('measuring by keyboard alone: Enter sets points at the centre of the map', async ({ page }) => {
  await open(page, `#map=18/${LAT}/${LON}${LIGHT}`);
  await page.getByRole('tab', { name: 'Lớp dữ liệu' }).focus();
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByRole('tab', { name: 'Công cụ' })).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('tabpanel', { name: 'Công cụ' }).getByRole('button').first()).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('canvas.maplibregl-canvas')).toBeFocused();
  await page.keyboard.press('Enter');
  const before = page.url();
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => page.url()).not.toBe(before);
  await idle(page);
  await page.keyboard.press('Enter');
  await expect(page.locator('.measured-length')).toHaveText(/^\d+,\d+ m$/);
  await page.keyboard.press('Enter');
  await expect(page.getByText('Bấm vào bản đồ để vẽ lại từ đầu.')).toBeVisible();
});

test('a name in a script that our typeface lacks is drawn by the browser, without an error', async ({ page }) => {
  const fonts: Response[] = [];
  page.on('response', (response) => {
    if (new URL(response.url()).pathname.startsWith('/fonts/')) fonts.push(response);
  });
  await open(page, `#map=17/${LAT}/${LON}&off=parcels,buildings,addresses,zones,roads`);
  const drawn = await page.evaluate(async (center) => {
    const { map } = (
      window as unknown as {
        citymap: {
          map: {
            addSource: (id: string, source: object) => void;
            addLayer: (layer: object) => void;
            once: (name: string, then: () => void) => void;
            queryRenderedFeatures: (options: object) => unknown[];
          };
        };
      }
    ).citymap;
    map.addSource('cyrillic', { type: 'geojson', data: { type: 'Point', coordinates: center } });
    map.addLayer({
      id: 'cyrillic',
      type: 'symbol',
      source: 'cyrillic',
      layout: {
        'text-field': 'ЖЖЖЖ',
        'text-size': 90,
        'text-font': ['BeVietnamPro-Regular'],
        'text-allow-overlap': true,
      },
      paint: { 'text-color': '#ff00ff' },
    });
    await new Promise<void>((done) => map.once('idle', done));
    return map.queryRenderedFeatures({ layers: ['cyrillic'] }).length;
  }, CORE);
  expect(drawn).toBe(1);
  const seen = await colors(page, { x: 420, y: 120, width: 760, height: 620 });
  expect(seen.get('#ff00ff') ?? 0, 'pixels of the text').toBeGreaterThan(100);
  const sizes = new Map<string, number>();
  for (const response of fonts) sizes.set(new URL(response.url()).pathname, (await response.body()).length);
  expect([...sizes].filter(([, size]) => size === 0)).toEqual([['/fonts/BeVietnamPro-Regular/1024-1279.pbf', 0]]);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });

  test('a tool leaves the map its room, and the sketch stays in sight next to the result', async ({ page }) => {
    await open(page, `#map=17/${LAT}/${LON}${LIGHT}`);
    await page.getByRole('tab', { name: 'Công cụ' }).tap();
    await page.getByRole('button', { name: 'Thống kê theo vùng' }).tap();
    const panel = page.getByRole('complementary');
    await expect.poll(async () => (await panel.boundingBox())!.height).toBeLessThan(90);
    for (const [x, y] of [
      [100, 330],
      [280, 330],
      [280, 500],
      [100, 330],
    ] as const) {
      await page.touchscreen.tap(x, y);
    }
    await expect(page.getByRole('table')).toBeVisible();
    const corners = await page.evaluate(() => {
      const { map } = (
        window as unknown as {
          citymap: {
            map: {
              getStyle: () => { sources: Record<string, { data: GeoJSON.FeatureCollection }> };
            };
          };
        }
      ).citymap;
      const points = map
        .getStyle()
        .sources['citymap-sketch']!.data.features.filter((feature) => feature.properties?.part === 'point');
      return points.map((feature) => (feature.geometry as GeoJSON.Point).coordinates as [number, number]);
    });
    expect(corners).toHaveLength(3);
    await expect
      .poll(async () => {
        const pixels = await Promise.all(corners.map((at) => pixel(page, at)));
        const ys = pixels.map(({ y }) => y);
        const help = (await bar(page).boundingBox())!;
        return Math.min(...ys) > help.y + help.height && Math.max(...ys) < (await panel.boundingBox())!.y;
      })
      .toBe(true);
  });
});
