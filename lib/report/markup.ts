declare const escaped: unique symbol;

/** Text that is HTML. Only `markup` makes it, so that nothing gets into a page unescaped. */
export interface Markup {
  readonly [escaped]: true;
  readonly html: string;
}

export type Content = string | number | Markup | false | undefined | readonly Content[];

/** A template of HTML, also within attributes in double quotes: whatever is put in is escaped unless it is markup. */
export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  let html = strings[0] ?? '';
  for (const [at, value] of values.entries()) html += render(value) + (strings[at + 1] ?? '');
  return { html } as Markup;
}

/** Inserts a style sheet unescaped. It is part of the program and contains no outside text. */
export function styleSheet(css: string): Markup {
  return { html: `<style>${css}</style>` } as Markup;
}

function render(value: Content): string {
  if (value === undefined || value === false) return '';
  if (typeof value === 'string') return escape(value);
  if (typeof value === 'number') return String(value);
  return 'html' in value ? value.html : value.map(render).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
