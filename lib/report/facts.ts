import { type Content, type Markup, markup } from './markup.ts';

/** A figure with its name, and a word about it. */
export interface Fact {
  readonly name: string;
  readonly value: Content;
  readonly note?: Content;
}

/** The few that stand out. */
export function tiles(facts: readonly Fact[]): Markup {
  return markup`<dl class="tiles">${facts.map(pair)}</dl>`;
}

/** Name beside value. */
export function factList(facts: readonly Fact[]): Markup {
  return markup`<dl class="facts">${facts.map(pair)}</dl>`;
}

function pair({ name, value, note }: Fact): Markup {
  return markup`<div><dt>${name}</dt><dd>${value}${note !== undefined && markup`<small>${note}</small>`}</dd></div>`;
}
