import { accessSync, constants } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';
import { which } from './apt.mjs';
import { afterThisFile } from './run.js';

const USUAL = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** The Chromium of CHROMIUM_PATH, or of the machine; undefined where there is none: what needs one is skipped then. */
export function findChromium(): string | undefined {
  const { CHROMIUM_PATH } = process.env;
  // Whoever names one means it: a wrong path must not become a skipped test.
  if (CHROMIUM_PATH) return CHROMIUM_PATH;
  return which('chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome') ?? USUAL.find(isProgram);
}

/** A browser without windows on the screen; it is closed after the tests of this file. */
export async function startBrowser(executablePath: string): Promise<Browser> {
  const root = process.getuid?.() === 0;
  // Chromium refuses its sandbox to root; it opens nothing but our own page.
  const args = ['--disable-dev-shm-usage', ...(root ? ['--no-sandbox'] : [])];
  const browser = await chromium.launch({ executablePath, args, timeout: 120_000 });
  afterThisFile(() => browser.close());
  return browser;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
