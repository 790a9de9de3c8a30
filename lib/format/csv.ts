import { stringify } from 'csv-stringify/sync';
import type { MaskedEvent, MaskedInstance } from '../mask/masked-event.ts';
import { onceForEach } from '../once-for-each.ts';
import { createClock, secondsSince } from './clock.ts';
import { COLUMNS, TRACE_VERSION } from './columns.ts';
import { GZIP } from './gzip.ts';
import type { Format } from './format.ts';

/** CSV 0.2 as the published Chameleon traces have it: RFC 4180 quoting, a header line, `\n` at line ends. */
export const csv: Format = {
  name: 'csv',
  version: TRACE_VERSION,
  extension: 'csv.gz',
  columns: COLUMNS.map((column) => column.csv),
  ...GZIP,
  encoder(epoch) {
    const clock = createClock();
    const sizesAndNames = onceForEach(
      ({ memoryMb, rootGb, vcpus, hostname, userId, projectId }: MaskedInstance) =>
        [memoryMb ?? '', rootGb ?? '', vcpus ?? '', field(hostname), field(userId), field(projectId)].join(
          ',',
        ),
    );

    const row = ({ instance, event, start, finish, result, host }: MaskedEvent): string =>
      `${field(instance.uuid)},${field(event)},${clock(start)},${secondsSince(epoch, start)},` +
      `${clock(finish)},${secondsSince(epoch, finish)},${finish - start},${field(result)},` +
      `${sizesAndNames(instance)},${field(host)}\n`;

    return {
      head: `${COLUMNS.map((column) => field(column.csv)).join(',')}\n`,
      rows: (events) => events.map(row).join(''),
    };
  },
};

/** Masks and event names need no quoting and are by far the most; the library sees to everything else. */
function field(value: string | null): string {
  if (value === null) return '';
  return PLAIN.test(value) ? value : stringify([[value]], { eof: false, quoted_match: /[\r\n]/ });
}

const PLAIN = /^[\w.:-]*$/;
