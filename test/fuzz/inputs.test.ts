import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRequest, resolveRequest, settingsFor } from '../../lib/backfill/request.ts';
import { readEndStep, readPlanStep, readWindowsStep } from '../../lib/backfill/steps.ts';
import { type DumpArguments, readDumpOptions } from '../../lib/command/dump-options.ts';
import { makeProgram } from '../../lib/command/program.ts';
import { readOptionFiles } from '../../lib/connection/option-files.ts';
import { InputError } from '../../lib/core/errors.ts';
import { readSettings } from '../../lib/config/settings.ts';
import { scheduledTime } from '../../lib/schedule/scheduled-time.ts';
import { MARK, RUNS, expectOwnErrors, nearly, secretText } from './holds.ts';

const NOW = Date.UTC(2026, 10, 25) / 1000;
const settings = readSettings({ STAR_BUCKET: 'traces', STAR_SECRET: 'nova' });

const time = fc.constantFrom(
  '2026-11-01',
  '2026-11-08T00:00:00Z',
  '2026-11-01T12:00:00+01:00',
  'yesterday',
  '',
  '2026-02-30',
  '9999-12-31',
);
/** Deeper than the stack goes, at the most. */
const deep = fc.tuple(fc.integer({ min: 1, max: 20_000 }), fc.boolean()).map(([depth, isList]) => {
  let made: unknown = 'x';
  for (let at = 0; at < depth; at++) made = isList ? [made] : { made };
  return made;
});
const anything = fc.oneof(
  { weight: 6, arbitrary: time },
  { weight: 6, arbitrary: fc.anything({ maxDepth: 2 }) },
  deep,
  fc.constantFrom(true, 4, 0, -1, ['csv'], ['csv', 'csv'], 'csv'),
);

const event = fc.dictionary(
  fc.constantFrom(
    'start',
    'end',
    'release',
    'formats',
    'compression',
    'concurrency',
    'cut',
    'dryRun',
    'scheduledTime',
    'time',
    'source',
    'detail',
    'plan',
    'execution',
    'group',
    'request',
    'verify',
    'groups',
    'sweep',
    '__proto__',
  ),
  anything,
  { maxKeys: 6 },
);

const REQUESTS = [
  { start: '2026-11-01', end: '2026-11-08', concurrency: 4, cut: true },
  { start: '2026-11-01', end: '2026-11-08', release: '2026.1', formats: ['csv'], dryRun: true },
];
const [REQUEST] = REQUESTS;
const SCHEDULED = [
  { scheduledTime: '2026-11-08T00:45:00Z' },
  { 'detail-type': 'Scheduled Event', source: 'aws.events', time: '2026-11-08T00:45:00Z', detail: {} },
];
const GROUP = {
  start: '2026-11-01T00:00:00Z',
  end: '2026-11-08T00:00:00Z',
};
const PLAN = [{ plan: REQUEST, execution: 'one' }];
const WINDOWS = [{ group: GROUP, request: REQUEST, execution: 'one' }];
const END = [
  { verify: { request: REQUEST, execution: 'one', groups: [GROUP] } },
  { sweep: true },
  { source: 'aws.states', detail: { name: 'one', status: 'FAILED' } },
];

/** As a handler does it that meets a trace which nobody has begun. */
function readBackfill(input: unknown): object {
  const asked = readRequest(input);
  return resolveRequest(asked, undefined, settingsFor(asked, settings), NOW);
}

