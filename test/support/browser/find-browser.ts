import { accessSync, constants } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const places = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/**
 * The path of an installed Chromium, or of the one that `CHROMIUM` names. `undefined` where there is none: the tests
 * are skipped, and a line says so; with `BROWSER_REQUIRED` set they fail instead.
 */
export function findBrowser(): string | undefined {
  const found = places.find((place) => place !== undefined && isExecutable(place));
  if (found) return found;
  const advice = 'No Chromium: install it (Debian: apt-get install chromium), or name one with CHROMIUM';
  if (process.env['BROWSER_REQUIRED']) throw new Error(`${advice}. BROWSER_REQUIRED is set`);
  console.warn(`${advice}. The tests in a browser are skipped`);
  return undefined;
}

/** Starts Chromium with an empty profile; it contacts nothing but the page under test. */
export function launchBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

function isExecutable(place: string): boolean {
  try {
    accessSync(place, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
