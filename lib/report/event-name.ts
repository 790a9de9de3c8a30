import { type Content, type Markup, markup } from './markup.ts';

const NAMELESS = '(no name)';
/** Nova's own names are shorter; its column holds 255 characters. */
const LONGEST = 64;

/** The name in plain text, of a length that a chart can bear. */
export function eventText(event: string | null): string {
  if (event === null || event === '') return NAMELESS;
  return event.length > LONGEST ? `${event.slice(0, LONGEST - 1)}…` : event;
}

/** Such a text, which may be broken after each underscore: on a phone it would not fit otherwise. */
export function eventLabel(text: string): Markup {
  const parts = text.split(/(?<=_)(?!_)/);
  // Its own direction, so that a name in another script does not turn around the numbers beside it.
  return markup`<code dir="auto">${parts.map((part, at): Content => [at > 0 && markup`<wbr>`, part])}</code>`;
}
