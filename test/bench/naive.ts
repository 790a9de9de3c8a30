/*
 * A straightforward pipeline of the usual libraries, as a yardstick: the driver's stream of row objects, one hash for
 * every value that is masked, csv-stringify, gzip. It does not upload. `naive.ts SELECT`, the database in NAIVE_DSN.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { stringify } from 'csv-stringify';
import { createConnection } from 'mysql2';

const [, , select = ''] = process.argv;
const EPOCH = Date.UTC(2015, 8, 6, 23, 31, 16);
const secret = randomBytes(32);

interface Row {
  uuid: string;
  event: string;
  start_time: Date;
  finish_time: Date;
  result: string;
  memory_mb: number;
  root_gb: number;
  vcpus: number;
  hostname: string;
  user_id: string;
  project_id: string;
  instance_host: string | null;
  event_host: string | null;
}

const mask = (value: string | null): string | null =>
  value === null ? null : createHash('sha256').update(secret).update(value).digest('hex').slice(0, 32);
const since = (time: Date): number => Math.max(-1, (time.getTime() - EPOCH) / 1000);
const text = (time: Date): string => time.toISOString().slice(0, 19);

const connection = createConnection({ uri: process.env['NAIVE_DSN'] ?? '', timezone: 'Z' });
let rows = 0;
let bytes = 0;
await pipeline(
  connection.query(select).stream(),
  new Transform({
    objectMode: true,
    transform(row: Row, _, done) {
      rows++;
      const ranThere = row.event.startsWith('compute_');
      done(null, {
        INSTANCE_UUID: mask(row.uuid),
        EVENT: row.event,
        START_TIME: text(row.start_time),
        START_SEC: since(row.start_time),
        FINISH_TIME: text(row.finish_time),
        FINISH_SEC: since(row.finish_time),
        EVENT_DURATION: (row.finish_time.getTime() - row.start_time.getTime()) / 1000,
        RESULT: row.result,
        MEMORY_MB: row.memory_mb,
        DISK_GB: row.root_gb,
        VCPUS: row.vcpus,
        INSTANCE_NAME: mask(row.hostname),
        USER_ID: mask(row.user_id),
        PROJECT_ID: mask(row.project_id),
        'HOST_NAME (PHYSICAL)': mask(
          ranThere ? (row.event_host ?? row.instance_host) : (row.instance_host ?? row.event_host),
        ),
      });
    },
  }),
  stringify({ header: true }),
  createGzip(),
  new Writable({
    write(chunk: Buffer, _, done) {
      bytes += chunk.length;
      done();
    },
  }),
);
connection.end();
process.stdout.write(JSON.stringify({ rows, bytes, peakMiB: process.resourceUsage().maxRSS / 1024 }));
