import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, type Page, chromium } from 'playwright-core';

/** Debian's by default; another one by `CHROMIUM`. */
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

export const SCREENSHOTS = fileURLToPath(new URL('../../.local/screenshots/', import.meta.url));

export async function launch(): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(
      `${executablePath} is not there: install the package chromium, or say where one is by CHROMIUM`,
    );
  }
  await mkdir(SCREENSHOTS, { recursive: true });
  // A browser of its own phones home as soon as it is up, and a container has no sandbox to give it.
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

export const WIDTHS = { desktop: 1280, phone: 390 } as const;
export const SCHEMES = ['light', 'dark'] as const;

export interface View {
  readonly page: Page;
  /** Addresses that the page asked for, other than its own. */
  readonly requests: readonly string[];
  /** What the browser had to say against it. */
  readonly complaints: readonly string[];
}

/** Opens a page from its text, as a file would be: it has no origin to ask for anything. */
export async function show(
  browser: Browser,
  html: string,
  { width, scheme }: { width: keyof typeof WIDTHS; scheme: (typeof SCHEMES)[number] },
): Promise<View> {
  const context = await browser.newContext({
    viewport: { width: WIDTHS[width], height: width === 'phone' ? 844 : 900 },
    colorScheme: scheme,
    deviceScaleFactor: width === 'phone' ? 2 : 1,
  });
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  const address = 'http://localhost/report.html';
  await page.route('**', (route, request) => {
    if (request.url() === address)
      return route.fulfill({ contentType: 'text/html; charset=utf-8', body: html });
    requests.push(request.url());
    return route.abort();
  });
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(address);
  return { page, requests, complaints };
}
