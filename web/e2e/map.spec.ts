/** The map, the answer at a point, search, links and layers. */
import { type Collection, fieldWith } from '../src/lib/api';
import type { LegendGroup } from '../src/lib/styles';
import { INK } from '../src/map/ink';
import { CORE, colors, expect, idle, knownParcel, LIGHT, layers, open, parcelName, pixel, test } from './page';

const [LON, LAT] = CORE;

test('the map is drawn: official land-use colours are in the picture', async ({ page, request }) => {
  await open(page, `#map=17/${LAT}/${LON}`);
  const seen = await colors(page, { x: 420, y: 80, width: 760, height: 660 });
  expect(seen.size, 'a blank map has few colours').toBeGreaterThan(50);
  const layer = (await layers(request, 'parcel'))[0]!;
  const rgb = (color: string) => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  const near = (one: string, other: string) => {
    const [a, b] = [rgb(one), rgb(other)];
    return a.every((value, channel) => Math.abs(value - b[channel]!) <= 2);
  };
  const legend = await request.get(`/api/styles/cadastre/legend?zoom=17&f=json&collections=${layer.id}`);
  const { groups } = (await legend.json()) as { groups: LegendGroup[] };
  const fills = groups[0]!.entries.flatMap(({ code, parts }) => parts.filter(({ type }) => type === 'fill' && code));
  const official = new Set(fills.map((part) => (part as { color: string }).color));
  const drawn = [...official].filter((color) =>
    [...seen].some(([pixelColor, count]) => count > 100 && near(pixelColor, color)),
  );
  expect(drawn.length, `land-use colours drawn: ${drawn}`).toBeGreaterThanOrEqual(3);
});

test('every tile and symbol the map asks for is answered, and no glyphs are asked for', async ({ page }) => {
  const bad: string[] = [];
  const kinds = { tiles: 0, fonts: 0, sprites: 0 };
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    for (const kind of ['tiles', 'fonts', 'sprites'] as const) if (pathname.startsWith(`/${kind}/`)) kinds[kind] += 1;
    if (response.status() >= 400) bad.push(`${response.status()} ${pathname}`);
  });
  await open(page, `#map=18/${LAT}/${LON}`);
  expect(bad).toEqual([]);
  expect(Math.min(kinds.tiles, kinds.sprites), JSON.stringify(kinds)).toBeGreaterThan(0);
  expect(kinds.fonts, 'labels are drawn with the typeface of the page').toBe(0);
});

test('a click on a known parcel shows its number and its use in words', async ({ page, request }) => {
  const { layer, feature, point } = await knownParcel(request);
  await open(page, `#map=19.5/${point[1]}/${point[0]}`);
  const at = await pixel(page, point);
  await page.mouse.click(at.x, at.y);
  const panel = page.getByRole('tabpanel', { name: /Đang chọn/ });
  await expect(panel.locator('.chosen .name')).toHaveText(
    new RegExp(`^${parcelName(layer, feature)}, Phường Bến Thành$`),
  );
  const field = fieldWith(layer, 'land_use')!;
  const code = String(feature.properties[field.name]);
  const entry = field.codeList!.entries.find((candidate) => candidate.code === code)!;
  await expect(panel.locator('.chosen')).toContainText(entry.vi);
  await expect(panel.locator('.chosen')).toContainText('VN-2000');
  await expect(panel).toContainText('Tại đây không có');
  await expect(page).toHaveURL(new RegExp(`sel=${layer.id}:`));
  // The outline is in the picture, not only in the panel.
  await idle(page);
  const seen = await colors(page, {
    x: Math.max(400, at.x - 250),
    y: Math.max(0, at.y - 250),
    width: 500,
    height: 500,
  });
  expect([...seen].some(([color, count]) => color === INK.light.select && count > 200)).toBe(true);
  // The lengths of its edges, its own number and those of its neighbours are written at the same time.
  const drawn = () =>
    page.evaluate(
      ([id, x, y]) => {
        const { map } = (
          window as unknown as {
            citymap: { map: { queryRenderedFeatures: (box: number[][], options: object) => { length: number } } };
          }
        ).citymap;
        const box = [
          [Number(x) - 200, Number(y) - 200],
          [Number(x) + 200, Number(y) + 200],
        ];
        const count = (name: string) => map.queryRenderedFeatures(box, { layers: [name] }).length;
        return [count('citymap-selection-edge'), count('citymap-selection-number'), count(`${id}/label`)];
      },
      [layer.id, at.x, at.y] as const,
    );
  await expect
    .poll(async () => {
      const [lengths, own, others] = await drawn();
      return lengths! >= 3 && own === 1 && others! >= 3;
    })
    .toBe(true);
});

