/** The page below a path prefix that a proxy takes away, and of which the server knows nothing. */
import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test as base, expect, idle, knownParcel, parcelName, pixel } from './page';

const PREFIX = '/geo';

interface Below {
  /** The server itself, past the proxy. */
  direct: string;
  /** The prefix at the proxy: its address, what was asked for below the prefix, and what elsewhere. */
  below: { url: string; inside: string[]; outside: string[] };
}

const test = base.extend<Below>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures from the pattern.
  direct: async ({}, use, { project }) => use(project.use.baseURL ?? ''),
  below: async ({ direct }, use) => {
    const [inside, outside]: [string[], string[]] = [[], []];
    const server: Server = createServer((incoming, outgoing) => {
      const path = incoming.url ?? '/';
      if (!path.startsWith(`${PREFIX}/`)) {
        outside.push(path);
        outgoing.writeHead(404).end();
        return;
      }
      const rest = path.slice(PREFIX.length);
      inside.push(rest);
      const { method, headers } = incoming;
      const upstream = forward(`${direct}${rest}`, { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      upstream.on('error', () => outgoing.destroy());
      outgoing.on('close', () => upstream.destroy());
      incoming.pipe(upstream);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    await use({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${PREFIX}/`, inside, outside });
    server.closeAllConnections();
    server.close();
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
  for (const kind of ['api/collections', 'api/at', 'api/events', 'tiles', 'fonts', 'sprites', 'assets']) {
    await expect.poll(() => below.inside.some((path) => path.startsWith(`/${kind}`)), kind).toBe(true);
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
