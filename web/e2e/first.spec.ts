/** The first view: how much is requested until the map is complete, and what is not. */
import { expect, idle, layers, open, test } from './page';
import { startProxy } from './proxy';

/** The bars of a first view: requests, and bytes on the wire. */
const MAX_REQUESTS = 40;
const MAX_BYTES = 1_000_000;

const tilesOf = (asked: string[]) =>
  asked.filter((path) => path.startsWith('/tiles/')).map((path) => path.replace(/\?.*/, ''));

for (const [name, device] of [
  ['a desktop', { viewport: { width: 1440, height: 900 } }],
  ['a phone', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true }],
] as const) {
  test(`the first view of ${name} needs few requests and bytes`, async ({ browser, baseURL }) => {
    const proxy = await startProxy(baseURL ?? '');
    const context = await browser.newContext({ ...device, baseURL: proxy.url, colorScheme: 'light' });
    const page = await context.newPage();
    await open(page);
    expect(proxy.asked.length, proxy.asked.join('\n')).toBeLessThanOrEqual(MAX_REQUESTS);
    expect(proxy.bytes()).toBeLessThanOrEqual(MAX_BYTES);
    // What was counted is the whole map: the picture that came before it is gone.
    await expect(page.locator('#first-picture')).toHaveCount(0);
    expect(tilesOf(proxy.asked).length).toBeGreaterThan(0);
    await context.close();
    proxy.close();
  });
}

test('one request brings all layers of a place, and none that is off or not drawn', async ({ page, request }) => {
  const [road] = await layers(request, 'road');
  const [building] = await layers(request, 'building');
  const asked: string[] = [];
  page.on('request', (own) => asked.push(new URL(own.url()).pathname));
  await open(page, `#off=${road!.id}`);
  const places = new Map<string, string[]>();
  for (const path of tilesOf(asked)) {
    const [, , names = '', z = '', x = '', y = ''] = path.split('/');
    if (z === '14') places.set(`${x}/${y}`, [...(places.get(`${x}/${y}`) ?? []), names]);
  }
  expect(places.size).toBeGreaterThan(0);
  for (const [place, answers] of places) {
    expect(answers, place).toHaveLength(1);
    const names = answers[0]!.split(',');
    expect(names.length).toBeGreaterThan(1);
    expect(names).not.toContain(road!.id);
    // A building of the first view would be a few pixels wide.
    expect(names).not.toContain(building!.id);
  }
  const before = asked.length;
  await page.locator(`#show-${road!.id}`).check();
  await idle(page);
  const later = tilesOf(asked.slice(before));
  expect(later.length).toBeGreaterThan(0);
  for (const path of later) expect(path).toContain(`/tiles/${road!.id}/`);
});

test('on a slow line water, roads and communes are there before the script of the map', async ({ page }) => {
  let release = () => {};
  const held = new Promise<void>((go) => (release = go));
  await page.route(/assets\/view-/, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto('/');
  const picture = page.locator('#first-picture');
  await expect(picture).toBeVisible();
  await expect.poll(() => page.evaluate(() => performance.getEntriesByName('first-picture').length)).toBe(1);
  const drawn = await page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('#first-picture')!;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    const colors = new Set<number>();
    for (let at = 0; at < data.length; at += 4) {
      colors.add(((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0));
    }
    return colors.size;
  });
  expect(drawn, 'colours').toBeGreaterThan(10);
  release();
  await idle(page);
  await expect(picture).toHaveCount(0);
});
