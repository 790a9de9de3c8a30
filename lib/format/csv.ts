import { stringify } from 'csv-stringify/sync';
import type { TraceVersion } from '../config/choices.ts';
import { type Column, PROPERTIES } from '../tables/table.ts';
import { createClock } from './clock.ts';
import type { Format } from './format.ts';
import { type Run, joinPieces } from './pieces.ts';

/**
 * CSV as the published Chameleon traces have it: RFC 4180 quoting, a header line, `\n` at line ends, times without a
 * zone. Version 0.3 has some columns (a server's sizes) as JSON in a last one, PROPERTIES.
 */
export function csv(version: TraceVersion): Format {
  return {
    name: 'csv',
    version,
    columns: (columns) => columnsOf(columns, version).map(({ csv: name }) => name),
    encoder(table, epoch) {
      const clock = createClock();
      const columns = columnsOf(table.columns, version);
      const fieldOf = ({ type, value }: Column<never>): ((part: never) => string) => {
        switch (type) {
          case 'string':
            return (part) => field(value(part, epoch) as string | null);
          case 'timestamp':
            return (part) => {
              const time = value(part, epoch) as number | null;
              return time === null ? '' : clock(time);
            };
          case 'boolean':
          case 'integer':
            return (part) => String(value(part, epoch) ?? '');
        }
      };
      const render = (run: Run<never>): ((part: never) => string) => {
        const fields = run.columns.map(fieldOf);
        // Joined at once: a template would leave a tree of strings, to be walked again for every row.
        const texts = run.isFirst ? [] : [''];
        const first = texts.length;
        return (part) => {
          for (let nth = 0; nth < fields.length; nth++)
            texts[first + nth] = (fields[nth] as (part: never) => string)(part);
          if (run.isLast) texts[texts.length - 1] += '\n';
          return texts.join(',');
        };
      };
      return {
        head: `${columns.map(({ csv: name }) => field(name)).join(',')}\n`,
        rows: joinPieces(columns, shareAlike(render)),
        tail: () => '',
      };
    },
  };
}

/** A line does not name its columns, so runs of the same values, such as a start and a finish, have one renderer. */
function shareAlike(render: (run: Run<never>) => (part: never) => string): typeof render {
  const made: { run: Run<never>; rendered: (part: never) => string }[] = [];
  return (run) => {
    const known = made.find((one) => isAlike(one.run, run));
    if (known !== undefined) return known.rendered;
    const rendered = render(run);
    made.push({ run, rendered });
    return rendered;
  };
}

function isAlike(a: Run<never>, b: Run<never>): boolean {
  return (
    a.isFirst === b.isFirst &&
    a.isLast === b.isLast &&
    a.columns.length === b.columns.length &&
    a.columns.every(({ type, value }, nth) => {
      const other = b.columns[nth];
      return type === other?.type && value === other.value;
    })
  );
}

type Named = Pick<Column<never>, 'csv' | 'jsonl' | 'inProperties' | 'property' | 'spread' | 'inCsv'>;

function columnsOf<C extends Named>(all: readonly C[], version: TraceVersion): C[] {
  const columns = all.filter(({ inCsv }) => inCsv);
  const folded = all.filter(({ inProperties }) => inProperties);
  const [first] = folded;
  if (version === '0.2' || first === undefined) return [...columns];
  return [...columns.filter(({ inProperties }) => !inProperties), properties(first, folded)];
}

/** Valid JSON in a fixed order of keys; what is unknown is null. All columns in it are of one part. */
function properties<C extends Named>(like: C, folded: readonly C[]): C {
  const value: Column<never>['value'] = (part, epoch) => {
    const pairs = (folded as readonly (C & Column<never>)[]).flatMap((one) => {
      const text = one.value(part, epoch);
      if (one.spread === true) return text === null ? [] : pairsOf(text as string);
      return [pair(one.property ?? one.jsonl, text)];
    });
    return `{${pairs.join(', ')}}`;
  };
  return { ...like, csv: PROPERTIES, type: 'string', value };
}

function pair(name: string, value: unknown): string {
  return `${JSON.stringify(name)}: ${JSON.stringify(value)}`;
}

function pairsOf(json: string): string[] {
  return Object.entries(JSON.parse(json) as object).map(([name, value]) => pair(name, value));
}

/** Most fields are masks and event names, which need no quoting; the library quotes everything else. */
function field(value: string | null): string {
  if (value === null) return '';
  return PLAIN.test(value) ? value : stringify([[value]], { eof: false, quoted_match: /[\r\n]/ });
}

const PLAIN = /^[\w.:-]*$/;
