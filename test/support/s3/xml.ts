/** Text that is already XML, as opposed to text that has still to be escaped. */
export interface Xml {
  readonly xml: string;
}

const xmlNamespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** An element of children made with `element`, or of plain text, which is escaped. */
export function element(name: string, ...content: (Xml | string | number | boolean)[]): Xml {
  const inner = content.map((item) => (typeof item === 'object' ? item.xml : escape(String(item)))).join('');
  const [tag] = name.split(' ');
  return { xml: `<${name}>${inner}</${tag}>` };
}

/** An element that is left out where there is nothing to say. */
export function optional(name: string, value: string | number | undefined): Xml {
  return value === undefined ? { xml: '' } : element(name, value);
}

export function rootElement(name: string, ...children: Xml[]): string {
  return xmlDocument(element(`${name} xmlns="${xmlNamespace}"`, ...children));
}

export function xmlDocument(root: Xml): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root.xml}`;
}

/** The contents of every `<name>` in `xml`. Enough for the flat documents that S3 is sent. */
export function contentsOf(xml: string, name: string): string[] {
  const pattern = new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g');
  return [...xml.matchAll(pattern)].map((match) => match[1] ?? '');
}

export function textOf(xml: string, name: string): string | undefined {
  const [content] = contentsOf(xml, name);
  return content === undefined ? undefined : unescape(content);
}

function escape(text: string): string {
  // Control characters go as references, as S3 sends them: a raw CR would be read back as LF.
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[&<>"\u0000-\u001f]/g, (c) => named[c] ?? `&#x${c.charCodeAt(0).toString(16)};`);
}

const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const characters: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescape(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal) return String.fromCodePoint(Number(decimal));
    return characters[name] ?? whole;
  });
}
