/** The room that the page's panels cover at each side of the map. */

/** In pixels. */
export interface Insets {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** The width of the panel on a desktop when the page opens, in pixels. */
export const PANEL_WIDTH = 368;

/** Where the page has the layout of a phone. */
export const PHONE = '(max-width: 640px)';

/** The insets on a desktop; `panel` is the width of the panel in pixels, 0 if it is closed. */
export const desktopInsets = (panel: number): Insets => ({
  left: panel > 0 ? panel + 24 : 0,
  right: 48,
  top: 16,
  bottom: 32,
});

/** The insets on a phone; `top` is what covers the upper edge, `bottom` the visible part of the sheet, in pixels. */
export const phoneInsets = (top = 64, bottom = 72): Insets => ({ left: 0, right: 0, top, bottom });

/** The middle of the part of a map of this size that panels leave free, in pixels from its upper left corner. */
export function freeMiddle(width: number, height: number, { left, top, right, bottom }: Insets): [number, number] {
  return [left + (width - left - right) / 2, top + (height - top - bottom) / 2];
}
