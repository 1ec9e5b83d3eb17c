/** The two themes that the page is drawn in; the page's address names them. */
export type ThemeName = 'light' | 'dark';