test('Escape takes the selection back, and so do the back and forward buttons', async ({ page, request }) => {
  const { layer, point } = await knownParcel(request);
  await open(page, `#map=19.5/${point[1]}/${point[0]}`);
  const at = await pixel(page, point);
  await page.mouse.click(at.x, at.y);
  await expect(page).toHaveURL(new RegExp(`sel=${layer.id}:`));
  await page.keyboard.press('Escape');
  await expect(page).not.toHaveURL(/sel=/);
  await page.goBack();
  await expect(page.locator('.chosen')).toBeVisible();
  await page.goBack();
  await expect(page.locator('.chosen')).toHaveCount(0);
  await page.goForward();
  await expect(page.locator('.chosen')).toBeVisible();
});

test('search finds a commune without diacritics, by keyboard alone', async ({ page }) => {
  await open(page);
  await page.keyboard.press('/');
  await page.keyboard.type('ben thanh');
  const option = page.getByRole('option', { name: /^Phường Bến Thành/ }).first();
  await expect(option).toBeVisible();
  // The arrow keys reach it after any number of groups.
  const wanted = (await option.getAttribute('id'))!;
  const box = page.getByRole('combobox');
  for (let step = 0; step < 20 && (await box.getAttribute('aria-activedescendant')) !== wanted; step += 1) {
    await page.keyboard.press('ArrowDown');
  }
  await expect(option).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/sel=communes:26743/);
  await expect(page.locator('.chosen .name')).toHaveText('Phường Bến Thành');
});

test('typing errors are forgiven, and the place restricts', async ({ page }) => {
  await open(page);
  const box = page.getByRole('combobox');
  await box.fill('Ben Thanhh');
  await expect(page.getByRole('option').first()).toContainText('Phường Bến Thành');
  await expect(page.getByText('Không có kết quả khớp hoàn toàn. Kết quả gần giống:', { exact: true })).toBeVisible();
  await box.fill('tờ 1 thửa 1 Xã Thạnh An');
  await expect(page.getByText(/Không có kết quả trong Xã Thạnh An/).last()).toBeVisible();
});

