/** How the tests of the page run in Chromium. */
import { defineConfig } from '@playwright/test';

// CITYMAP_URL is where `citymap serve` listens; without it the page is tried against the made-up quarter of dev/mock.
const url = process.env.CITYMAP_URL;
const MOCK = 'http://127.0.0.1:4174';

export default defineConfig({
  testDir: 'e2e',
  // Headless Chromium draws WebGL in software, 5 to 9 frames a second: patience, and one page at a time.
  timeout: 90_000,
  expect: { timeout: 15_000 },
  workers: 1,
  retries: 0,
  // A test that is marked `only` would leave the others out unnoticed.
  forbidOnly: process.env.CITYMAP_REQUIRE === 'all',
  reporter: [['list']],
  outputDir: 'test-results',
  use: {
    baseURL: url ?? MOCK,
    viewport: { width: 1280, height: 800 },
    colorScheme: 'light',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CITYMAP_CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--enable-unsafe-swiftshader',
        '--use-angle=swiftshader',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  ...(url
    ? {}
    : {
        webServer: {
          command: 'npx vite build && npx vite preview --port 4174 --strictPort --host 127.0.0.1',
          env: { CITYMAP_MOCK: '1' },
          url: MOCK,
          timeout: 120_000,
        },
      }),
});
