/** Numbers, dates, sizes and values as people read them in the language of the page. */
import {
  type CodeEntry,
  type Collection,
  type Feature,
  type Field,
  fieldWith,
  type Meaning,
  type Measure,
  type Titles,
} from './api';
import { utcOffsetMs } from './city';
import type { Lang } from './i18n';

const LOCALE: Record<Lang, string> = { vi: 'vi-VN', en: 'en-GB' };

/** The text in `lang`, or in the other language if it is empty; `fallback` if both are. */
export function titleText(titles: Titles | null | undefined, lang: Lang, fallback = ''): string {
  const [first, second] = lang === 'en' ? [titles?.en, titles?.vi] : [titles?.vi, titles?.en];
  return first || second || fallback;
}

/** A number in the notation of the language: 1.234,5 in Vietnamese, 1,234.5 in English. */
export function number(value: number, lang: Lang, digits = 1, exact = false): string {
  return new Intl.NumberFormat(LOCALE[lang], {
    maximumFractionDigits: digits,
    minimumFractionDigits: exact ? digits : 0,
  }).format(value);
}

/** A calendar day, `2026-01-01` → 01/01/2026 (vi), 1 Jan 2026 (en); any other text stays as it is. */
export function day(text: string, lang: Lang): string {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return text;
  const date = new Date(Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])));
  const options: Intl.DateTimeFormatOptions =
    lang === 'vi'
      ? { day: '2-digit', month: '2-digit', year: 'numeric', timeZone: 'UTC' }
      : { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' };
  return new Intl.DateTimeFormat(LOCALE[lang], options).format(date);
}

/** The day of the city's clocks at an instant, `2026-01-31`; today if none is given. */
export const localDay = (now = Date.now()): string => new Date(now + utcOffsetMs()).toISOString().slice(0, 10);

/** An RFC 3339 instant in the city's time. */
export function instant(text: string, lang: Lang): string {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  return new Intl.DateTimeFormat(LOCALE[lang], {
    day: '2-digit',
    month: '2-digit',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: 'UTC',
  }).format(date.getTime() + utcOffsetMs());
}

/** A share (0–1) as per cent, without a space before the sign, as both languages write it. */
export const percent = (share: number, lang: Lang, digits = 0): string => `${number(share * 100, lang, digits)}%`;

/** Units that are Vietnamese words, in English: of one, and of several. */
const UNIT_WORDS: Record<string, [string, string]> = {
  tầng: ['storey', 'storeys'],
  người: ['person', 'people'],
  'người/ha': ['person/ha', 'people/ha'],
  'người/km²': ['person/km²', 'people/km²'],
  hộ: ['household', 'households'],
  căn: ['dwelling', 'dwellings'],
  'căn hộ': ['flat', 'flats'],
  thửa: ['parcel', 'parcels'],
  phòng: ['room', 'rooms'],
  đồng: ['VND', 'VND'],
  'triệu đồng': ['million VND', 'million VND'],
  'tỷ đồng': ['billion VND', 'billion VND'],
};

/** A unit in the language of the page, of one thing or of several. */
export const unitText = (unit: string, lang: Lang, one = false): string =>
  lang === 'en' ? (UNIT_WORDS[unit]?.[one ? 0 : 1] ?? unit) : unit;

/** A figure with its unit: `12 m`, but `70%` and `45°`. */
function withUnit(figure: string, unit: string, lang: Lang): string {
  return /^[%‰°]/.test(unit) ? `${figure}${unit}` : `${figure} ${unitText(unit, lang, figure === '1')}`;
}

/**
 * An area in m² with one decimal, as papers state it, from 1 ha on with the hectares beside it and from 1 km² on with
 * the km²; a length in m, or in km from 10 km. `digits` is the maximum number of decimals.
 */
export function measure(size: Measure, lang: Lang, digits = 1): string {
  const { value, unit } = size;
  const figure = new Intl.NumberFormat(LOCALE[lang], { minimumFractionDigits: 1, maximumFractionDigits: digits });
  const exact = `${figure.format(value)} ${unit}`;
  if (unit === 'm²' && value >= 1e6) return `${exact} (${number(value / 1e6, lang, 2)} km²)`;
  if (unit === 'm²' && value >= 1e4) return `${exact} (${number(value / 1e4, lang, 2)} ha)`;
  if (unit === 'm' && value >= 1e4) return `${number(value / 1e3, lang, 2)} km`;
  return exact;
}

/** A measured length: in centimetre steps below 100 m, in km from 10 km. */
export function lengthText(metres: number, lang: Lang): string {
  if (metres >= 1e4) return `${number(metres / 1e3, lang, 2, true)} km`;
  return `${number(metres, lang, metres < 100 ? 2 : 1, true)} m`;
}

