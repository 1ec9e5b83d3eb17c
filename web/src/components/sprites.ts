/** The images of the map's sprite (tiles/sprites), for legends. */
const FILES = import.meta.glob<string>('../../../tiles/sprites/src/*.svg', {
  eager: true,
  query: '?url',
  import: 'default',
});

/** The address of an image by its name in the sprite; undefined for one of an operator's own sprite. */
export const spriteUrl = (name: string): string | undefined => FILES[`../../../tiles/sprites/src/${name}.svg`];
