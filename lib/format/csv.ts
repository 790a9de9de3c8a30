import { stringify } from 'csv-stringify/sync';
import type { MaskedInstance } from '../mask/masked-event.ts';
import { onceForEach } from '../collections/once-for-each.ts';
import { remember } from '../collections/remember.ts';
import { createClock, secondsSince } from './clock.ts';
import { type TraceVersion, csvColumns } from './columns.ts';
import { GZIP } from './gzip.ts';
import type { Format } from './format.ts';
import { joinPieces, rememberNumbers, tellTexts } from './pieces.ts';

/**
 * CSV as the published Chameleon traces have it: RFC 4180 quoting, a header line, `\n` at line ends. Version 0.3 has
 * the server's sizes in a last column, PROPERTIES, as JSON.
 */
export function csv(version: TraceVersion): Format {
  const columns = csvColumns(version);
  return {
    name: 'csv',
    version,
    columns,
    ...GZIP,
    encoder(epoch, onText) {
      const tell = tellTexts(onText);
      const clock = createClock();
      const time = rememberNumbers((at) => tell(flat(clock(at), secondsSince(epoch, at), '')));
      const duration = rememberNumbers((seconds) => tell(flat(seconds, '')));
      const text = remember((value: string | null) => tell(`${field(value)},`));
      const host = remember((value: string | null) => tell(field(value)));
      const ofInstance = onceForEach((instance: MaskedInstance) => ({
        start: tell(flat(field(instance.uuid), '')),
        middle: tell(
          version === '0.2' ? flat(sizes(instance), names(instance), '') : flat(names(instance), ''),
        ),
        end: tell(version === '0.2' ? '\n' : `,${properties(instance)}\n`),
      }));
      return {
        head: tell(`${columns.map(field).join(',')}\n`),
        rows: joinPieces((event, put) => {
          const { start, middle, end } = ofInstance(event.instance);
          put(start);
          put(text(event.event));
          put(time(event.start));
          put(time(event.finish));
          put(duration(event.finish - event.start));
          put(text(event.result));
          put(middle);
          put(host(event.host));
          put(end);
        }),
        tail: () => '',
      };
    },
  };
}

/** Fields in one piece. A template would leave a tree of strings, to be walked again for every row. */
function flat(...fields: readonly (string | number)[]): string {
  return fields.join(',');
}

function names({ hostname, userId, projectId }: MaskedInstance): string {
  return `${field(hostname)},${field(userId)},${field(projectId)}`;
}

function sizes({ memoryMb, rootGb, vcpus }: MaskedInstance): string {
  return `${memoryMb ?? ''},${rootGb ?? ''},${vcpus ?? ''}`;
}

/** Valid JSON in a fixed order of keys; what is unknown is null. */
function properties({ memoryMb, rootGb, vcpus }: MaskedInstance): string {
  return field(`{"memory_mb": ${memoryMb}, "root_gb": ${rootGb}, "vcpus": ${vcpus}}`);
}

/** Masks and event names need no quoting and are by far the most; the library sees to everything else. */
function field(value: string | null): string {
  if (value === null) return '';
  return PLAIN.test(value) ? value : stringify([[value]], { eof: false, quoted_match: /[\r\n]/ });
}

const PLAIN = /^[\w.:-]*$/;
