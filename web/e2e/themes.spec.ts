/** The themes of the map: the choice, what each shows, the address, and the legend of what is drawn. */
import type { LegendGroup } from '../src/lib/styles';
import { CORE, colors, expect, idle, layers, open, serious, test } from './page';

const [LON, LAT] = CORE;
const HERE = `#map=16/${LAT}/${LON}`;

test('a theme is chosen by keyboard, shows its layers and stays in the address', async ({ page, request }) => {
  const [utility] = await layers(request, 'utility');
  await open(page, `${HERE}&off=buildings`);
  const theme = (name: string) => page.getByRole('radio', { name });
  await expect(theme('Địa chính')).toBeChecked();
  await expect(page.getByLabel('Cấp quy hoạch')).toHaveCount(0);
  await theme('Địa chính').focus();
  await page.keyboard.press('ArrowRight');
  await expect(theme('Quy hoạch')).toBeChecked();
  await expect(page).toHaveURL(/style=plan/);
  await expect(page, 'a theme is shown as it is').not.toHaveURL(/off=/);
  await expect(page.locator('#show-zones')).toBeChecked();
  await page.getByLabel('Cấp quy hoạch').selectOption({ label: 'Quy hoạch phân khu' });
  await expect(page).toHaveURL(/level=qhpk/);
  await page.reload();
  await idle(page);
  await expect(theme('Quy hoạch')).toBeChecked();
  await expect(page.getByLabel('Cấp quy hoạch')).toHaveValue('qhpk');
  await theme('Hạ tầng kỹ thuật').check({ force: true });
  await expect(page.locator(`#show-${utility!.id}`)).toBeChecked();
  await expect(page.locator('#show-zones')).not.toBeChecked();
  await expect(page).not.toHaveURL(/level=/);
  expect(await serious(page)).toEqual([]);
  await page.getByRole('button', { name: 'English' }).click();
  await expect(page.getByRole('radio', { name: 'Utilities' })).toBeChecked();
});

test('a theme never changes by itself, and one that does not exist is said', async ({ page, watched }) => {
  await open(page, `#map=13/${LAT}/${LON}&style=plan`);
  const drawn = () =>
    page.evaluate(() => {
      const { map } = (window as unknown as { citymap: { map: { getLayersOrder: () => string[] } } }).citymap;
      return map.getLayersOrder().filter((id) => /^(zones|parcels)\/fill$/.test(id));
    });
  expect(await drawn()).toEqual(['zones/fill']);
  await page.evaluate(() => {
    const { map } = (window as unknown as { citymap: { map: { setZoom: (zoom: number) => void } } }).citymap;
    map.setZoom(17);
  });
  await idle(page);
  expect(await drawn()).toEqual(['zones/fill']);
  await page.goto('about:blank');
  await open(page, `${HERE}&style=nothing&off=parcels`);
  await expect(page.getByText(/Không có chủ đề “nothing”/)).toBeVisible();
  await expect(page.getByRole('radio', { name: 'Địa chính' })).toBeChecked();
  await expect(page).not.toHaveURL(/style=/);
  // The browser itself reports the answer.
  expect(watched.every((line) => line.includes('404') && line.includes('nothing'))).toBe(true);
  watched.length = 0;
});

test('the legend has what is drawn in view, in the colours that are seen', async ({ page }) => {
  const answer = page.waitForResponse((response) => /\/legend\?.*bbox=/.test(response.url()));
  await open(page, `#map=17/${LAT}/${LON}&off=buildings,addresses,roads`);
  const { groups } = (await (await answer).json()) as { groups: LegendGroup[] };
  const { entries } = groups.find(({ collection }) => collection === 'parcels')!;
  expect(entries.length).toBeGreaterThan(1);
  const listed = page.locator('#details-parcels li');
  await expect(listed).toHaveCount(entries.length);
  for (const [at, { label }] of entries.entries()) await expect(listed.nth(at)).toContainText(label);
  const patch = await listed
    .first()
    .locator('.picture > span')
    .first()
    .evaluate((node) => getComputedStyle(node).backgroundColor);
  const [red = 0, green = 0, blue = 0] = (patch.match(/\d+/g) ?? []).map(Number);
  const hex = `#${[red, green, blue].map((value) => value.toString(16).padStart(2, '0')).join('')}`;
  const seen = await colors(page, { x: 420, y: 80, width: 760, height: 660 });
  expect(seen.get(hex) ?? 0, `${hex} is in the picture`).toBeGreaterThan(1000);
});
