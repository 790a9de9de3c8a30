import { type Content, markup, styleSheet } from './markup.ts';
import { STYLE } from './style.ts';

export interface Document {
  /** Of the browser's tab. */
  readonly title: string;
  readonly header: Content;
  readonly main: Content;
  readonly footer: Content;
}

/**
 * A page in a single file that loads nothing else: no script, no font, no image. The policy makes the browser enforce
 * that. The empty icon keeps the browser from requesting one.
 */
export function documentOf({ title, header, main, footer }: Document): string {
  return markup`<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
${styleSheet(STYLE)}
</head>
<body>
<header>${header}</header>
<main>${main}</main>
<footer>${footer}</footer>
</body>
</html>
`.html;
}
