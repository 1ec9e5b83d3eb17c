/** Reads `#rgb` or `#rrggbb`; `null` where the text is neither. */
export function parseHex(text: string): [number, number, number] | null {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text);
  const hex = short ? `#${short[1]}${short[1]}${short[2]}${short[2]}${short[3]}${short[3]}` : text;
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex);
  return match
    ? [Number.parseInt(match[1] ?? '', 16), Number.parseInt(match[2] ?? '', 16), Number.parseInt(match[3] ?? '', 16)]
    : null;
}

/**
 * An official colour over the ground, at `strength` (0–1) for pale colours and less for glaring ones: the pure green and
 * purple of planning drawings were chosen for thin hatchings on paper, and whole districts of them would drown the map.
 */
export function tone(color: string, ground: string, strength: number): string {
  const rgb = parseHex(color);
  if (!rgb) return ground;
  const chroma = (Math.max(...rgb) - Math.min(...rgb)) / 255;
  return mix(color, ground, strength * (1 - 0.56 * chroma ** 2));
}

/** `strength` (0–1) of `color` over `ground`, as an opaque colour. A colour that cannot be read gives the ground. */
export function mix(color: string, ground: string, strength: number): string {
  const top = parseHex(color);
  const bottom = parseHex(ground);
  if (!top || !bottom) return ground;
  const channel = (index: 0 | 1 | 2) => Math.round(top[index] * strength + bottom[index] * (1 - strength));
  return `#${[channel(0), channel(1), channel(2)].map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}
