import { type Content, type Markup, markup } from '../markup.ts';

/** A part of a page under its own heading. */
export function section(id: string, title: string, ...content: readonly Content[]): Markup {
  return markup`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
${content}</section>
`;
}
