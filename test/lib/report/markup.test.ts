import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { markup } from '../../../lib/report/markup.ts';

test('what is put in is escaped, and markup is not', () => {
  const inner = markup`<b title="${'"\'&'}">${'<script>'}</b>`;
  expect(markup`<p>${inner}${[1, ' & ', false, undefined, ['<', inner]]}</p>`.html).toBe(
    '<p><b title="&quot;&#39;&amp;">&lt;script&gt;</b>1 &amp; &lt;<b title="&quot;&#39;&amp;">&lt;script&gt;</b></p>',
  );
});

test('no text gets out of where it is put', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const { html } = markup`<p>${text}</p>`;
      expect(html.startsWith('<p>') && html.endsWith('</p>')).toBe(true);
      expect(html.slice('<p>'.length, -'</p>'.length)).not.toMatch(/[<>"']/);
    }),
  );
});
