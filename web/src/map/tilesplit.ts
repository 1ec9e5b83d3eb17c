/** Splitting a vector tile into its layers while it arrives. */

/** A layer of a vector tile: its name, and the bytes of a tile that contains it alone. */
export interface TileLayer {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** The key of a layer in a tile (field 3, length-delimited), and of its name in a layer (field 1). */
const LAYER_KEY = (3 << 3) | 2;
const NAME_KEY = (1 << 3) | 2;

/** A layer of more bytes is not a tile of this server: its tiles have a budget of 200 kB a layer. */
const MAX_LAYER_BYTES = 64 * 1024 * 1024;

/**
 * Splits a Mapbox vector tile into tiles of one layer each. A tile is a sequence of layers, each with its length before
 * it, so a layer is complete as soon as its last byte has arrived, whatever comes after it.
 */
export class TileSplitter {
  #bytes = new Uint8Array(0);
  #used = 0;

  /** Adds the next bytes of the tile, and returns the layers that they complete. Throws if it is not a vector tile. */
  push(chunk: Uint8Array): TileLayer[] {
    this.#append(chunk);
    const layers: TileLayer[] = [];
    let start = 0;
    for (;;) {
      const reader = new Varints(this.#bytes.subarray(start, this.#used));
      const key = reader.next();
      const length = key === null ? null : reader.next();
      if (key !== null && key !== LAYER_KEY) throw new Error(`field key ${key} is not that of a layer`);
      if (length === null) break;
      if (length > MAX_LAYER_BYTES) throw new Error(`a layer of ${length} bytes is too long`);
      const end = start + reader.at + length;
      if (end > this.#used) break;
      const name = nameOf(this.#bytes.subarray(start + reader.at, end));
      layers.push({ name, bytes: this.#bytes.slice(start, end) });
      start = end;
    }
    this.#bytes.copyWithin(0, start, this.#used);
    this.#used -= start;
    return layers;
  }

  /** Ends the tile. Throws if it ended in the middle of a layer. */
  end(): void {
    if (this.#used > 0) throw new Error('the tile ended in the middle of a layer');
  }

  #append(chunk: Uint8Array): void {
    const length = this.#used + chunk.length;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = larger;
    }
    this.#bytes.set(chunk, this.#used);
    this.#used = length;
  }
}

/** The name in the bytes of a layer. */
function nameOf(layer: Uint8Array): string {
  const reader = new Varints(layer);
  while (reader.at < layer.length) {
    const key = reader.next() ?? 0;
    const value = reader.next() ?? 0;
    if (key === NAME_KEY) return new TextDecoder().decode(layer.subarray(reader.at, reader.at + value));
    // Besides numbers, layers have only fields with a length.
    if ((key & 7) === 2) reader.at += value;
    else if ((key & 7) !== 0) break;
  }
  throw new Error('a layer has no name');
}

/** Reads the variable-length integers of protocol buffers. */
class Varints {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next integer; `null` if its last byte is missing. Integers of a tile's structure have less than 32 bits. */
  next(): number | null {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.at];
      if (byte === undefined) return null;
      this.at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error('an integer of the tile is too long');
  }
}
