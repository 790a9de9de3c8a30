import { readFile } from 'node:fs/promises';

/** The blocks of one language on a page, in order. @param page path from the top, such as `docs/querying.md` */
export async function blocksOf(page: string, language: string): Promise<string[]> {
  const text = await readFile(new URL(`../../${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/^ *```(\w+)\n(.*?)^ *```$/gms)]
    .filter(([, found]) => found === language)
    .map(([, , block = '']) => block);
}
