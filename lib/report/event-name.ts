import { type Content, type Markup, markup } from './markup.ts';

const NAMELESS = '(no name)';
/** Nova's own names are shorter; its column holds 255 characters. */
const LONGEST = 64;

/** The name in plain text, short enough for a chart. */
export function eventText(event: string | null): string {
  if (event === null || event === '') return NAMELESS;
  return event.length > LONGEST ? `${event.slice(0, LONGEST - 1)}…` : event;
}

/** The same text with a possible line break after each underscore, so that it fits a phone. */
export function eventLabel(text: string): Markup {
  const parts = text.split(/(?<=_)(?!_)/);
  // Isolated, so that a name in a right-to-left script does not reorder the numbers beside it.
  return markup`<code dir="auto">${parts.map((part, at): Content => [at > 0 && markup`<wbr>`, part])}</code>`;
}