/** A distance in metres or kilometres, rounded for reading. */
export function distance(metres: number, lang: Lang): string {
  if (metres >= 1000) return `${number(metres / 1000, lang, 1)} km`;
  return `${number(metres, lang, metres < 10 ? 1 : 0)} m`;
}

/**
 * A code with its text: `Đất ở (ODT)`; the code alone if it has no text. Codes that are words of programs (`noi_bo`)
 * are not shown beside their text: nobody else writes them.
 */
export function codeLabel(entry: CodeEntry, lang: Lang): string {
  const text = titleText(entry, lang);
  if (text && /^[a-z][a-z0-9_]*$/.test(entry.code)) return text;
  return text && text !== entry.code ? `${text} (${entry.code})` : entry.code;
}

/**
 * A value of a field for reading: the text of its code, or the number or date in the language's notation, with the
 * unit.
 */
export function fieldValue(value: unknown, field: Field, lang: Lang): string {
  const entry = field.codeList?.entries.find((candidate) => candidate.code === String(value));
  if (entry) return codeLabel(entry, lang);
  if (typeof value === 'boolean') return value ? (lang === 'vi' ? 'Có' : 'Yes') : lang === 'vi' ? 'Không' : 'No';
  if (typeof value === 'number') {
    // An area that is recorded keeps the decimals that it has.
    if (field.unit === 'm²') return measure({ value, unit: field.unit }, lang, 2);
    // An integer without a unit is an identifier or a year (sheet, parcel): no thousands separator.
    const text = field.type === 'int' && !field.unit ? String(value) : number(value, lang, 2);
    return field.unit ? withUnit(text, field.unit, lang) : text;
  }
  const text = String(value);
  if (field.type === 'date') return day(text, lang);
  if (field.type === 'datetime') return instant(text, lang);
  return field.unit ? withUnit(text, field.unit, lang) : text;
}

/** A number as a form shows it: the decimal mark of the language, no thousands separators. */
export const inputNumber = (text: string, lang: Lang): string => (lang === 'vi' ? text.replace('.', ',') : text);

/**
 * The number that a text in a form stands for; `null` if it is none. It has the decimal mark of the language, or that
 * of the other one where that cannot be a thousands separator: coordinates are pasted from other software. `1.234` in
 * Vietnamese and `1,234` in English are refused, because they may be either.
 */
export function readNumber(text: string, lang: Lang): number | null {
  const plain = text.replace(/\s/g, '').replace('−', '-');
  const [decimal, group] = lang === 'vi' ? [',', '.'] : ['.', ','];
  const [first = '', ...rest] = plain.split(group);
  const whole = !plain.includes(decimal);
  let figures = plain;
  if (rest.length > 0) {
    const grouped =
      /^[+-]?[1-9]\d{0,2}$/.test(first) && rest.every((part) => /^\d{3}$/.test(part.split(decimal)[0] ?? ''));
    if (grouped && !(whole && rest.length === 1)) figures = first + rest.join('');
    else if (!grouped && whole && rest.length === 1) figures = `${first}${decimal}${rest[0]}`;
    else return null;
  }
  const machine = figures.replace(decimal, '.');
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(machine) ? Number(machine) : null;
}

/** The value of the field with a meaning as text; empty if the layer or the feature does not have it. */
function meant(feature: Feature, layer: Collection | undefined, meaning: Meaning): string {
  const field = layer && fieldWith(layer, meaning);
  const value = field && feature.properties[field.name];
  return value === null || value === undefined ? '' : String(value);
}

/**
 * The name of a feature for people: a parcel by its numbers (Thửa 45, tờ 12), another feature by its name, or else by
 * its address, or what it is. Never an inner number.
 */
export function featureName(feature: Feature, layer: Collection | undefined, lang: Lang): string {
  const [sheet, parcel] = [meant(feature, layer, 'sheet'), meant(feature, layer, 'parcel_number')];
  if (sheet && parcel) return lang === 'vi' ? `Thửa ${parcel}, tờ ${sheet}` : `Parcel ${parcel}, sheet ${sheet}`;
  const label = feature.label ? String(feature.label) : '';
  if (label && label !== String(feature.id) && !/^#?\d+$/.test(label)) return label;
  const address =
    meant(feature, layer, 'address') ||
    [meant(feature, layer, 'house_number'), meant(feature, layer, 'street')].filter(Boolean).join(' ');
  if (address) return address;
  const kind = layer && (fieldWith(layer, 'class') ?? fieldWith(layer, 'road_class'));
  const value = kind && feature.properties[kind.name];
  if (kind && value !== null && value !== undefined && value !== '') return fieldValue(value, kind, lang);
  return layer ? titleText(layer.citymap.titles, lang, layer.id) : label || `#${feature.id}`;
}
