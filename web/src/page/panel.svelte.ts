/** The panel next to the map, on a phone a sheet below it: which tab it shows, and how large it is. */

import { PANEL_WIDTH } from '../lib/insets';

/** The tabs, in the order in which they are shown. */
export const TABS = ['layers', 'selected', 'tools'] as const;
export type Tab = (typeof TABS)[number];

/** How far the sheet has risen on a phone: 0 a strip, 1 half of the screen, 2 nearly all of it. */
export type SheetHeight = 0 | 1 | 2;

/** The width of the panel on a desktop, in pixels. */
export const MIN_WIDTH = 320;
export const MAX_WIDTH = 480;

export class Panel {
  tab = $state<Tab>('layers');
  open = $state(true);
  /** In pixels; {@link resize} keeps it within its bounds. */
  width = $state(PANEL_WIDTH);
  sheet = $state<SheetHeight>(0);
  /** What is open in the tab of the tools, besides measuring and statistics. */
  toolPane = $state<'history' | 'edit' | 'print' | null>(null);

  /** Brings the answer into sight. */
  showAnswer(): void {
    this.tab = 'selected';
    this.open = true;
    this.raise();
  }

  /** Brings a tool's pane into sight. On a phone the sheet goes down: drawing needs the map. */
  showTool(): void {
    this.tab = 'tools';
    this.open = true;
    this.sheet = 0;
  }

  /** Raises a lowered sheet to half of the screen. */
  raise(): void {
    if (this.sheet === 0) this.sheet = 1;
  }

  /** Moves the sheet one step up or down. */
  step(by: 1 | -1): void {
    this.sheet = Math.min(2, Math.max(0, this.sheet + by)) as SheetHeight;
  }

  /** Moves the sheet to its next height; after the highest comes the lowest. */
  cycle(): void {
    this.sheet = ((this.sheet + 1) % 3) as SheetHeight;
  }

  /** Sets the width, within its bounds. */
  resize(width: number): void {
    this.width = Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, width));
  }

  /** Closes history or editing where its tab is in sight. Returns whether there was anything to close. */
  closeToolPane(): boolean {
    if (!this.toolPane || this.tab !== 'tools') return false;
    this.toolPane = null;
    return true;
  }
}
