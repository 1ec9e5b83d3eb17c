/** Former states of the data, and versions of a feature. */
import {
  CORE,
  drawnValue,
  expect,
  idle,
  knownParcel,
  open,
  patchFeature,
  plainField,
  serious,
  TOKEN,
  test,
} from './page';

const [LON, LAT] = CORE;
const QUIET = '&off=buildings,addresses,street_lights,zones,hydrants';

test('a former revision is shown by map, panel and address, and the way back leads to the present', async ({
  page,
  request,
}) => {
  // Four times all of the map, drawn in software.
  test.setTimeout(240_000);
  const { layer, feature, point } = await knownParcel(request);
  const field = plainField(layer);
  const [old, now] = [`Giá trị cũ ${Date.now()}`, `Giá trị mới ${Date.now()}`];
  const former = await patchFeature(request, layer, feature, { properties: { [field]: old } }, 'Lần sửa thứ nhất');
  await patchFeature(request, layer, feature, { properties: { [field]: now } }, 'Lần sửa thứ hai');
  await open(page, `#map=18/${point[1]}/${point[0]}${QUIET}&at=${point.join(',')}&sel=${layer.id}:${feature.id}`);
  const card = page.locator('.chosen');
  await expect(card).toContainText(now);
  await page.getByRole('tab', { name: 'Công cụ' }).click();
  await page.getByRole('button', { name: 'Lịch sử', exact: true }).click();
  const list = page.getByRole('listitem').getByRole('button');
  await expect(list.first()).toContainText('Lần sửa thứ hai');
  await expect(list.first()).toHaveAttribute('aria-current', 'true');
  await expect(list.nth(1)).toContainText('sửa 1');
  expect(await serious(page)).toEqual([]);
  const asked: string[] = [];
  page.on('request', (own) => {
    const { pathname, search } = new URL(own.url());
    if (/^\/(tiles|api\/(at|near|within|collections))/.test(pathname)) asked.push(`${pathname}${search}`);
  });
  await list.nth(1).click();
  const banner = page.getByRole('region', { name: 'Thời điểm đang xem' }).filter({ hasText: 'Dữ liệu tại thời điểm' });
  await expect(banner).toContainText('Lần sửa thứ nhất');
  await idle(page);
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter((url) => !url.includes(`revision=${former}`))).toEqual([]);
  await expect.poll(() => drawnValue(page, layer.id, point, field)).toBe(old);
  await expect(page).toHaveURL(new RegExp(`rev=${former}`));
  await page.getByRole('tab', { name: /Đang chọn/ }).click();
  await expect(card).toContainText(old);
  expect(await serious(page)).toEqual([]);
  // The address alone leads to the same.
  await page.reload();
  await idle(page);
  await expect(banner).toBeVisible();
  await expect(card).toContainText(old);
  await page.getByRole('button', { name: 'Về hiện tại' }).click();
  await expect(banner).toHaveCount(0);
  await expect(card).toContainText(now);
  await expect(page).not.toHaveURL(/rev=/);
  await expect.poll(() => drawnValue(page, layer.id, point, field)).toBe(now);
  await page.goBack();
  await expect(banner).toBeVisible();
});

test('a feature lists its versions, with values side by side and its former shape', async ({ page, request }) => {
  const { layer, feature, point } = await knownParcel(request);
  const field = plainField(layer);
  const path = `/api/collections/${layer.id}/items/${encodeURIComponent(String(feature.id))}`;
  const present = (await (await request.get(path)).json()) as GeoJSON.Feature<GeoJSON.Polygon>;
  const shifted = structuredClone(present.geometry);
  shifted.coordinates = JSON.parse(
    JSON.stringify(shifted.coordinates).replace(
      /\[(-?\d+\.\d+),(-?\d+\.\d+)\]/g,
      (_, x, y) => `[${Number(x) + 1e-6},${y}]`,
    ),
  );
  const [one, other] = [`Trước ${Date.now()}`, `Sau ${Date.now()}`];
  await patchFeature(request, layer, feature, { properties: { [field]: one } });
  await patchFeature(request, layer, feature, { properties: { [field]: other }, geometry: shifted });
  await open(page, `#map=19/${point[1]}/${point[0]}${QUIET}&at=${point.join(',')}&sel=${layer.id}:${feature.id}`);
  const card = page.locator('.chosen');
  await card.getByRole('button', { name: 'Lịch sử' }).click();
  const row = card.getByRole('row').filter({ hasText: other }).first();
  await expect(row.getByRole('cell').nth(0)).toHaveText(one);
  await expect(row.getByRole('cell').nth(1)).toHaveText(other);
  await card.getByRole('button', { name: 'Hiện hình dạng trước đó' }).first().click();
  const former = () =>
    page.evaluate(() => {
      const { map } = (
        window as unknown as {
          citymap: { map: { getStyle: () => { sources: Record<string, { data: GeoJSON.FeatureCollection }> } } };
        }
      ).citymap;
      return map
        .getStyle()
        .sources['citymap-selection']!.data.features.filter((own) => own.properties?.part === 'former')
        .map((own) => own.geometry);
    });
  await expect.poll(async () => (await former()).length).toBe(1);
  expect((await former())[0]).toEqual(present.geometry);
  expect(await serious(page)).toEqual([]);
});

