/** Where the server is. */

/**
 * The address of the server's root without a slash at its end: the folder of the page, which is right below any path
 * prefix that a proxy puts before it. Empty outside a browser.
 */
export const ROOT = typeof document === 'undefined' ? '' : rootOf(document.baseURI);

/** The root of the server whose page has this address. */
export function rootOf(page: string): string {
  return new URL('.', page).href.replace(/\/$/, '');
}

/** The address of a path of the server, which begins with a slash. */
export const serverUrl = (path: string): string => `${ROOT}${path}`;
