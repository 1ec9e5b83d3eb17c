/** How the page speaks and looks: its language and its theme. */
import { type Lang, MESSAGES } from '../lib/i18n';
import type { ThemeName } from '../lib/theme';

export class Settings {
  lang = $state<Lang>('vi');
  theme = $state<ThemeName>('light');

  /** The page's texts in its language. */
  words = $derived(MESSAGES[this.lang]);

  constructor(lang: Lang, theme: ThemeName) {
    this.lang = lang;
    this.theme = theme;
  }
}
