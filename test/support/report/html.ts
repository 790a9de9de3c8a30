const VOID = new Set(['meta', 'link', 'wbr']);

/**
 * The elements of a page in their order, with their attributes; a page that does not close what it opens, in order,
 * is an error. Enough for pages of our own, which a real browser reads in the browser tests.
 */
export function elementsOf(html: string): { name: string; attributes: Record<string, string> }[] {
  const elements: { name: string; attributes: Record<string, string> }[] = [];
  const open: string[] = [];
  const body = html.replace(/^<!doctype html>/, '').replace(/(?<=<style>)[^<]*/, '');
  for (const [, end, name = '', given = '', self] of body.matchAll(
    /<(\/?)([a-z][a-z0-9]*)([^<>]*?)(\/?)>/g,
  )) {
    if (end === '/') {
      const last = open.pop();
      if (last !== name) throw new Error(`</${name}> closes <${last}>`);
      continue;
    }
    const attributes = Object.fromEntries(
      Array.from(given.matchAll(/([a-z-]+)(?:="([^"]*)")?/gi), ([, key = '', value = '']) => [key, value]),
    );
    elements.push({ name, attributes });
    if (self !== '/' && !VOID.has(name)) open.push(name);
  }
  if (open.length > 0) throw new Error(`never closed: ${open.join(', ')}`);
  return elements;
}

/** The text of a part of a page as a reader sees it, white space made one. */
export function textOf(html: string): string {
  return html
    .replace(/<(td|th|dt|dd|div|p|small|caption|span|li|em)\b[^>]*>/g, ' ')
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The part of a page under the heading with that id. */
export function sectionOf(html: string, id: string): string {
  const start = html.indexOf(`<section aria-labelledby="${id}">`);
  if (start === -1) throw new Error(`no section ${id}`);
  return html.slice(start, html.indexOf('</section>', start) + '</section>'.length);
}

/** Rows of the tables in a part of a page, each as the texts of its cells. */
export function rowsOf(html: string): string[][] {
  return Array.from(html.matchAll(/<tr\b[^>]*>(.*?)<\/tr>/gs), ([, row = '']) =>
    Array.from(row.matchAll(/<t[dh]\b[^>]*>(.*?)<\/t[dh]>/gs), ([, cell = '']) => textOf(cell)),
  );
}
