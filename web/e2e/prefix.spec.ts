/** The page below a path prefix that a proxy takes away, and of which the server knows nothing. */
import { test as base, expect, idle, knownParcel, parcelName, pixel } from './page';
import { type ProxyServer, startProxy } from './proxy';

const PREFIX = '/geo';

interface Below {
  /** The server itself, past the proxy. */
  direct: string;
  /** The proxy with the prefix. */
  below: ProxyServer;
}

const test = base.extend<Below>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures from the pattern.
  direct: async ({}, use, { project }) => use(project.use.baseURL ?? ''),
  below: async ({ direct }, use) => {
    const proxy = await startProxy(direct, PREFIX);
    await use(proxy);
    proxy.close();
  },
  baseURL: async ({ below }, use) => use(below.url),
});

test('the map asks for everything below the prefix, and a link to it shows the same', async ({
  page,
  below,
  direct,
  playwright,
}) => {
  const api = await playwright.request.newContext({ baseURL: direct });
  const { layer, feature, point } = await knownParcel(api);
  await api.dispose();
  await page.goto(`#map=19/${point[1]}/${point[0]}`);
  await idle(page);
  const at = await pixel(page, point);
  await page.mouse.click(at.x, at.y);
  const chosen = page.locator('.chosen .name');
  const name = parcelName(layer, feature);
  await expect(chosen).toContainText(name);
  await expect(page).toHaveURL(new RegExp(`${PREFIX}/#.*sel=${layer.id}:`));
  for (const kind of ['api/collections', 'api/at', 'api/events', 'tiles', 'sprites', 'assets']) {
    await expect.poll(() => below.asked.some((path) => path.startsWith(`/${kind}`)), kind).toBe(true);
  }
  const link = page.url();
  await page.goto('about:blank');
  await page.goto(link);
  await idle(page);
  await expect(chosen).toContainText(name);
  expect(below.outside).toEqual([]);
});

test('the pages of the interface lead to each other and to the map', async ({ page, below }) => {
  await page.goto('api?f=html&lang=en');
  await page.locator('main').getByRole('link', { name: 'Layers' }).first().click();
  await page.locator('main table a').first().click();
  await page.getByRole('link', { name: 'Browse the features' }).click();
  await page.locator('main table a').first().click();
  await expect(page).toHaveURL(new RegExp(`${PREFIX}/api/collections/[^/]+/items/[^/]+`));
  await page.locator('nav a').nth(2).click();
  await expect(page).toHaveURL(new RegExp(`${PREFIX}/api/collections$`));
  await page.goto('api?f=html');
  await page.locator('nav a').first().click();
  await expect(page).toHaveURL(new RegExp(`${PREFIX}/(#.*)?$`));
  await idle(page);
  expect(below.outside).toEqual([]);
});
