import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SCHEMES, SCREENSHOTS, WIDTHS, launch, show } from './chromium.ts';
import { allPages } from './pages.ts';

const pages = await allPages();
const views = (['desktop', 'phone'] as const)
  .filter((width) => width in WIDTHS)
  .flatMap((width) => SCHEMES.map((scheme) => ({ width, scheme })));

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

describe.for(Object.entries(pages))('%s', ([name, html]) => {
  test.for(views)('is clean and accessible on a $width, $scheme', async ({ width, scheme }) => {
    const { page, requests, complaints } = await show(browser, html, { width, scheme });
    await page.screenshot({ path: `${SCREENSHOTS}${name}-${width}-${scheme}.png`, fullPage: true });
    // What is folded away is to be sound as well.
    await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
    await page.evaluate(axe.source);
    const { violations, passes } = (await page.evaluate('axe.run(document)')) as axe.AxeResults;
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html: node }) => node)])).toEqual([]);
    expect(passes.map(({ id }) => id)).toContain('color-contrast');
    expect(requests).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('fits every width from a small phone to a desktop', async () => {
    const { page } = await show(browser, html, { width: 'phone', scheme: 'light' });
    await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
    for (const width of [320, 360, 390, 640, 768, 900, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect([width, await page.evaluate(OVERFLOWING)]).toEqual([width, []]);
      expect(await page.evaluate(SMALLEST_TEXT)).toBeGreaterThanOrEqual(11);
    }
    await page.context().close();
  });
});

test('charts are as wide as their place, and their text as large on a phone as on a desktop', async () => {
  const measure = async (width: keyof typeof WIDTHS): Promise<{ chart: number; text: number }> => {
    const { page } = await show(browser, pages['report-busy'] ?? '', { width, scheme: 'light' });
    const measured = await page.evaluate(`(() => {
      const chart = document.querySelector('.plot svg');
      return {
        chart: chart.getBoundingClientRect().width,
        text: chart.querySelector('text').getBoundingClientRect().height,
      };
    })()`);
    await page.context().close();
    return measured as { chart: number; text: number };
  };
  const [desktop, phone] = [await measure('desktop'), await measure('phone')];
  expect(desktop.chart).toBeGreaterThan(900);
  expect(phone.chart).toBeGreaterThan(250);
  expect(phone.chart).toBeLessThan(390);
  expect(phone.text).toBeCloseTo(desktop.text);
});

test('a reader of the screen hears what a chart shows, and tables as tables, on a phone, too', async () => {
  const { page } = await show(browser, pages['report-busy'] ?? '', { width: 'phone', scheme: 'light' });
  const chart = page.getByRole('img', { name: 'Events per hour' });
  expect(await chart.count()).toBe(1);
  expect(await chart.locator('desc').textContent()).toMatch(/^91,656 events, the most, /);
  const results = page.getByRole('table', { name: 'Results by event' });
  expect(await results.getByRole('columnheader').allTextContents()).toEqual([
    'Event',
    'Events',
    'Error',
    'Other',
    'Failed',
  ]);
  expect(await results.getByRole('row').count()).toBe(31);
  expect(await results.getByRole('rowheader', { name: 'All events' }).count()).toBe(1);
  await page.context().close();
});

test('the numbers behind a chart are opened and scrolled by the keyboard', async () => {
  const { page } = await show(browser, pages['report-busy'] ?? '', { width: 'phone', scheme: 'light' });
  const region = page.getByRole('region', { name: 'Events per hour, as a table' });
  expect(await region.isVisible()).toBe(false);
  await page.locator('summary', { hasText: 'Events per hour as a table' }).focus();
  await page.keyboard.press('Enter');
  await region.waitFor({ state: 'visible' });
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction('document.activeElement.scrollLeft > 0');
  await page.context().close();
});

test('a day of hours leads to its drops', async () => {
  const { page } = await show(browser, pages['index-hourly'] ?? '', { width: 'desktop', scheme: 'light' });
  await page.getByRole('link', { name: /^13 October 2026:/ }).click();
  expect(page.url()).toMatch(/#day-2026-10-13$/);
  expect(await page.locator(':target').textContent()).toBe('13 October 2026');
  await page.context().close();
});

const SMALLEST_TEXT = `Math.min(...Array.from(document.querySelectorAll('body *'), (element) =>
  Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.data.trim() !== '')
    ? parseFloat(getComputedStyle(element).fontSize)
    : Infinity))`;

/** Words that stick out of the box that they are in; what is hidden or scrolls by itself may. */
const OVERFLOWING = `Array.from(document.querySelectorAll('td, th, dd, dt, li, a, td > div, h1, h2, p, figcaption'))
  .filter((element) => !element.closest('.wide') && !element.closest('.hidden'))
  .filter((element) => getComputedStyle(element).clipPath === 'none' && !element.querySelector('.mask'))
  .filter((element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline')
  .map((element) => element.outerHTML.slice(0, 200))`;
