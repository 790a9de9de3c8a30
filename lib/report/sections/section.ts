import { type Content, type Markup, markup } from '../markup.ts';

/** A part of a page under its own heading, which the list of contents names. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Markup;
}

export function section(id: string, title: string, ...content: readonly Content[]): Section {
  return {
    id,
    title,
    body: markup`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
${content}</section>
`,
  };
}

/** Links to the parts of the page. */
export function contents(sections: readonly Section[]): Markup {
  return markup`<nav class="contents" aria-label="Contents"><ul>${sections.map(
    ({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>`,
  )}</ul></nav>
`;
}
