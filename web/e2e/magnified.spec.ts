/** A magnified page (200 % and 400 %), forced colours, and the keyboard's place: nothing is lost. */
import type { Locator } from '@playwright/test';
import { MESSAGES } from '../src/lib/i18n';
import { CORE, expect, idle, knownParcel, LIGHT, open, test } from './page';

const words = MESSAGES.vi;
const [LON, LAT] = CORE;

/** Whether the middle of an element is on the screen, and nothing is over it. */
async function reachable(element: Locator): Promise<boolean> {
  const box = await element.boundingBox();
  if (!box) return false;
  return element.evaluate(
    (node, [x, y]) => {
      const hit = document.elementFromPoint(x!, y!);
      return hit !== null && (node.contains(hit) || hit.contains(node));
    },
    [box.x + box.width / 2, box.y + box.height / 2] as const,
  );
}

for (const [zoom, width, height] of [
  ['200 %', 640, 400],
  ['400 %', 320, 256],
] as const) {
  test(`at ${zoom} everything can be reached`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    await open(page, `#map=18/${LAT}/${LON}${LIGHT}`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    const names = [
      words.zoomIn,
      words.zoomOut,
      words.north,
      words.home,
      words.locate,
      words.languageLabel,
      words.dark,
      words.sheetHeight,
      words.mapAbout,
    ];
    for (const name of names) {
      const button = page.getByRole('button', { name }).or(page.getByTitle(name)).first();
      expect(await reachable(button), name).toBe(true);
    }
    for (const tab of await page.getByRole('tab').all()) expect(await reachable(tab)).toBe(true);
    expect(await reachable(page.getByRole('combobox'))).toBe(true);
    // What the narrow line has no room for.
    await page.getByRole('button', { name: words.mapAbout }).click();
    const about = page.getByRole('dialog', { name: words.mapAbout });
    for (const text of ['VN-2000', 'WGS 84', words.scaleAbout, words.dataDate, words.attribution, words.synthetic]) {
      const part = about.getByText(text).first();
      await part.scrollIntoViewIfNeeded();
      expect(await reachable(part), text).toBe(true);
    }
    await page.keyboard.press('Escape');
    await expect(about).toBeHidden();
    // A tool: its bar can be left, its result read.
    await page.getByRole('tab', { name: words.tools }).click();
    await page.getByRole('button', { name: words.toolTitles.measure }).click();
    const leave = page.getByRole('region', { name: words.toolBar }).getByRole('button', { name: words.toolLeave });
    await leave.scrollIntoViewIfNeeded();
    expect(await reachable(leave)).toBe(true);
    await leave.click();
    await expect(leave).toHaveCount(0);
    // The highest sheet shows the layers, down to the last.
    await page.getByRole('tab', { name: words.layers }).click();
    const last = page.locator('[id^="show-"]').last();
    await last.scrollIntoViewIfNeeded();
    expect(await reachable(last)).toBe(true);
  });
}

test('forced colours and the dark theme keep what stands for colours of the map', async ({ page, request }) => {
  await page.emulateMedia({ forcedColors: 'active' });
  await open(page, `#map=18/${LAT}/${LON}&off=buildings,addresses,street_lights&theme=dark`);
  const painted = (selector: string, property: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((node, name) => getComputedStyle(node).getPropertyValue(name), property);
  const forced = await page.evaluate(() => {
    const probe = document.createElement('div');
    probe.style.background = 'Canvas';
    document.body.append(probe);
    const color = getComputedStyle(probe).backgroundColor;
    probe.remove();
    return color;
  });
  // The server is asked for the legend once the map is drawn.
  await expect(page.locator('.patch .picture > span').nth(1)).toBeAttached();
  const patches = await page
    .locator('.patch .picture > span')
    .evaluateAll((nodes) => nodes.map((node) => getComputedStyle(node).backgroundColor));
  expect(patches.length).toBeGreaterThan(1);
  expect(new Set(patches).size, 'codes of different colours').toBeGreaterThan(1);
  expect(patches).not.toContain(forced);
  const rgb = (hex: string) => `rgb(${[1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(', ')})`;
  // Of a road first its edge is drawn, then the carriageway in the colour of the theme.
  const legend = await request.get('/api/styles/cadastre/legend?zoom=18&appearance=dark&f=json&collections=roads');
  const { groups } = (await legend.json()) as { groups: { entries: { parts: { color: string }[] }[] }[] };
  const road = groups[0]!.entries[0]!.parts.at(-1)!.color;
  expect(await painted('.row:has(#show-roads) svg:last-child line', 'stroke')).toBe(rgb(road));
});

test('the keyboard keeps its place, and what it finds is announced', async ({ page, request }) => {
  const { point } = await knownParcel(request);
  await open(page, `#map=19/${point[1]}/${point[0]}&off=buildings,addresses,street_lights`);
  const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.className || 'body');
  const status = page.getByRole('status');
  // A point is asked for by Enter; what is found is said.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await expect(status.filter({ hasText: /đối tượng tại điểm này\. Đang chọn: Thửa \d+, tờ \d+/ })).toBeAttached();
  // Closing the answer takes its button away.
  await page.getByRole('button', { name: words.clear }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('tab', { name: words.layers })).toBeFocused();
  // So does leaving a tool, from its pane and by Escape.
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('button', { name: words.toolTitles.measure }).focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('canvas.maplibregl-canvas')).toBeFocused();
  await expect(status.filter({ hasText: words.toolKeys })).toBeAttached();
  await page.locator('#pane-tools').getByRole('button', { name: words.toolLeave }).focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('#pane-tools')).toBeFocused();
  // Another time: the button that was pressed is disabled for a while, and then gone.
  await page.getByRole('button', { name: words.history }).click();
  await page.getByLabel('Chỉ hiện đối tượng có hiệu lực vào ngày').fill('2020-06-30');
  await page.getByLabel('Chỉ hiện đối tượng có hiệu lực vào ngày').press('Enter');
  const back = page.getByRole('button', { name: words.showAll });
  await expect(status.filter({ hasText: words.validOn('30/06/2020') })).toBeAttached();
  await back.focus();
  await page.keyboard.press('Enter');
  await expect(back).toHaveCount(0);
  expect(await focused()).not.toBe('body');
  // The sheet of a phone keeps the focus of its handle.
  await page.setViewportSize({ width: 390, height: 780 });
  const handle = page.getByRole('button', { name: words.sheetHeight });
  await handle.focus();
  for (let step = 0; step < 3; step += 1) {
    await page.keyboard.press('Enter');
    await expect(handle).toBeFocused();
  }
  // A search result that is taken by Enter is said as well.
  await page.keyboard.press('/');
  await page.keyboard.type('ben thanh');
  await expect(page.getByRole('option').first()).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(status.filter({ hasText: /Đang chọn: Phường Bến Thành/ })).toBeAttached();
  await idle(page);
});
