import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MESSAGES } from '../lib/i18n';
import { Editing } from './editing.svelte';
import { Notes } from './notes.svelte';
import { MAX_WIDTH, MIN_WIDTH, Panel } from './panel.svelte';
import { Viewport } from './viewport.svelte';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the panel', () => {
  it('keeps its width within bounds', () => {
    const panel = new Panel();
    panel.resize(10);
    expect(panel.width).toBe(MIN_WIDTH);
    panel.resize(9999);
    expect(panel.width).toBe(MAX_WIDTH);
  });

  it('rises for an answer, and goes down for a tool', () => {
    const panel = new Panel();
    panel.showAnswer();
    expect([panel.tab, panel.sheet]).toEqual(['selected', 1]);
    panel.step(1);
    panel.step(1);
    expect(panel.sheet).toBe(2);
    panel.cycle();
    expect(panel.sheet).toBe(0);
    panel.step(1);
    panel.showTool();
    expect([panel.tab, panel.sheet]).toEqual(['tools', 0]);
  });

  it('closes a pane only while its tab is in sight', () => {
    const panel = new Panel();
    panel.toolPane = 'history';
    expect(panel.closeToolPane()).toBe(false);
    panel.tab = 'tools';
    expect(panel.closeToolPane()).toBe(true);
    expect(panel.toolPane).toBeNull();
  });
});

describe('notes', () => {
  it('disappear by themselves, errors later than others', () => {
    const notes = new Notes(() => MESSAGES.en);
    notes.show('done');
    vi.advanceTimersByTime(6000);
    expect(notes.current).toBeNull();
    notes.show('failed', 'error');
    vi.advanceTimersByTime(6000);
    expect(notes.current?.text).toBe('failed');
    vi.advanceTimersByTime(6000);
    expect(notes.current).toBeNull();
  });

  it('announce that the server can be reached again', () => {
    const notes = new Notes(() => MESSAGES.en);
    notes.setReachable(false);
    expect([notes.offline, notes.current]).toEqual([true, null]);
    notes.setReachable(true);
    expect([notes.offline, notes.current?.text]).toEqual([false, MESSAGES.en.online]);
  });

  it('confirm what was copied, or say that it was not', async () => {
    const notes = new Notes(() => MESSAGES.en);
    vi.stubGlobal('navigator', { clipboard: { writeText: async () => {} } });
    await notes.copy('106.7');
    expect(notes.current).toEqual({ text: 'Copied: 106.7', kind: 'info' });
    vi.stubGlobal('navigator', { clipboard: { writeText: () => Promise.reject(new Error('denied')) } });
    await notes.copy('106.7');
    expect(notes.current).toEqual({ text: MESSAGES.en.copyFailed, kind: 'error' });
  });
});

describe('editing', () => {
  it('blocks the page only while there is unsaved work, and tells the user', () => {
    const refuse = vi.fn();
    const editing = new Editing(refuse);
    expect(editing.blocks()).toBe(false);
    editing.unsaved = true;
    expect(editing.blocks()).toBe(true);
    expect(refuse).toHaveBeenCalledTimes(1);
  });

  it('keeps the token for the tab', () => {
    const storage = new Map<string, string>();
    vi.stubGlobal('sessionStorage', {
      getItem: (key: string) => storage.get(key) ?? null,
      setItem: (key: string, value: string) => storage.set(key, value),
      removeItem: (key: string) => storage.delete(key),
    });
    const editing = new Editing(() => {});
    editing.enterToken('secret');
    expect([editing.hasToken, new Editing(() => {}).hasToken]).toEqual([true, true]);
    editing.forgetToken();
    expect([editing.hasToken, storage.size]).toEqual([false, 0]);
  });
});

describe('the tolerance of a click', () => {
  it('is eight pixels in metres, within what the server allows', () => {
    const viewport = new Viewport();
    viewport.camera = { lon: 106.7, lat: 10.77, zoom: 18, bearing: 0 };
    expect(viewport.tolerance(10.77)).toBeCloseTo(2.35, 2);
    viewport.camera = { lon: 106.7, lat: 10.77, zoom: 5, bearing: 0 };
    expect(viewport.tolerance(10.77)).toBe(500);
  });
});
