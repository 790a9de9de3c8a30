import { type Content, type Markup, markup } from './markup.ts';

export interface Table {
  readonly caption: string;
  /** The first is that of the rows' names; all others stand over numbers. */
  readonly head: readonly Content[];
  readonly rows: readonly TableRow[];
  /** Full width of the page: bars are beside names; on a phone names have a separate line. */
  readonly isFull?: boolean;
}

export interface TableRow {
  readonly name: Content;
  /** Under the name. Repeats what the cells contain, so screen readers skip it. */
  readonly bars?: readonly Bar[];
  readonly cells: readonly Content[];
  /** `head`: of all rows, or of those that follow. `sum`: stands for many that are not shown. */
  readonly look?: 'head' | 'sum';
}

/** Parts from the left, each 0 to 1 of the full width, with its CSS class. */
export type Bar = readonly { readonly share: number; readonly look: string }[];

/**
 * The roles repeat the elements' meaning, because some browsers drop it once a style sheet changes the layout of a
 * table, as that of the pages does on a phone.
 */
export function table({ caption, head, rows, isFull = false }: Table): Markup {
  const [first, ...others] = head;
  const column = (text: Content): Markup => markup`<th scope="col" role="columnheader">${text}</th>`;
  const body = rows.map(
    ({ name, bars = [], cells, look }) =>
      markup`<tr role="row"${look !== undefined && markup` class="${look}"`}><th scope="row" role="rowheader">${named(name, bars)}</th>${cells.map((cell) => markup`<td role="cell">${cell}</td>`)}</tr>\n`,
  );
  return markup`<table role="table"${isFull && markup` class="full" style="--columns:${others.length}"`}><caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${column(first)}${others.map(column)}</tr></thead>
<tbody role="rowgroup">${body}</tbody></table>`;
}

/** A table that may be wider than the page, and scrolls by itself, with the keyboard, too. */
export function wideTable(content: Table): Markup {
  return markup`<div class="wide" role="region" tabindex="0" aria-label="${content.caption}, as a table">${table(content)}</div>`;
}

/** The numbers behind a chart, on demand. */
export function dataOf(content: Table): Markup {
  return markup`<details><summary>${content.caption} as a table</summary>${wideTable(content)}</details>`;
}

function named(name: Content, bars: readonly Bar[]): Content {
  if (bars.length === 0) return name;
  return markup`<div class="barred"><span>${name}</span><div>${bars.map(bar)}</div></div>`;
}

function bar(parts: Bar): Markup {
  const shown = parts.filter(({ share }) => share > 0);
  return markup`<span class="bars" aria-hidden="true">${shown.map(
    ({ share, look }) => markup`<i class="${look}" style="width:${Math.round(share * 10_000) / 100}%"></i>`,
  )}</span>`;
}
