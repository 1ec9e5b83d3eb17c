/** Editing with a token, and everything that can go wrong. */
import type { Page } from '@playwright/test';
import type { Feature } from '../src/lib/api';
import {
  CORE,
  expect,
  idle,
  knownParcel,
  layers,
  open,
  patchFeature,
  pixel,
  plainField,
  serious,
  TOKEN,
  test,
} from './page';

const [LON, LAT] = CORE;
const QUIET = '&off=buildings,addresses,street_lights,zones,hydrants';

/** Enters the token as a writer does. */
async function enter(page: Page, token = TOKEN): Promise<void> {
  await page.getByRole('tab', { name: 'Công cụ' }).click();
  await page.getByRole('button', { name: 'Chỉnh sửa dữ liệu' }).click();
  await page.getByLabel('Mã quyền chỉnh sửa').fill(token);
  await page.getByRole('button', { name: 'Dùng mã này' }).click();
}

const fieldTitle = (layer: { citymap: { fields: { name: string; title?: { vi: string } | null }[] } }, name: string) =>
  layer.citymap.fields.find((own) => own.name === name)?.title?.vi || name;

test('values are edited with a token, and reported as saved only when they are', async ({ page, request }) => {
  const { layer, feature, point } = await knownParcel(request);
  const field = plainField(layer);
  await open(page, `#map=19/${point[1]}/${point[0]}${QUIET}&at=${point.join(',')}&sel=${layer.id}:${feature.id}`);
  const card = page.locator('.chosen');
  await expect(card).toBeVisible();
  await expect(card.getByRole('button', { name: 'Sửa', exact: true }), 'not without a token').toHaveCount(0);
  await enter(page);
  await page.getByRole('tab', { name: /Đang chọn/ }).click();
  await card.getByRole('button', { name: 'Sửa', exact: true }).click();
  const form = page.getByRole('form', { name: 'Sửa' });
  const text = `Sửa trên trang ${Date.now()}`;
  await form.getByLabel(fieldTitle(layer, field)).fill(text);
  await form.getByLabel(/Lý do/).fill('kiểm thử');
  expect(await serious(page)).toEqual([]);
  // Unsaved work holds the page where it is.
  const nextTo = await pixel(page, [point[0] + 0.0003, point[1]]);
  await page.mouse.click(nextTo.x, nextTo.y);
  await expect(page.getByText(/thay đổi chưa lưu/)).toBeVisible();
  await form.getByRole('button', { name: 'Lưu' }).click();
  await expect(page.getByText('Đã lưu.').or(page.getByText(/Vừa cập nhật/))).toBeVisible();
  await expect(form).toHaveCount(0);
  await expect(card).toContainText(text);
  const path = `/api/collections/${layer.id}/items/${encodeURIComponent(String(feature.id))}`;
  expect(((await (await request.get(path)).json()) as Feature).properties[field]).toBe(text);
});

test('a change by somebody else in the meantime is shown, and may be overwritten', async ({
  page,
  request,
  watched,
}) => {
  const { layer, feature, point } = await knownParcel(request);
  const field = plainField(layer);
  await open(page, `#map=19/${point[1]}/${point[0]}${QUIET}&at=${point.join(',')}&sel=${layer.id}:${feature.id}`);
  await enter(page);
  await page.getByRole('tab', { name: /Đang chọn/ }).click();
  await page.locator('.chosen').getByRole('button', { name: 'Sửa', exact: true }).click();
  const form = page.getByRole('form', { name: 'Sửa' });
  const [mine, theirs] = [`Của tôi ${Date.now()}`, `Của người khác ${Date.now()}`];
  await form.getByLabel(fieldTitle(layer, field)).fill(mine);
  await patchFeature(request, layer, feature, { properties: { [field]: theirs } });
  await form.getByRole('button', { name: 'Lưu' }).click();
  await expect(form.getByText(/người khác đã thay đổi/)).toBeVisible();
  const row = form.getByRole('row').filter({ hasText: theirs });
  await expect(row).toContainText(mine);
  expect(await serious(page)).toEqual([]);
  await form.getByRole('button', { name: /Ghi đè/ }).click();
  await expect(form).toHaveCount(0);
  await expect(page.locator('.chosen')).toContainText(mine);
  expect(watched.every((line) => line.includes('412'))).toBe(true);
  watched.length = 0;
});

test('a wrong token is refused when it is entered', async ({ page }) => {
  await open(page, `#map=19/${LAT}/${LON}${QUIET}`);
  await enter(page, 'not-a-token-that-anybody-has');
  await expect(page.getByRole('alert').filter({ hasText: 'Máy chủ không chấp nhận mã này' })).toBeVisible();
  await expect(page.getByLabel('Mã quyền chỉnh sửa')).toHaveAttribute('aria-invalid', 'true');
  await page.getByLabel('Mã quyền chỉnh sửa').fill(TOKEN);
  await page.getByRole('button', { name: 'Dùng mã này' }).click();
  await expect(page.getByText(/Đã có mã quyền chỉnh sửa/)).toBeVisible();
});

