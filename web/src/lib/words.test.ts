import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EDIT } from '../edit/words';
import { HISTORY } from '../history/words';
import { PARCEL_WORDS } from '../parcel/words';
import { STATISTICS } from '../statistics/words';
import { DAY_WORDS } from '../day/text';
import { type Lang, MESSAGES } from './i18n';

const SETS = {
  page: MESSAGES,
  edit: EDIT,
  history: HISTORY,
  statistics: STATISTICS,
  parcel: PARCEL_WORDS,
  day: DAY_WORDS,
};

/** All texts under their keys; a text that depends on values with 1 and with 2 in their place. */
function textsOf(words: object, path: string): [string, string][] {
  return Object.entries(words).flatMap(([key, word]): [string, string][] => {
    const here = `${path}.${key}`;
    if (typeof word === 'string') return [[here, word]];
    if (typeof word !== 'function') return textsOf(word as object, here);
    return [1, 2].map((value) => [`${here}(${value})`, (word as (...values: unknown[]) => string)(value, value)]);
  });
}

const texts = (lang: Lang) => Object.entries(SETS).flatMap(([name, words]) => textsOf(words[lang], name));

/** Words of programs, and thoughts that were translated word by word. Commands are quoted, and may be named. */
const JARGON: Record<Lang, RegExp> = {
  vi: /\b(revision|token|feature|layer|polygon|zoom|cluster|fid|snapshot|tile|server|client|request|timeout|seed|null)\b|\bz\d|[a-z]+_[a-z]+/i,
  en: /\b(revision|token|fid|snapshot|overlay|tile|cluster|steward|seed|null|catalogue|anew|beside|meanwhile|holds|thus|he|his)\b|\bz\d|[a-z]+_[a-z]+/i,
};
const withoutCommands = (text: string) => text.replace(/“citymap [a-z]+”/g, '');

/** Tone marks in the place where our own texts do not have them: hoà for hòa, xoá for xóa, thuỷ for thủy. */
const NEW_STYLE = /(o[àáảãạèéẻẽẹ]|(?<!q)u[ỳýỷỹỵ])(?!\p{L})/iu;

describe('the texts of both languages', () => {
  it('are the same ones', () => {
    expect(texts('en').map(([key]) => key)).toEqual(texts('vi').map(([key]) => key));
  });

  it('are written, and differ', () => {
    const english = new Map(texts('en'));
    // Results that are not announced have no text.
    const empty = texts('vi').filter(([key, text]) => text.trim() === '' || english.get(key)?.trim() === '');
    expect(empty.map(([key]) => key)).toEqual([]);
    // `3/7` needs no words.
    const same = texts('vi').filter(([key, text]) => english.get(key) === text && /\p{L}/u.test(text));
    expect(same.map(([key]) => key)).toEqual([]);
  });

  it('have no jargon', () => {
    for (const lang of ['vi', 'en'] as const) {
      const found = texts(lang).filter(([, text]) => JARGON[lang].test(withoutCommands(text)));
      expect(found, lang).toEqual([]);
    }
  });

  it('have one spelling and one notation in Vietnamese', () => {
    expect(texts('vi').filter(([, text]) => NEW_STYLE.test(text) || /\d %|\d\.\d(?!\d\d)/.test(text))).toEqual([]);
    expect(['xoá', 'hoà', 'thuỷ', 'khoẻ'].every((word) => NEW_STYLE.test(word))).toBe(true);
    expect(['xóa', 'hòa', 'thủy', 'quý', 'hoàn', 'khoản', 'thuyết'].some((word) => NEW_STYLE.test(word))).toBe(false);
    expect(texts('vi').filter(([, text]) => /\p{L}{3}/u.test(text) && text.normalize('NFC') !== text)).toEqual([]);
  });

  it('tell what to do after every problem that the server reports', () => {
    const source = readFileSync(new URL('../../../crates/server/src/http/problem.rs', import.meta.url), 'utf8');
    const kinds = [...source.matchAll(/\(StatusCode::[A-Z_]+, "([a-z-]+)", "/g)].map(([, kind]) => kind ?? '');
    expect(kinds.length).toBeGreaterThan(15);
    for (const { problems } of Object.values(MESSAGES))
      expect(Object.keys(problems)).toEqual(expect.arrayContaining(kinds));
  });
});
