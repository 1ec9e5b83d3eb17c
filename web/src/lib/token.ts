/**
 * The token with which a writer changes data. It is kept in the session storage: for one tab, until the tab is
 * closed.
 */
const STORAGE_KEY = 'citymap-writer';

/** The token that was entered in this tab, or `null`. */
export function readToken(): string | null {
  // Unit tests run without a browser.
  return globalThis.sessionStorage?.getItem(STORAGE_KEY) ?? null;
}

export function storeToken(token: string): void {
  sessionStorage.setItem(STORAGE_KEY, token);
}

export function removeToken(): void {
  sessionStorage.removeItem(STORAGE_KEY);
}

/** The header by which the server knows a writer, and tells more about changes; empty without a token. */
export function writerHeaders(): Record<string, string> {
  const token = readToken();
  return token ? { authorization: `Bearer ${token}` } : {};
}
