import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { TOOL } from '../../../lib/drop/manifest.ts';

test('a manifest names the tool and version of package.json', async () => {
  const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
  expect(JSON.parse(text)).toMatchObject(TOOL);
});
