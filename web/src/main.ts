/** The page's entry point: draws a first picture and fetches the page. */
import { drawFirstPicture } from './first/picture';

/** A server whose first answers took longer than this, in milliseconds, is at the end of a slow line. */
const SLOW_MS = 600;
/** The page waits no longer than this for a first answer, nor for the picture, in milliseconds. */
const ANSWER_MS = 1500;
const PICTURE_MS = 10_000;

/**
 * Waits until the page may be fetched. On a slow line its script would take the picture's bytes, so the picture goes
 * first; otherwise they are fetched at the same time.
 */
async function pictureGoesFirst(): Promise<void> {
  await new Promise<void>((go) => {
    let timer = setTimeout(go, ANSWER_MS);
    const answered = () => {
      if (performance.now() < SLOW_MS) go();
      clearTimeout(timer);
      timer = setTimeout(go, PICTURE_MS);
    };
    // Without a picture the page shows what is wrong.
    drawFirstPicture(answered)
      .catch(() => undefined)
      .finally(() => {
        clearTimeout(timer);
        go();
      });
  });
}

await pictureGoesFirst();
// The page asks for the map once it runs; both come at the same time.
void import('./map/view').catch(() => undefined);
await import('./boot');