describe('Whatever comes, it is read or refused:', () => {
  test('events of every context', async () => {
    const readers = [
      [(input: unknown) => scheduledTime(input, NOW), SCHEDULED],
      [readBackfill, REQUESTS],
      [readPlanStep, PLAN],
      [readWindowsStep, WINDOWS],
      [readEndStep, END],
    ] as const;
    for (const [read, bases] of readers) {
      const { accepted, refused } = await expectOwnErrors(
        'events',
        fc.oneof(nearly(bases, anything), event, fc.anything()),
        read,
      );
      expect(Math.min(accepted, refused)).toBeGreaterThan(0);
    }
  });

  test('settings, and of secrets that were put in the place of their names nothing is told', async () => {
    const names = [
      'STAR_PREFIX',
      'STAR_CLOUD',
      'STAR_WINDOW_MINUTES',
      'STAR_SETTLE_MINUTES',
      'STAR_OPEN_HORIZON_DAYS',
      'STAR_EPOCH',
      'STAR_FORMATS',
      'STAR_FORMAT_VERSION',
      'STAR_LICENCE',
      'STAR_REPORT',
      'STAR_PRIVACY_LIMIT_PERCENT',
      'STAR_PRIVACY_SERVERS_LIMIT_PERCENT',
      'STAR_MASKING',
      'STAR_ALLOW_UNSAFE_MASKING',
      'STAR_EXCLUDE_USERS',
      'STAR_EXCLUDE_PROJECTS',
      'STAR_HOST_FROM',
      'STAR_MACHINES',
      'STAR_RETIRED_CELLS',
      'STAR_API_CONCURRENCY',
      'STAR_API_SWEEP_HOURS',
      'STAR_ALLOW_PARTIAL',
      'STAR_BACKFILL_MACHINE',
      'STAR_BACKFILL_SECRETS',
      'STAR_BUCKET',
      'STAR_UNKNOWN',
    ];
    const plain = fc.oneof(
      time,
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        '1440',
        '60',
        '7',
        'csv',
        'csv,jsonl',
        'true',
        'false',
        '0.3',
        '100',
        'none',
        'sha2-salted',
        'event',
      ),
    );
    // An ARN or a name, and now and then the secret itself.
    const place = fc.oneof({ weight: 5, arbitrary: fc.constantFrom('nova', `star/${MARK}`) }, secretText);
    const environment = fc
      .tuple(fc.dictionary(fc.constantFrom(...names), plain, { maxKeys: 3 }), place, place)
      .map(([env, secret, masks]) => ({
        STAR_BUCKET: 'traces',
        ...env,
        STAR_SECRET: secret,
        STAR_MASKING_SECRET: masks,
      }));
    const { accepted, refused } = await expectOwnErrors('settings', environment, readSettings);
    expect(Math.min(accepted, refused)).toBeGreaterThan(0);
  });

  describe('option files', () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'star-compactor-fuzz-'));
    });
    afterAll(() => rm(folder, { recursive: true }));

    test('and nothing of a value is told', async () => {
      const line = fc.oneof(
        fc
          .tuple(
            fc.constantFrom('password', 'host', 'port', 'ssl-ca', 'loose-x', 'user'),
            fc.constantFrom('=', ' = ', '', ':', ' '),
            secretText,
          )
          .map((parts) => parts.join('')),
        fc.constantFrom(
          '[client]',
          '[mysql]',
          '[',
          '[x',
          '!include x',
          '!includedir .',
          '# x',
          '; x',
          '!',
          '=',
        ),
      );
      const file = join(folder, 'my.cnf');
      await expectOwnErrors(
        'option files',
        fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n')),
        async (text) => {
          await writeFile(file, text, { mode: 0o600 });
          await readOptionFiles([file]);
        },
        Math.min(RUNS, 5000),
      );
    });
  });

  test('arguments of the command line', async () => {
    const option = fc.constantFrom(
      '--start',
      '--end',
      '--epoch',
      '--format-version',
      '--masking',
      '--host-from',
      '--settle-minutes',
      '--port',
      '--ssl',
      '--unknown',
      '-x',
    );
    const flag = fc.constantFrom('--jsons', '--parquet', '-v', '--debug', '--', '-');
    const words = fc.array(
      fc.oneof(
        fc.tuple(option, fc.oneof(time, fc.string(), fc.constantFrom('0.2', '0.3', 'none', '30'))),
        flag.map((each) => [each]),
      ),
      { maxLength: 5 },
    );
    const nothing = (): Promise<void> => Promise.resolve();
    const program = (): ReturnType<typeof makeProgram> => {
      const read = async (path: string, given: DumpArguments): Promise<void> =>
        void (await readDumpOptions(path, given, NOW));
      const made = makeProgram({
        dumpDatabase: read,
        dumpApi: read,
        doctor: nothing,
        publish: nothing,
        backfill: nothing,
        verify: nothing,
      });
      for (const each of [made, ...made.commands])
        each.configureOutput({ writeErr: () => undefined, writeOut: () => undefined }).exitOverride();
      return made;
    };
    await expectOwnErrors(
      'arguments',
      words,
      async (parts) => {
        try {
          await program().parseAsync(['db-dump', ...parts.flat(), 'dump.csv'], { from: 'user' });
        } catch (error) {
          // The parser's own refusal is one of an input.
          if (!(error instanceof CommanderError) || error.exitCode > 1) throw error;
          throw new InputError('refused by the parser', { cause: error });
        }
      },
      Math.min(RUNS, 5000),
    );
  });
});
