/**
 * Days and times as people type them. Both languages of the page write the day first: 31/01/2026 14:30. Inside, a day is
 * `2026-01-31` and a time `2026-01-31T14:30:00`, on the city's clocks.
 */
import type { Lang } from '../lib/i18n';

export type DayKind = 'date' | 'datetime';

const vi = {
  dayForm: 'ngày/tháng/năm',
  timeForm: 'ngày/tháng/năm giờ:phút',
  day: 'Ngày/tháng/năm, ví dụ 31/01/2026',
  time: 'Ngày/tháng/năm giờ:phút, ví dụ 31/01/2026 14:30',
  wrongDay: 'Hãy nhập một ngày có thật theo dạng ngày/tháng/năm, ví dụ 31/01/2026.',
  wrongTime: 'Hãy nhập một thời điểm có thật theo dạng ngày/tháng/năm giờ:phút, ví dụ 31/01/2026 14:30.',
  choose: 'Chọn trên lịch',
};

export const DAY_WORDS: Record<Lang, typeof vi> = {
  vi,
  en: {
    dayForm: 'day/month/year',
    timeForm: 'day/month/year hour:minute',
    day: 'Day/month/year, for example 31/01/2026',
    time: 'Day/month/year hour:minute, for example 31/01/2026 14:30',
    wrongDay: 'Enter a day that exists, written as day/month/year, for example 31/01/2026.',
    wrongTime: 'Enter a time that exists, written as day/month/year hour:minute, for example 31/01/2026 14:30.',
    choose: 'Choose from a calendar',
  },
};

const TIME = /(?:[\sT,]+(\d{1,2})[:h](\d{2})(?::(\d{2}))?)?$/.source;
/** 31/01/2026, 31-1-2026, 31.1.2026, 31 1 2026, 31012026: the day first. */
const TYPED = new RegExp(`^(\\d{1,2})[/.\\s-]?(\\d{1,2})[/.\\s-]?(\\d{4})${TIME}`);
/** 2026-01-31: as data and other software write it. */
const SORTED = new RegExp(`^(\\d{4})-(\\d{1,2})-(\\d{1,2})${TIME}`);

const two = (number: string | undefined) => (number ?? '0').padStart(2, '0');

/** A day or time as the field shows it; any other text as it is. */
export function dayText(value: string): string {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}:\d{2})(:\d{2})?)?/.exec(value);
  if (!match) return value;
  const [, year, month, day, time, seconds = ':00'] = match;
  return `${day}/${month}/${year}${time ? ` ${time}${seconds === ':00' ? '' : seconds}` : ''}`;
}

/** The day or time that a typed text stands for; `null` if there is no such day, or the text is something else. */
export function readDay(text: string, kind: DayKind): string | null {
  const plain = text.trim();
  const sorted = SORTED.exec(plain);
  const match = sorted ?? TYPED.exec(plain);
  if (!match) return null;
  const [year, month, day] = sorted ? [match[1], match[2], match[3]] : [match[3], match[2], match[1]];
  const clock = match[4] === undefined ? undefined : `${two(match[4])}:${two(match[5])}:${two(match[6])}`;
  if (kind === 'date' && clock !== undefined) return null;
  const value = `${year}-${two(month)}-${two(day)}`;
  const instant = new Date(`${value}T${clock ?? '00:00:00'}Z`);
  // 31/02/2026 would be a day of March.
  if (Number.isNaN(instant.getTime()) || !instant.toISOString().startsWith(value)) return null;
  return kind === 'date' ? value : `${value}T${clock ?? '00:00:00'}`;
}