test('who may write sees who has changed a feature, and others do not', async ({ page, request }) => {
  const { layer, feature, point } = await knownParcel(request);
  await patchFeature(request, layer, feature, { properties: { [plainField(layer)]: `Của ai ${Date.now()}` } });
  const hash = `#map=19/${point[1]}/${point[0]}${QUIET}&at=${point.join(',')}&sel=${layer.id}:${feature.id}`;
  await open(page, hash);
  const card = page.locator('.chosen');
  await card.getByRole('button', { name: 'Lịch sử' }).click();
  await expect(card.getByText(/^\d\d\/\d\d\/\d{4} \d\d:\d\d|^\d\d:\d\d \d\d\/\d\d\/\d{4}/).first()).toBeVisible();
  await expect(card.getByText(/Người thực hiện/)).toHaveCount(0);
  await page.evaluate((token) => sessionStorage.setItem('citymap-writer', token), TOKEN);
  await page.reload();
  await idle(page);
  await card.getByRole('button', { name: 'Lịch sử' }).click();
  await expect(card.getByText('Người thực hiện: e2e').first()).toBeVisible();
  await page.getByRole('tab', { name: 'Công cụ' }).click();
  await page.getByRole('button', { name: 'Lịch sử', exact: true }).click();
  const pane = page.getByRole('tabpanel', { name: 'Công cụ' });
  await expect(pane.getByText('Người thực hiện: e2e').first()).toBeVisible();
  await page.getByLabel('Dữ liệu đã ghi nhận đến hết ngày').fill('2026-01-31');
  await expect(page.getByText('Ngày 31/01/2026')).toBeVisible();
  expect(await serious(page)).toEqual([]);
});

test.describe('a day', () => {
  test.use({ locale: 'en-US' });
  test('is typed as the page writes it, whatever the language of the browser', async ({ page }) => {
    // The map itself does not matter.
    await page.goto(`/#map=17/${LAT}/${LON}${QUIET}`);
    await page.getByRole('tab', { name: 'Công cụ' }).click();
    await page.getByRole('button', { name: 'Lịch sử', exact: true }).click();
    const field = page.getByLabel('Chỉ hiện đối tượng có hiệu lực vào ngày');
    await field.fill('31/02/2020');
    await field.press('Tab');
    await expect(page.getByText(/Hãy nhập một ngày có thật/)).toBeVisible();
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await field.press('Enter');
    await expect(page.locator('.banner')).toHaveCount(0);
    expect(await serious(page)).toEqual([]);
    await field.fill('3.7.2020');
    await field.press('Tab');
    await expect(field).toHaveValue('03/07/2020');
    await expect(page.getByText(/Hãy nhập một ngày có thật/)).toHaveCount(0);
    await expect(page.locator('input[type=date]').last()).toHaveValue('2020-07-03');
    // The keyboard goes from the field to its calendar, and to the button that shows the map of the day.
    await expect(page.getByRole('button', { name: 'Chọn trên lịch' }).last()).toBeFocused();
    await page.locator('input[type=date]').last().fill('2020-06-30');
    await expect(field).toHaveValue('30/06/2020');
    await field.press('Enter');
    await expect(page.locator('.banner')).toContainText('Có hiệu lực ngày 30/06/2020');
  });
});

test('a revision that does not exist is reported, and the present is shown', async ({ page, watched }) => {
  const said = page.getByText(/Không xem được dữ liệu tại thời điểm này/).waitFor();
  await open(page, `#map=17/${LAT}/${LON}${QUIET}&rev=999999`);
  await said;
  await expect(page.getByText('Dữ liệu tại thời điểm')).toHaveCount(0);
  await expect(page).not.toHaveURL(/rev=/);
  // The browser itself reports the refusal.
  expect(watched.every((line) => line.includes('400'))).toBe(true);
  watched.length = 0;
});

test('a day of validity is part of every request and tile, and of the address', async ({ page, request }) => {
  const { layer, point } = await knownParcel(request);
  await open(page, `#map=18/${point[1]}/${point[0]}${QUIET}&at=${point.join(',')}`);
  await page.getByRole('tab', { name: 'Công cụ' }).click();
  await page.getByRole('button', { name: 'Lịch sử', exact: true }).click();
  const asked: string[] = [];
  page.on('request', (own) => {
    const { pathname, search } = new URL(own.url());
    if (/^\/(tiles|api\/(at|near|within))/.test(pathname)) asked.push(`${pathname}${search}`);
  });
  await page.getByLabel('Chỉ hiện đối tượng có hiệu lực vào ngày').fill('2020-06-30');
  await page.getByRole('button', { name: 'Xem', exact: true }).last().click();
  await expect(page.locator('.banner')).toContainText('Có hiệu lực ngày 30/06/2020');
  await expect(page).toHaveURL(/valid=2020-06-30/);
  await idle(page);
  await expect
    .poll(() => asked.filter((url) => url.split('/')[2]?.split(',').includes(layer.id)).length)
    .toBeGreaterThan(0);
  expect(asked.some((url) => url.startsWith('/api/at'))).toBe(true);
  expect(asked.filter((url) => !url.includes('datetime=2020-06-30'))).toEqual([]);
  await page.getByRole('button', { name: 'Bỏ lọc theo ngày' }).click();
  await expect(page).not.toHaveURL(/valid=/);
});
