import { describe, expect, test } from 'vitest';
import { EVENT_GROUPS } from '../../../lib/report/event-groups.ts';
import { STYLE } from '../../../lib/report/style.ts';

type Palette = Readonly<Record<string, string>>;

const [light, dark] = Array.from(STYLE.matchAll(/:root\{([^}]*)\}/g), ([, body = '']): Palette =>
  Object.fromEntries(
    Array.from(body.matchAll(/--([\w-]+):(#[0-9a-f]+)/g), ([, name = '', value = '']) => [name, value]),
  ),
);

/** WCAG 2.2, "contrast ratio". */
function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const digits = colour.length === 4 ? colour.replace(/[0-9a-f]/g, '$&$&') : colour;
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(digits.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

describe.for([
  ['light', light ?? {}],
  ['dark', dark ?? {}],
] as const)('the %s colours', ([, palette]) => {
  const of = (name: string): string => palette[name] ?? expect.fail(`no colour ${name}`);

  test('let text be read, in charts too', () => {
    const pairs = [
      ...['ink', 'soft', 'link'].flatMap((ink) => [
        [ink, 'page'],
        [ink, 'card'],
      ]),
      ['alarm-ink', 'alarm'],
      ['alarm-ink', 'card'],
      ['calm-ink', 'calm'],
      ['warn-ink', 'warn'],
      ...[1, 2, 3].map((level) => ['low-ink', `l${level}`]),
      ...[4, 5].map((level) => ['high-ink', `l${level}`]),
    ];
    const poor = pairs.filter(([ink = '', ground = '']) => contrast(of(ink), of(ground)) < 4.5);
    expect(poor).toEqual([]);
  });

  test('set series and bars off from their ground', () => {
    const marks = [...EVENT_GROUPS, 'main', 'bad', 'else'];
    expect(marks.filter((mark) => contrast(of(mark), of('card')) < 3)).toEqual([]);
  });

  test('give each meaning a colour of its own: an error looks like nothing that events do', () => {
    const colours = [...EVENT_GROUPS, 'main', 'bad'].map(of);
    expect(new Set(colours).size).toBe(colours.length);
  });
});
