import { stringify } from 'csv-stringify/sync';
import type { MaskedEvent, MaskedInstance } from '../mask/masked-event.ts';
import { onceForEach } from '../once-for-each.ts';
import { createClock, secondsSince } from './clock.ts';
import { type TraceVersion, csvColumns } from './columns.ts';
import { GZIP } from './gzip.ts';
import type { Format } from './format.ts';

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
    encoder(epoch) {
      const clock = createClock();
      const names = ({ hostname, userId, projectId }: MaskedInstance): string =>
        `${field(hostname)},${field(userId)},${field(projectId)}`;
      const sizesAndNames = onceForEach((instance: MaskedInstance) =>
        version === '0.2' ? `${sizes(instance)},${names(instance)}` : names(instance),
      );
      const lineEnd =
        version === '0.2'
          ? () => '\n'
          : onceForEach((instance: MaskedInstance) => `,${properties(instance)}\n`);

      const row = ({ instance, event, start, finish, result, host }: MaskedEvent): string =>
        `${field(instance.uuid)},${field(event)},${clock(start)},${secondsSince(epoch, start)},` +
        `${clock(finish)},${secondsSince(epoch, finish)},${finish - start},${field(result)},` +
        `${sizesAndNames(instance)},${field(host)}${lineEnd(instance)}`;

      return {
        head: `${columns.map(field).join(',')}\n`,
        rows: (events) => events.map(row).join(''),
        tail: () => '',
      };
    },
  };
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
