import { type Content, type Markup, markup } from './markup.ts';

/** An event's name, which may be broken after each underscore: on a phone it would not fit otherwise. */
export function eventName(event: string): Markup {
  const parts = event.split(/(?<=_)(?!_)/);
  return markup`<code>${parts.map((part, at): Content => [at > 0 && markup`<wbr>`, part])}</code>`;
}

export const NAMELESS = '(no name)';
