/** WCAG 2.2 AA and best practice by axe: the states of the page, in both languages; light, dark and forced colours. */
import AxeBuilder from '@axe-core/playwright';
import type { APIRequestContext, Page } from '@playwright/test';
import { EDIT } from '../src/edit/words';
import { HISTORY } from '../src/history/words';
import { type Lang, MESSAGES } from '../src/lib/i18n';
import { expect as expectSoon, knownParcel, pixel, TOKEN, test } from './page';

/** Much is done in one test, while the map is drawn in software. */
const expect = expectSoon.configure({ timeout: 45_000 });

/** Everything that axe objects to, with the elements. */
async function violations(page: Page): Promise<string[]> {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await new AxeBuilder({ page }).withTags(tags).analyze();
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

/** The states, each reached from the one before. */
function states(page: Page, request: APIRequestContext, lang: Lang): [string, () => Promise<void>][] {
  const words = MESSAGES[lang];
  const box = page.getByRole('combobox').first();
  const tab = (name: string) => page.getByRole('tab', { name }).click();
  const clickMap = async (...offsets: [number, number][]) => {
    const { point } = await knownParcel(request);
    for (const [x, y] of offsets) {
      const at = await pixel(page, point);
      await page.mouse.click(at.x + x, at.y + y);
    }
  };
  const square: [number, number][] = [
    [-60, -60],
    [60, -60],
    [60, 60],
    [-60, 60],
    [-60, -60],
  ];
  const tool = async (name: string, corners: [number, number][]) => {
    await tab(words.tools);
    await page.getByRole('button', { name }).click();
    await clickMap(...corners);
  };
  return [
    ['first view', async () => {}],
    [
      'search results',
      async () => {
        await box.fill('ben thanh');
        await expect(page.getByRole('option').first()).toBeVisible();
      },
    ],
    [
      'no search result',
      async () => {
        await box.fill('zzqqxx');
        await expect(page.getByText(words.searchNone('zzqqxx'))).toBeVisible();
        await page.getByRole('button', { name: words.searchClear }).click();
      },
    ],
    [
      'card of a parcel',
      async () => {
        await clickMap([0, 0]);
        await expect(page.locator('.chosen dl')).toBeVisible();
      },
    ],
    [
      'card of a zone, and its history',
      async () => {
        await page
          .locator('.card h3 button', { hasText: /(Ô chức năng|Planning zones|Ô quy hoạch)/ })
          .first()
          .click();
        await page.locator('.chosen').getByRole('button', { name: words.history }).click();
        await expect(page.getByRole('region', { name: HISTORY[lang].versions })).toBeVisible();
      },
    ],
    [
      'layers and legend',
      async () => {
        await tab(words.layers);
        await expect(page.locator('.patch').first()).toBeVisible();
      },
    ],
    [
      'sources and coordinates',
      async () => {
        await page.getByRole('button', { name: words.mapAbout }).click();
        await expect(page.getByRole('dialog', { name: words.mapAbout })).toBeVisible();
      },
    ],
    [
      'measuring',
      async () => {
        await page.keyboard.press('Escape');
        await tool(words.toolTitles.measure, square);
        await expect(page.locator('.measured-area')).toBeVisible();
      },
    ],
    [
      'statistics',
      async () => {
        await page.getByRole('region', { name: words.toolBar }).getByRole('button', { name: words.toolLeave }).click();
        await tool(words.toolTitles.statistics, square);
        await expect(page.locator('table')).toBeVisible();
      },
    ],
    [
      'history of the data, on a day of validity',
      async () => {
        await page.getByRole('region', { name: words.toolBar }).getByRole('button', { name: words.toolLeave }).click();
        await page.getByRole('button', { name: words.history }).click();
        await page.getByLabel(HISTORY[lang].validOn).fill('2020-06-30');
        await page.getByLabel(HISTORY[lang].validOn).press('Enter');
        await expect(page.getByRole('button', { name: words.showAll })).toBeVisible();
        await expect(page.locator('.revision').first()).toBeVisible();
      },
    ],
    [
      'form of a feature',
      async () => {
        await page.getByRole('button', { name: words.showAll }).click();
        await expect(page.getByRole('button', { name: words.showAll })).toHaveCount(0);
        await page.getByRole('button', { name: words.close }).click();
        await page.getByRole('button', { name: words.editing }).click();
        await page.getByLabel(EDIT[lang].token).fill(TOKEN);
        await page.getByRole('button', { name: EDIT[lang].enter }).click();
        await expect(page.getByText(EDIT[lang].entered)).toBeVisible();
        await clickMap([0, 0]);
        await page.locator('.chosen').getByRole('button', { name: words.edit, exact: true }).click();
        await page.getByRole('button', { name: EDIT[lang].move }).click();
        await expect(page.getByRole('group', { name: EDIT[lang].corners })).toBeVisible();
      },
    ],
    [
      'trouble',
      async () => {
        await page.getByRole('form', { name: words.edit }).getByRole('button', { name: EDIT[lang].cancel }).click();
        await page.route('**/api/at*', (route) => route.fulfill({ status: 503, body: '{}' }));
        await clickMap([40, 0]);
        await expect(page.getByRole('alert').getByRole('button', { name: words.retry })).toBeVisible();
        await page.unroute('**/api/at*');
      },
    ],
    [
      'sheet of a phone',
      async () => {
        await page.setViewportSize({ width: 390, height: 780 });
        await page.getByRole('button', { name: words.sheetHeight }).click();
      },
    ],
  ];
}

const LOOKS = ['light', 'dark', 'forced colours'] as const;

/** Gives the page another look without another state. */
async function look(page: Page, name: (typeof LOOKS)[number]): Promise<void> {
  await page.emulateMedia({ forcedColors: name === 'forced colours' ? 'active' : 'none' });
  await page.evaluate(
    (theme) => {
      document.documentElement.dataset.theme = theme;
    },
    name === 'dark' ? 'dark' : 'light',
  );
}

for (const lang of ['vi', 'en'] as const) {
  // The looks have the same colours in both languages.
  const looks = lang === 'vi' ? LOOKS : (['light'] as const);
  test(`axe objects to nothing, in ${lang}`, async ({ page, request, watched }) => {
    test.setTimeout(600_000);
    // Colours that change by and by would be judged halfway.
    await page.emulateMedia({ reducedMotion: 'reduce' });
    const { point } = await knownParcel(request);
    const off = 'buildings,addresses,street_lights,drainage,power_lines,hydrants,roads,water,places,schools';
    await page.goto(`/#map=18/${point[1]}/${point[0]}&off=${off}&lang=${lang}&theme=light`);
    // The states need the layers and the map, but not its last tile.
    await expect(page.locator('[id^="show-"]').first()).toBeVisible();
    await page.waitForFunction(() => 'citymap' in window);
    for (const [name, reach] of states(page, request, lang)) {
      await test.step(name, async () => {
        await reach();
        for (const shown of looks) {
          await look(page, shown);
          expect.soft(await violations(page), `${name}, ${shown}`).toEqual([]);
        }
        await look(page, 'light');
      });
    }
    // The browser reports the answer that this test made up.
    expect(watched.every((line) => line.includes('503') && line.includes('/api/at'))).toBe(true);
    watched.length = 0;
  });
}
