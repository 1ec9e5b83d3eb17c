/** The texts of printing, which the browser fetches when somebody opens it. */
import type { Lang } from '../lib/i18n';

const vi = {
  about: 'Khung trên bản đồ là phần sẽ được in, đúng tỷ lệ. Di chuyển bản đồ để đổi vị trí khung.',
  title: 'Tiêu đề',
  titleHint: 'để trống: theo kiểu bản đồ',
  style: 'Kiểu bản đồ',
  paper: 'Khổ giấy',
  orientation: 'Hướng giấy',
  orientations: { portrait: 'Dọc', landscape: 'Ngang' } as Record<string, string>,
  scale: 'Tỷ lệ',
  turned: 'Xoay theo hướng của bản đồ',
  outlined: (id: string) => `Tô viền thửa đang chọn (${id})`,
  size: (width: string, height: string) => `Vùng in: ${width} × ${height} m`,
  outside: 'Tâm bản đồ nằm ngoài phạm vi của hệ tọa độ VN-2000. Hãy di chuyển bản đồ về thành phố.',
  fit: 'Đưa khung vào tầm nhìn',
  print: 'Tạo tệp PDF',
  printing: 'Đang tạo tệp PDF…',
  stop: 'Dừng',
  done: 'Đã tạo tệp PDF.',
  open: 'Mở tệp PDF',
  advice: 'Khi in, chọn “Kích thước thực” (100%) để giữ đúng tỷ lệ.',
  failed: 'Không in được.',
};

const en: typeof vi = {
  about: 'The frame on the map is what is printed, at its true scale. Move the map to move the frame.',
  title: 'Title',
  titleHint: 'empty: that of the map style',
  style: 'Map style',
  paper: 'Paper',
  orientation: 'Orientation',
  orientations: { portrait: 'Portrait', landscape: 'Landscape' },
  scale: 'Scale',
  turned: 'Turn with the map',
  outlined: (id: string) => `Outline the selected parcel (${id})`,
  size: (width: string, height: string) => `Printed area: ${width} × ${height} m`,
  outside: 'The middle of the map is outside the area of the VN-2000 grid. Move the map to the city.',
  fit: 'Bring the frame into view',
  print: 'Make the PDF file',
  printing: 'Making the PDF file…',
  stop: 'Stop',
  done: 'The PDF file is ready.',
  open: 'Open the PDF file',
  advice: 'Print at “actual size” (100%) to keep the scale.',
  failed: 'The map cannot be printed.',
};

export const PRINT: Record<Lang, typeof vi> = { vi, en };
