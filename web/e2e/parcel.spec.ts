/** What the card of a parcel says about plans and rights-of-way. */
import { devices } from '@playwright/test';
import type { ParcelReport } from '../src/parcel/report';
import { expect, knownParcel, LIGHT, open, serious, test } from './page';

/** A figure in m² as the page writes it: 1.234,5 m². */
const squareMetres = (value: number, locale = 'vi-VN') =>
  `${new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value)} m²`;

test('the card says what is planned on the parcel, as the interface does, in both languages', async ({
  page,
  request,
}) => {
  const { layer, feature, point } = await knownParcel(request);
  // Draws all of the map twice, in software.
  test.setTimeout(180_000);
  const path = `/api/parcels/${encodeURIComponent(String(feature.id))}/report`;
  const report = (await (await request.get(path)).json()) as ParcelReport;
  expect(report.plans.status).toBe('touched');
  const first = report.plans.pieces.find((piece) => piece.prevailing.area > 0.5)!;
  const hash = `#map=19/${point[1]}/${point[0]}${LIGHT}&at=${point.join(',')}&sel=${layer.id}:${feature.id}`;
  await open(page, hash);
  const planned = page.getByRole('region', { name: 'Quy hoạch trên thửa đất' });
  const row = planned.locator(`tr[data-zone="${first.id}"]`);
  await expect(row.getByRole('rowheader')).toContainText(first.function!.title!.vi);
  await expect(row.getByRole('rowheader')).toContainText(first.decision!);
  await expect(row).toContainText(squareMetres(first.prevailing.area));
  const replaced = report.plans.pieces.filter((piece) => piece.prevailing.area === 0);
  if (replaced.length > 0) {
    await planned.getByText(/Không áp dụng trên thửa này/).click();
    await expect(planned.getByText('được ưu tiên áp dụng').first()).toBeVisible();
  }
  await expect(planned).toContainText(report.rightOfWay.status === 'touched' ? 'nằm trong lộ giới' : 'lộ giới');
  expect(await serious(page)).toEqual([]);
  const full = planned.getByRole('link', { name: 'Thông tin đầy đủ' });
  const answer = await request.get((await full.getAttribute('href'))!);
  expect(answer.ok()).toBe(true);
  expect(await answer.text()).toContain('Thông tin quy hoạch của thửa đất');
  await page.getByRole('button', { name: 'English' }).click();
  const english = page.getByRole('region', { name: 'Planned on this parcel' });
  await expect(english.locator(`tr[data-zone="${first.id}"]`)).toContainText(first.function!.title!.en);
  await expect(english).toContainText(squareMetres(first.prevailing.area, 'en-GB'));
});

test('a report that fails says so and can be asked for again', async ({ page, request, watched }) => {
  const { layer, feature, point } = await knownParcel(request);
  await page.route('**/api/parcels/**', (route) => route.abort());
  await open(page, `#map=19/${point[1]}/${point[0]}${LIGHT}&at=${point.join(',')}&sel=${layer.id}:${feature.id}`);
  const planned = page.getByRole('region', { name: 'Quy hoạch trên thửa đất' });
  await expect(planned.getByRole('alert')).toContainText('Không lấy được thông tin quy hoạch của thửa đất');
  await page.unroute('**/api/parcels/**');
  await planned.getByRole('button').first().click();
  await expect(planned.locator('[data-planned]')).toBeVisible();
  watched.splice(0, watched.length, ...watched.filter((line) => !line.includes('/api/parcels/')));
});

test.describe('on a phone', () => {
  const { viewport, userAgent, hasTouch, isMobile, deviceScaleFactor } = devices['Pixel 7'];
  test.use({ viewport, userAgent, hasTouch, isMobile, deviceScaleFactor });

  test('the table of plans fits', async ({ page, request }) => {
    const { layer, feature, point } = await knownParcel(request);
    await open(page, `#map=19/${point[1]}/${point[0]}${LIGHT}&at=${point.join(',')}&sel=${layer.id}:${feature.id}`);
    const table = page.locator('[data-planned]');
    await expect(table).toBeVisible();
    const { width, scroll } = await table.evaluate((own) => ({
      width: own.parentElement!.clientWidth,
      scroll: own.scrollWidth,
    }));
    expect(scroll).toBeLessThanOrEqual(width);
  });
});
