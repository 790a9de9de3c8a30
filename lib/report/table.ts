import { type Content, type Markup, markup } from './markup.ts';

export interface Table {
  readonly caption: string;
  /** The first is that of the rows' names; all others stand over numbers. */
  readonly head: readonly Content[];
  readonly rows: readonly TableRow[];
}

export interface TableRow {
  readonly name: Content;
  /** Under the name. Says nothing that the cells do not, so that it is not read out. */
  readonly bars?: readonly Bar[];
  readonly cells: readonly Content[];
  /** Sums, and what stands for many. */
  readonly isSum?: boolean;
}

/** Parts from the left, each 0 to 1 of the full width, with the class that gives its looks. */
export type Bar = readonly { readonly share: number; readonly look: string }[];

export function table({ caption, head, rows }: Table): Markup {
  const [first, ...others] = head;
  const body = rows.map(
    ({ name, bars = [], cells, isSum }) =>
      markup`<tr${isSum === true && markup` class="sum"`}><th scope="row">${name}${bars.map(bar)}</th>${cells.map((cell) => markup`<td>${cell}</td>`)}</tr>\n`,
  );
  return markup`<table><caption>${caption}</caption>
<thead><tr><th scope="col">${first}</th>${others.map((text) => markup`<th scope="col">${text}</th>`)}</tr></thead>
<tbody>${body}</tbody></table>`;
}

/** A table that may be wider than the page, and scrolls by itself, with the keyboard, too. */
export function wideTable(content: Table): Markup {
  return markup`<div class="wide" role="region" tabindex="0" aria-label="${content.caption}">${table(content)}</div>`;
}

/** The numbers behind a chart, on demand. */
export function dataOf(content: Table): Markup {
  return markup`<details><summary>${content.caption} as a table</summary>${wideTable(content)}</details>`;
}

function bar(parts: Bar): Markup {
  const shown = parts.filter(({ share }) => share > 0);
  return markup`<span class="bars" aria-hidden="true">${shown.map(
    ({ share, look }) => markup`<i class="${look}" style="width:${Math.round(share * 10_000) / 100}%"></i>`,
  )}</span>`;
}