test('the latest searches stay in the browser and can be forgotten', async ({ page }) => {
  await open(page);
  const box = page.getByRole('combobox');
  await box.fill('ben thanh');
  await page
    .getByRole('option', { name: /^Phường Bến Thành/ })
    .first()
    .click();
  await expect(page.locator('.chosen .name')).toHaveText('Phường Bến Thành');
  await page.getByRole('button', { name: 'Xóa ô tìm kiếm' }).click();
  await expect(page.getByRole('button', { name: 'Phường Bến Thành', exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Xóa lịch sử tìm' }).click();
  await expect(page.getByText('Tìm gần đây')).toHaveCount(0);
});

test('search that finds nothing says so', async ({ page }) => {
  await open(page);
  await page.getByRole('combobox').fill('zzqqxx');
  await expect(page.getByText(/Không tìm thấy “zzqqxx”/)).toBeVisible();
});

test('a link restores view, layers, opacity, selection, language and theme', async ({ page, request }) => {
  const { layer, feature, point } = await knownParcel(request);
  const [lon, lat] = point;
  const hash = [
    `#map=18.25/${lat.toFixed(6)}/${lon.toFixed(6)}`,
    `off=roads&op=${layer.id}:40&at=${lon.toFixed(7)},${lat.toFixed(7)}`,
    `sel=${layer.id}:${encodeURIComponent(String(feature.id))}&lang=en&theme=dark`,
  ].join('&');
  await open(page, hash);
  await expect(page.locator('.chosen .name')).toContainText(/^Parcel \S+, sheet \S+, /);
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(page.getByText('Scale 1:930')).toBeVisible();
  await page.getByRole('tab', { name: 'Layers' }).click();
  await expect(page.locator('#show-roads')).not.toBeChecked();
  await expect(page.locator(`#details-${layer.id} input[type=range]`)).toHaveValue('40');
  expect(new URL(page.url()).hash).toContain('off=roads');
});

test('the language changes all texts, and stays in the address', async ({ page }) => {
  await open(page);
  await expect(page.getByRole('tab', { name: 'Lớp dữ liệu' })).toBeVisible();
  await page.getByRole('button', { name: 'English' }).click();
  await expect(page.getByRole('tab', { name: 'Layers' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await expect(page).toHaveURL(/lang=en/);
  await expect(page.getByRole('checkbox', { name: 'Show the group Land and buildings' })).toBeVisible();
});

test('a layer that is switched off leaves the picture and asks for no tiles', async ({ page, request }) => {
  const layer = (await layers(request, 'parcel'))[0]!;
  await open(page, `#map=16/${LAT}/${LON}&off=buildings`);
  const clip = { x: 420, y: 80, width: 760, height: 660 };
  const before = await colors(page, clip);
  await page.locator(`#show-${layer.id}`).uncheck();
  await idle(page);
  await expect(page).toHaveURL(new RegExp(`off=[a-z,]*${layer.id}`));
  const after = await colors(page, clip);
  const top = [...before.keys()].find((color) => !(after.has(color) && after.get(color)! > 100));
  expect(top, 'some parcel colour is gone').toBeDefined();
});

test('coordinates are shown in both systems and copied by a click', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page, `#map=18/${LAT}/${LON}${LIGHT}`);
  const at = await pixel(page, CORE);
  await page.mouse.move(at.x, at.y);
  const readout = page.getByRole('button', { name: /VN-2000/ });
  await expect(readout).toContainText('X 1.191.454,');
  await expect(readout).toContainText('Y 603.481,');
  await readout.click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const [northing, easting] = copied.split(' ').map(Number);
  expect(Math.abs(northing! - 1191454.611)).toBeLessThan(2);
  expect(Math.abs(easting! - 603481.588)).toBeLessThan(2);
});

test('a layer that changed as a whole appears by itself: a note, and tiles of that layer only', async ({ page }) => {
  // What the server reports after an import into one layer.
  const feed = { sent: false, revision: 0 };
  await page.route('**/api/events*', async (route) => {
    const since = Number(new URL(route.request().url()).searchParams.get('since'));
    const layer = { layer: 'roads', mode: 'replace', added: 5, changed: 0, removed: 5, rejected: 0 };
    const whole = { ...layer, whole: true, truncated: false, bbox: null, features: [], tiles: null };
    feed.revision = since + 1;
    const event = { revision: feed.revision, time: '2026-01-01T00:00:00Z', message: '', source: null, layers: [whole] };
    const body = feed.sent
      ? `id: ${event.revision}\nevent: revision\ndata: ${JSON.stringify(event)}\n\n`
      : ': wait\n\n';
    await route.fulfill({ status: 200, contentType: 'text/event-stream', body: `retry: 300\n${body}` });
  });
  await page.route('**/health/ready', (route) =>
    feed.sent
      ? route.fulfill({
          status: 200,
          headers: { 'citymap-revision': String(feed.revision) },
          json: { status: 'ready' },
        })
      : route.continue(),
  );
  await page.route('**/api/collections/roads', async (route) => {
    // No server waits for a revision that was made up.
    const headers = { ...route.request().headers() };
    delete headers['citymap-min-revision'];
    const response = await route.fetch({ headers });
    const roads = (await response.json()) as Collection;
    roads.citymap.tilesVersion = '999-new';
    await route.fulfill({ response, json: roads });
  });
  await open(page, `#map=15/${LAT}/${LON}&off=buildings`);
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname, search } = new URL(request.url());
    if (pathname.startsWith('/tiles/')) asked.push(`${pathname.split('/')[2]}${search}`);
  });
  const noted = page.getByText(/Vừa cập nhật: Đường/).waitFor();
  feed.sent = true;
  await noted;
  await expect.poll(() => asked.length).toBeGreaterThan(0);
  await idle(page);
  expect([...new Set(asked)]).toEqual(['roads?rev=999-new']);
});
