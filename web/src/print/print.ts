/** What the server can print, the frame of a sheet on the map, and the request for a sheet. */
import { ask, getJson, type Titles } from '../lib/api';
import { fromVn2000, toVn2000 } from '../lib/vn2000';

/** Width and height of a sheet's map in millimetres, by the orientation of the paper. */
type Frames = Record<string, [number, number]>;

/** What the process `print` says about itself. */
export interface PrintProcess {
  'citymap:papers': Record<string, Frames>;
  'citymap:scales': number[];
}

/** A style as `/api/styles` lists it. */
export interface ListedStyle {
  id: string;
  title: string;
}

/** What the server can print. */
export interface PrintChoices {
  papers: Record<string, Frames>;
  scales: number[];
  styles: ListedStyle[];
}

/** A sheet that is to be printed. */
export interface SheetOrder {
  center: [number, number];
  scale: number;
  paper: string;
  orientation: string;
  /** Degrees from grid north to the direction that is up, clockwise. */
  bearing: number;
}

/** Reads what the server can print. */
export async function fetchChoices(lang: string, signal?: AbortSignal): Promise<PrintChoices> {
  const [process, list] = await Promise.all([
    getJson<PrintProcess>('/api/processes/print', signal),
    getJson<{ styles: { id: string; title?: string; titles?: Titles }[] }>(`/api/styles?lang=${lang}`, signal),
  ]);
  return {
    papers: process['citymap:papers'],
    scales: process['citymap:scales'],
    styles: list.styles.map(({ id, title }) => ({ id, title: title ?? id })),
  };
}

/** Width and height in metres of what a sheet shows; `null` if the server does not know the paper. */
export function ground(
  papers: Record<string, Frames>,
  order: Pick<SheetOrder, 'paper' | 'orientation' | 'scale'>,
): [number, number] | null {
  const frame = papers[order.paper]?.[order.orientation];
  return frame ? [(frame[0] * order.scale) / 1000, (frame[1] * order.scale) / 1000] : null;
}

/** The corners of a sheet's map, longitude and latitude, clockwise from the top left one. */
export function corners(order: SheetOrder, [width, height]: [number, number]): [number, number][] {
  const [easting, northing] = toVn2000(...order.center);
  const turn = (order.bearing * Math.PI) / 180;
  const [sin, cos] = [Math.sin(turn), Math.cos(turn)];
  const corner = (x: number, y: number): [number, number] => {
    const [right, up] = [(x * width) / 2, (y * height) / 2];
    return fromVn2000(easting + right * cos + up * sin, northing - right * sin + up * cos);
  };
  return [corner(-1, 1), corner(1, 1), corner(1, -1), corner(-1, -1)];
}

/** The sheet as a PDF file. Throws {@link ApiError}. */
export async function print(inputs: Record<string, unknown>, signal: AbortSignal): Promise<Blob> {
  const response = await ask('/api/processes/print/execution', signal, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/pdf, application/problem+json' },
    body: JSON.stringify({ inputs }),
  });
  return response.blob();
}
