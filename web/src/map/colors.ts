/** Computing with colours. */

/** The red, green and blue (0–255) of `#rgb` or `#rrggbb`; `null` for any other text. */
export function parseHex(text: string): [number, number, number] | null {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text);
  const hex = short ? `#${short[1]}${short[1]}${short[2]}${short[2]}${short[3]}${short[3]}` : text;
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex);
  return match
    ? [Number.parseInt(match[1] ?? '', 16), Number.parseInt(match[2] ?? '', 16), Number.parseInt(match[3] ?? '', 16)]
    : null;
}

/**
 * An official colour over the ground, at `strength` (0–1) if it is pale and less if it is vivid: the pure green and
 * purple of planning drawings were chosen for thin hatchings on paper, and would dominate the map as areas.
 */
export function tone(color: string, ground: string, strength: number): string {
  const rgb = parseHex(color);
  if (!rgb) return ground;
  const chroma = (Math.max(...rgb) - Math.min(...rgb)) / 255;
  return mix(color, ground, strength * (1 - 0.56 * chroma ** 2));
}

/** The opaque colour of `color` over `ground` at `strength` (0–1). If either cannot be read, it is `ground`. */
export function mix(color: string, ground: string, strength: number): string {
  const top = parseHex(color);
  const bottom = parseHex(ground);
  if (!top || !bottom) return ground;
  const channel = (index: 0 | 1 | 2) => Math.round(top[index] * strength + bottom[index] * (1 - strength));
  return `#${[channel(0), channel(1), channel(2)].map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}
