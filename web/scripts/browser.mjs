/** Chromium for the scripts of this folder: Debian's, or that of CITYMAP_CHROMIUM; it draws in software. */
import { chromium } from '@playwright/test';

export function launch() {
  return chromium.launch({
    executablePath: process.env.CITYMAP_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--enable-unsafe-swiftshader', '--use-angle=swiftshader', '--disable-background-networking'],
  });
}
