/** The texts of the statistics, which the browser fetches when somebody opens them. */
import type { Field } from '../lib/api';
import { fieldValue } from '../lib/format';
import type { Lang } from '../lib/i18n';

const vi = {
  area: 'Diện tích vùng',
  areaIs: (name: string) => `Vùng: ${name}`,
  layer: 'Lớp, phân loại',
  count: 'Số lượng',
  whole: 'Nằm trọn',
  size: 'Trong vùng',
  sizeFull: 'Toàn bộ',
  full: 'Tính cả phần nằm ngoài vùng',
  overlapping: 'chồng lấn',
  note: 'Số lượng: có phần trong vùng. Nằm trọn: nằm hoàn toàn trong vùng. Diện tích, chiều dài: của phần nằm trong vùng; tỷ lệ: so với diện tích vùng.',
  noteFull: 'Diện tích, chiều dài: của toàn bộ các đối tượng, kể cả phần nằm ngoài vùng.',
  noteOverlap:
    'Các cấp quy hoạch chồng lên nhau nên được tính riêng từng cấp. “Chồng lấn”: các đối tượng phủ lên nhau, tổng không phải là diện tích.',
  touching: (count: string) => `${count} chỉ chạm ranh`,
  none: 'Không có trong vùng',
  failed: 'Không lấy được thống kê; vùng đã chọn vẫn còn.',
  undivided: 'Máy chủ không chia được theo phân loại trong vùng này; hãy chọn vùng nhỏ hơn.',
  csv: 'Tải bảng (CSV)',
  noValue: '(không ghi)',
  list: 'Danh sách',
  listOf: (name: string) => `Danh sách đối tượng: ${name}`,
  listed: (shown: string, all: string) => `${shown} trong ${all} đối tượng`,
  more: 'Xem thêm',
  closeList: 'Đóng danh sách',
  exportCsv: 'Tải CSV',
  exportGeoJson: 'Tải GeoJSON',
  exporting: (done: string) => `Đang lấy dữ liệu… ${done}`,
  cut: (max: string) => `Chỉ tải ${max} đối tượng đầu tiên. Hãy chọn vùng nhỏ hơn để có đủ.`,
  exportFailed: 'Không tải được dữ liệu.',
  of: (inside: string, all: string) => `${inside} trong ${all}`,
  yes: 'có',
  no: 'không',
  columns: {
    layer: 'Lớp',
    field: 'Phân loại theo',
    value: 'Giá trị',
    id: 'Mã đối tượng',
    whole: 'Nằm trọn',
    figures: [
      'Số lượng',
      'Nằm trọn',
      'Diện tích trong vùng (m²)',
      'Tỷ lệ diện tích vùng (%)',
      'Diện tích toàn bộ (m²)',
      'Chiều dài trong vùng (m)',
      'Chiều dài toàn bộ (m)',
    ],
    method: 'Cách tính',
    dataDate: 'Dữ liệu ngày',
    revision: 'Phiên bản dữ liệu',
  },
};

export type StatsWords = typeof vi;

const en: StatsWords = {
  area: 'Size of the area',
  areaIs: (name) => `Area: ${name}`,
  layer: 'Layer, class',
  count: 'Count',
  whole: 'Inside',
  size: 'In the area',
  sizeFull: 'In full',
  full: 'Include the parts outside the area',
  overlapping: 'overlapping',
  note: 'Count: features with a part in the area. Inside: features completely in it. Size: area or length of the parts in it; percentage: of the size of the area.',
  noteFull: 'Size: area or length of the features in full, with the parts outside the area.',
  noteOverlap:
    'Levels of plans overlap, so each level has figures of its own. “Overlapping”: features cover each other, and their sum is not an area.',
  touching: (count) => `${count} only touch it`,
  none: 'No features in the area',
  failed: 'The statistics could not be loaded; the area is kept.',
  undivided: 'The server could not divide this area by class; choose a smaller area.',
  csv: 'Download table (CSV)',
  noValue: '(none)',
  list: 'List',
  listOf: (name) => `List of features: ${name}`,
  listed: (shown, all) => `${shown} of ${all} features`,
  more: 'Show more',
  closeList: 'Close list',
  exportCsv: 'Download CSV',
  exportGeoJson: 'Download GeoJSON',
  exporting: (done) => `Fetching data… ${done}`,
  cut: (max) => `Only the first ${max} features were downloaded. Choose a smaller area to get all of them.`,
  exportFailed: 'The data could not be downloaded.',
  of: (inside, all) => `${inside} of ${all}`,
  yes: 'yes',
  no: 'no',
  columns: {
    layer: 'Layer',
    field: 'Divided by',
    value: 'Value',
    id: 'Feature id',
    whole: 'Inside',
    figures: [
      'Count',
      'Inside',
      'Area inside (m²)',
      'Share of the area (%)',
      'Area in full (m²)',
      'Length inside (m)',
      'Length in full (m)',
    ],
    method: 'Method',
    dataDate: 'Data as of',
    revision: 'Data version',
  },
};

export const STATISTICS: Record<Lang, StatsWords> = { vi, en };

/** A value by which features are told apart, for reading: the text of a code. */
export function valueText(value: unknown, field: Field, lang: Lang, words: StatsWords): string {
  return value === null || value === undefined || value === '' ? words.noValue : fieldValue(value, field, lang);
}