test('a token that no longer holds is reported, the changes are kept, and another token helps', async ({
  page,
  request,
  watched,
}) => {
  const { layer, feature, point } = await knownParcel(request);
  const field = plainField(layer);
  await page.addInitScript(() => sessionStorage.setItem('citymap-writer', 'a-token-that-was-withdrawn'));
  await open(page, `#map=19/${point[1]}/${point[0]}${QUIET}&at=${point.join(',')}&sel=${layer.id}:${feature.id}`);
  await page.getByRole('tab', { name: /Đang chọn/ }).click();
  await page.locator('.chosen').getByRole('button', { name: 'Sửa', exact: true }).click();
  const form = page.getByRole('form', { name: 'Sửa' });
  const text = `Giữ lại ${Date.now()}`;
  await form.getByLabel(fieldTitle(layer, field)).fill(text);
  await form.getByRole('button', { name: 'Lưu' }).click();
  await expect(form.getByText(/không chấp nhận mã quyền chỉnh sửa này/)).toBeVisible();
  await expect(form.getByLabel(fieldTitle(layer, field))).toHaveValue(text);
  await page
    .getByRole('tabpanel', { name: /Đang chọn/ })
    .getByLabel('Mã quyền chỉnh sửa')
    .fill(TOKEN);
  await page
    .getByRole('tabpanel', { name: /Đang chọn/ })
    .getByRole('button', { name: 'Dùng mã này' })
    .click();
  await form.getByRole('button', { name: 'Lưu' }).click();
  await expect(page.locator('.chosen')).toContainText(text);
  expect(watched.every((line) => line.includes('401'))).toBe(true);
  watched.length = 0;
});

test('a point is added by keyboard alone, moved by dragging, and deleted after a question', async ({
  page,
  request,
}) => {
  const layer = (await layers(request, 'utility')).find(({ citymap }) => citymap.geometry === 'point')!;
  const text = `e2e-${Date.now()}`;
  const { fields, key } = layer.citymap;
  // A key, where the layer has one, must be new; any other text will do for the rest.
  const field = key ?? fields.find(({ type, codeList }) => type === 'text' && !codeList)!.name;
  await open(page, `#map=19/${LAT}/${LON}&off=parcels,buildings,addresses,zones,roads`);
  await enter(page);
  await page.getByRole('combobox', { name: 'Lớp dữ liệu' }).selectOption(layer.id);
  await page.getByRole('button', { name: 'Vẽ trên bản đồ' }).press('Enter');
  await expect(page.locator('canvas.maplibregl-canvas')).toBeFocused();
  await page.keyboard.press('Enter');
  const panel = page.getByRole('tabpanel', { name: 'Công cụ' });
  await panel.getByLabel(fieldTitle(layer, field)).fill(text);
  await panel.getByRole('button', { name: 'Lưu' }).press('Enter');
  const card = page.locator('.chosen');
  await expect(card).toContainText(text);
  await expect(page).toHaveURL(new RegExp(`sel=${layer.id}:`));
  const id = new URLSearchParams(new URL(page.url()).hash.slice(1)).get('sel')!.split(':')[1]!;
  const path = `/api/collections/${layer.id}/items/${id}`;
  const before = ((await (await request.get(path)).json()) as { geometry: GeoJSON.Point }).geometry.coordinates;
  await card.getByRole('button', { name: 'Sửa', exact: true }).click();
  const form = page.getByRole('form', { name: 'Sửa' });
  await form.getByRole('button', { name: 'Sửa hình dạng' }).click();
  await expect(form.getByText('Đỉnh 1 / 1')).toBeVisible();
  const from = await pixel(page, before as [number, number]);
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(from.x + 40, from.y + 30, { steps: 4 });
  await page.mouse.up();
  const east = form.getByLabel(/Y \(đông/);
  const dragged = Number((await east.inputValue()).replace(',', '.'));
  await east.fill((dragged + 1).toFixed(3).replace('.', ','));
  await east.press('Tab');
  await form.getByRole('button', { name: 'Lưu' }).click();
  await expect(form).toHaveCount(0);
  const after = ((await (await request.get(path)).json()) as { geometry: GeoJSON.Point }).geometry.coordinates;
  const metres = (after[0]! - before[0]!) * 109_350;
  // 40 pixels at z19 are 5.8 m here; and one more was typed.
  expect(Math.abs(metres - 6.8)).toBeLessThan(0.6);
  await idle(page);
  await card.getByRole('button', { name: 'Sửa', exact: true }).click();
  await form.getByRole('button', { name: 'Xóa đối tượng' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Xóa “');
  expect(await serious(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(form, 'Escape leaves the question, not the form').toBeVisible();
  await form.getByRole('button', { name: 'Xóa đối tượng' }).click();
  await dialog.getByRole('button', { name: 'Xóa', exact: true }).click();
  await expect(card).toHaveCount(0);
  await expect.poll(async () => (await request.get(path)).status()).toBe(404);
});
