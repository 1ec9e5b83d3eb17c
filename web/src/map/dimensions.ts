/**
 * Where the lengths of a shape's edges are written. A figure is on its edge, turned along it, at a place where it covers
 * neither another figure nor the number of the parcel, nor the place where the neighbour across the edge has its
 * number. Where there is no such place the figure appears at a nearer zoom level.
 */
import { metresPerPixel } from '../lib/scale';

/** The zoom level from which figures are written. */
export const FIRST_ZOOM = 18;

/** A figure. */
export interface Dimension {
  /** Longitude and latitude in degrees. */
  at: GeoJSON.Position;
  text: string;
  /** The rotation in degrees, clockwise, never upside down. */
  turn: number;
}

/** An edge of a shape, with its length in metres and as text. */
export interface Edge {
  start: GeoJSON.Position;
  end: GeoJSON.Position;
  metres: number;
  text: string;
}

/** The number on a parcel: its position in degrees, and its lines. */
export interface ParcelNumber {
  at: GeoJSON.Position;
  lines: string[];
}

/** Metres in a degree of latitude, on the sphere of Web Mercator. */
const DEGREE_M = 111_319.49;

/** The height of a figure, and the room at its ends, in pixels. */
const HEIGHT = 15;
const MARGIN = 3;
/** The advance of digits and of marks in the type of 12 pixels that figures have. */
const DIGIT = 7.7;
const MARK = 3.6;
/** The same of a parcel's number, and the height of its lines. */
const LETTER = 7.5;
const LINE = 13;

/** The places along half of an edge that are tried, 0 in its middle and 1 at its end. */
const PLACES = [0, 0.5, -0.5, 1, -1];

/** A rectangle: its middle, half its sizes, and the direction of its width. */
interface Box {
  x: number;
  y: number;
  half: [number, number];
  axis: [number, number];
}

/**
 * The figures of all edges at a zoom level, and the number with its first line only, if that gives more figures room.
 * O(edges²).
 */
export function placeDimensions(
  edges: Edge[],
  number: ParcelNumber | null,
  zoom: number,
): { figures: Dimension[]; number: ParcelNumber | null } {
  const whole = place(edges, number, zoom);
  if (!number || number.lines.length < 2 || whole.length === edges.length) return { figures: whole, number };
  const short = { ...number, lines: number.lines.slice(0, 1) };
  const more = place(edges, short, zoom);
  return more.length > whole.length ? { figures: more, number: short } : { figures: whole, number };
}

function place(edges: Edge[], number: ParcelNumber | null, zoom: number): Dimension[] {
  const [lon0 = 0, lat0 = 0] = edges[0]?.start ?? [];
  // Mercator is conformal: at one latitude a degree of longitude and its share of latitude have one scale.
  const pixels = DEGREE_M / metresPerPixel(lat0, zoom);
  const shrink = Math.cos((lat0 * Math.PI) / 180);
  const flat = ([lon = 0, lat = 0]: GeoJSON.Position): [number, number] => [
    (lon - lon0) * shrink * pixels,
    (lat0 - lat) * pixels,
  ];
  const own = number ? numberBox(flat(number.at), number.lines) : null;
  const found: Dimension[] = [];
  const placed: Box[] = [];
  for (const edge of [...edges].sort((a, b) => b.metres - a.metres)) {
    const [start, end] = [flat(edge.start), flat(edge.end)];
    const length = Math.hypot(end[0] - start[0], end[1] - start[1]);
    const width = textWidth(edge.text) + 2 * MARGIN;
    if (width > length) continue;
    const axis: [number, number] = [(end[0] - start[0]) / length, (end[1] - start[1]) / length];
    const others = [...placed, ...(own ? [own, mirrored(own, start, axis)] : [])];
    const along = (share: number) => length / 2 + (share * (length - width)) / 2;
    const box = (share: number): Box => ({
      x: start[0] + axis[0] * along(share),
      y: start[1] + axis[1] * along(share),
      half: [width / 2, HEIGHT / 2],
      axis,
    });
    const share = PLACES.find((at) => !others.some((other) => overlap(box(at), other)));
    if (share === undefined) continue;
    placed.push(box(share));
    const [[ax = 0, ay = 0], [bx = 0, by = 0]] = [edge.start, edge.end];
    const part = along(share) / length;
    found.push({ at: [ax + (bx - ax) * part, ay + (by - ay) * part], text: edge.text, turn: upright(axis) });
  }
  return found;
}

const textWidth = (text: string): number => [...text].reduce((sum, sign) => sum + (/\d/.test(sign) ? DIGIT : MARK), 0);

function numberBox([x, y]: [number, number], lines: string[]): Box {
  const longest = Math.max(...lines.map((line) => line.length));
  return { x, y, half: [(longest * LETTER) / 2, (lines.length * LINE) / 2], axis: [1, 0] };
}

/** The box on the other side of the line through `start` along `axis`. */
function mirrored(box: Box, start: [number, number], [ux, uy]: [number, number]): Box {
  const across = (box.y - start[1]) * ux - (box.x - start[0]) * uy;
  return { ...box, x: box.x + 2 * across * uy, y: box.y - 2 * across * ux };
}

/** The rotation of a text along an axis in degrees, clockwise, so that it is never upside down. */
function upright([x, y]: [number, number]): number {
  const degrees = (Math.atan2(y, x) * 180) / Math.PI;
  return degrees > 90 ? degrees - 180 : degrees <= -90 ? degrees + 180 : degrees;
}

/** Whether two rectangles overlap: no axis of either separates them. */
function overlap(a: Box, b: Box): boolean {
  return [a, b].every(({ axis: [x, y] }) =>
    [
      [x, y],
      [-y, x],
    ].every(([ux = 0, uy = 0]) => {
      const apart = Math.abs((a.x - b.x) * ux + (a.y - b.y) * uy);
      return apart < reach(a, ux, uy) + reach(b, ux, uy);
    }),
  );
}

/** How far a rectangle reaches from its middle in a direction. */
function reach({ half: [width, height], axis: [x, y] }: Box, ux: number, uy: number): number {
  return width * Math.abs(x * ux + y * uy) + height * Math.abs(x * uy - y * ux);
}
