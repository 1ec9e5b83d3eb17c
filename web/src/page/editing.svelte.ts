/** What editing shares with the rest of the page: who may write, the shape that is changed, and unsaved work. */
import { readToken, removeToken, storeToken } from '../lib/token';

/** A shape that is being changed: its corners, and the index of the chosen one. */
export interface Draft {
  geometry: GeoJSON.Geometry;
  corners: GeoJSON.Position[];
  corner: number | null;
}

export class Editing {
  /** The shape that is being changed, before it is saved. */
  draft = $state.raw<Draft | null>(null);
  /** There is unsaved work, which would be lost if the page showed something else. */
  unsaved = $state(false);
  /** Whether a writer's token was entered in this tab. */
  hasToken = $state(readToken() !== null);

  readonly #refuse: () => void;

  /** `refuse` tells the user that unsaved work must be saved or cancelled first. */
  constructor(refuse: () => void) {
    this.#refuse = refuse;
  }

  /** Whether unsaved work forbids the page to show something else; if so, the user is told. */
  blocks(): boolean {
    if (this.unsaved) this.#refuse();
    return this.unsaved;
  }

  enterToken(token: string): void {
    storeToken(token);
    this.hasToken = true;
  }

  forgetToken(): void {
    removeToken();
    this.hasToken = false;
  }
}
