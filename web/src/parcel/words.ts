/** The texts about a parcel's plans, which the browser fetches with the part of the card that shows them. */
import type { Lang } from '../lib/i18n';

const vi = {
  planned: 'Quy hoạch trên thửa đất',
  function: 'Chức năng',
  area: 'Diện tích',
  share: 'Tỷ lệ',
  decision: (number: string, date: string) => (date ? `${number} ngày ${date}` : number),
  noFunction: 'Chưa có chức năng',
  uncovered: 'Chưa có quy hoạch',
  replaced: 'Không áp dụng trên thửa này',
  replacedBy: (names: string) => `${names} được ưu tiên áp dụng`,
  sliver: (area: string) => `Phần chồng lấn không quá ${area}: có thể do ranh giới không khớp.`,
  overlapping: (area: string) => `Các ô cùng cấp chồng lên nhau ${area}; quyết định sau được áp dụng.`,
  none: 'Không có ô quy hoạch nào trên thửa đất này.',
  noData: 'Chưa có dữ liệu quy hoạch.',
  rightOfWay: 'Lộ giới',
  cut: (area: string, share: string) => `${area} (${share}) nằm trong lộ giới`,
  remaining: (area: string) => `Còn lại ${area}`,
  ofRoad: (road: string, width: string) => `${road}: lộ giới ${width}`,
  notCut: 'Không bị lộ giới cắt qua.',
  noWidths: 'Chưa có dữ liệu lộ giới.',
  rightOfWayNote: 'Tính từ tim đường và bề rộng lộ giới; ranh mốc ngoài thực địa có giá trị quyết định.',
  full: 'Thông tin đầy đủ',
  pdf: 'Bản PDF (A4)',
  failed: 'Không lấy được thông tin quy hoạch của thửa đất.',
};

export type ParcelWords = typeof vi;

const en: ParcelWords = {
  planned: 'Planned on this parcel',
  function: 'Land function',
  area: 'Area',
  share: 'Share',
  decision: (number, date) => (date ? `${number}, ${date}` : number),
  noFunction: 'No function given',
  uncovered: 'No plan',
  replaced: 'Not in force on this parcel',
  replacedBy: (names) => `${names} takes precedence`,
  sliver: (area) => `Overlap of ${area} or less: the boundaries may not match exactly.`,
  overlapping: (area) => `Zones of the same level overlap by ${area}; the later decision applies.`,
  none: 'No planning zone covers this parcel.',
  noData: 'There is no planning data.',
  rightOfWay: 'Right-of-way',
  cut: (area, share) => `${area} (${share}) within the right-of-way`,
  remaining: (area) => `${area} remains`,
  ofRoad: (road, width) => `${road}: ${width} wide`,
  notCut: 'No right-of-way crosses this parcel.',
  noWidths: 'There is no right-of-way data.',
  rightOfWayNote: 'Computed from road centre lines and right-of-way widths; boundary markers on site are decisive.',
  full: 'Full details',
  pdf: 'PDF (A4)',
  failed: 'The planning information of this parcel could not be loaded.',
};

export const PARCEL_WORDS: Record<Lang, ParcelWords> = { vi, en };
