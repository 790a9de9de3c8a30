import { cp, mkdir, mkdtemp, readFile, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DAY } from '../../../lib/core/time.ts';
import type { Manifest, TableManifest } from '../../../lib/drop/manifest.ts';
import { placeOf } from '../../../lib/drop/place.ts';
import { openFolder } from '../../../lib/store/folder/folder-store.ts';
import type { Finding } from '../../../lib/verify/fault.ts';
import { verifyTrace } from '../../../lib/verify/verify-trace.ts';
import { gather } from '../../support/gather.ts';
import { afterDay, useCloudAndFolder } from '../../support/publish.ts';
import { sha256 } from '../../support/sha256.ts';

/*
 * A good trace of seven days, the last five by the schedule, the others by a backfill, and a release of two; for each
 * test a copy of it, in which something is wrong.
 */
const cloud = useCloudAndFolder({ days: 9, eventsPerDay: 30 });
const ROOT = 'cloud=test';
let good: string;
let folder: string;

beforeAll(async () => {
  good = await mkdtemp(join(tmpdir(), 'star-compactor-verify-'));
});
afterAll(() => rm(good, { recursive: true }));
beforeEach(async () => {
  if ((await readdir(good)).length === 0) await makeGood();
  folder = cloud.traces;
  await cp(good, folder, { recursive: true });
});

async function makeGood(): Promise<void> {
  const to = ['--to', good, '--formats', 'csv,jsonl,parquet', '--masking-secret', cloud.saltFile];
  for (const nth of [3, 7]) expect((await cloud.publish([...to, '--until', afterDay(nth)])).status).toBe(0);
  const backfill = ['--cloud', 'test', '--secret', cloud.secretFile, ...to];
  for (const more of [
    ['--start', '2025-08-02', '--end', '2025-08-04'],
    ['--start', '2025-08-02', '--end', '2025-08-04', '--release', 'r1', '--salt-file', cloud.saltFile],
  ])
    expect((await cloud.run('backfill', [...backfill, ...more])).status).toBe(0);
}

const path = (key: string): string => join(folder, key);
const manifestKey = (day: number, root = ROOT): string =>
  `${root}/manifests/date=2025-08-0${day}/2025080${day}T000000Z-2025080${day + 1}T000000Z.json`;
const dataKey = (day: number, end: string, root = ROOT): string =>
  `${root}/instance_events${end.startsWith('csv') ? '' : `_${end.split('.')[0]}`}/date=2025-08-0${day}/` +
  `instance_events-2025080${day}T000000Z-2025080${day + 1}T000000Z.${end}`;

const packageKey = (day: number, root = ROOT): string =>
  `${root}/2025080${day}T000000Z-2025080${day + 1}T000000Z.datapackage.json`;

type Editable = { -readonly [K in keyof Manifest]: Manifest[K] };

/** Changes a manifest; the chain of those behind it then no longer holds. */
async function edit(key: string, change: (manifest: Editable) => void): Promise<void> {
  const manifest = JSON.parse(await readFile(path(key), 'utf8')) as Editable;
  change(manifest);
  await writeFile(path(key), `${JSON.stringify(manifest, null, 2)}\n`);
}

const events = (manifest: Editable): TableManifest => manifest.tables['instance_events'] as TableManifest;

async function findings(options: { since?: number; trace?: string } = {}): Promise<readonly Finding[]> {
  await using store = await openFolder(folder, { create: false });
  const { since = -Infinity, trace = 'test' } = options;
  const place = placeOf({ prefix: '', cloud: trace }, store, new AbortController().signal);
  return gather(verifyTrace(place, { now: Date.now() / 1000, since, progress: () => undefined }));
}

const faults = async (options: { since?: number; trace?: string } = {}): Promise<string[]> =>
  (await findings(options)).filter(({ kind }) => kind === 'fault').map(({ text }) => text);
const notes = async (options: { trace?: string } = {}): Promise<string[]> =>
  (await findings(options)).filter(({ kind }) => kind === 'note').map(({ text }) => text);

/** Changes a JSON object of the trace. */
async function editJson(key: string, change: (value: never) => void): Promise<void> {
  const value: unknown = JSON.parse(await readFile(path(key), 'utf8'));
  change(value as never);
  await writeFile(path(key), JSON.stringify(value));
}

async function age(key: string, days: number): Promise<void> {
  const then = Date.now() / 1000 - days * DAY;
  await utimes(path(key), then, then);
}

test('A good trace, and a good release, have no findings', async () => {
  expect(await findings()).toEqual([]);
  expect(await findings({ trace: 'test-r1' })).toEqual([]);
  expect(await cloud.run('verify')).toEqual({
    status: 0,
    stdout: Buffer.from(''),
    stderr: 'test-r1: 2 drop(s), all as their manifests say\ntest: 7 drop(s), all as their manifests say\n',
  });
});

describe('A fault is found:', () => {
  test.each(['csv.gz', 'jsonl.gz', 'parquet'])('a bit of a %s that flipped', async (end) => {
    const key = dataKey(5, end);
    const bytes = await readFile(path(key));
    const at = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    await writeFile(path(key), bytes);
    expect(await faults()).toEqual([`${key}: has not the SHA-256 that the manifest says`]);
  });

  test('a file that is missing', async () => {
    await rm(path(dataKey(6, 'csv.gz')));
    expect(await faults()).toEqual([`${dataKey(6, 'csv.gz')}: is missing`]);
  });

  test('a manifest that is missing', async () => {
    await rm(path(manifestKey(6)));
    expect(await faults()).toEqual(
      [
        '2025-08-06T00:00:00Z/2025-08-07T00:00:00Z: no drop is there',
        `${manifestKey(7)}: names ${manifestKey(6)} as the drop before it, which is ${manifestKey(5)}`,
        `${packageKey(6)}: is in no manifest`,
        ...['csv.gz', 'jsonl.gz', 'parquet'].map((end) => `${dataKey(6, end)}: is in no manifest`),
        `${manifestKey(6).replace('.json', '.report.html')}: is in no manifest`,
      ].map((text) => expect.stringContaining(text) as string),
    );
  });

  test('the last manifest that is missing, which the checkpoint and the claim name', async () => {
    await rm(path(manifestKey(8)));
    const found = await faults();
    expect(found).toContain(`${manifestKey(8)}: is missing; the checkpoint names it`);
    expect(await notes()).toEqual([
      `${manifestKey(8)}: is missing; ${ROOT}/state/claim.json decided it, and the next run writes it`,
    ]);
  });

  test('a gap: a drop that is gone with all its files', async () => {
    for (const key of (await cloud.objects()).keys())
      if (key.startsWith(`${ROOT}/`) && key.includes('date=2025-08-06/')) await rm(path(key));
    await rm(path(packageKey(6)));
    expect(await faults()).toEqual([
      '2025-08-06T00:00:00Z/2025-08-07T00:00:00Z: no drop is there',
      `${manifestKey(7)}: names ${manifestKey(6)} as the drop before it, which is ${manifestKey(5)}`,
    ]);
  });

  test('an overlap', async () => {
    const key = `${ROOT}/manifests/date=2025-08-06/20250806T120000Z-20250807T000000Z.json`;
    await cp(path(manifestKey(6)), path(key));
    await edit(key, (manifest) => {
      manifest.window = { start: '2025-08-06T12:00:00Z', end: '2025-08-07T00:00:00Z' };
    });
    expect(await faults()).toContain(`${key}: overlaps ${manifestKey(6)}`);
  });

  test('an orphan', async () => {
    const key = `${ROOT}/instance_events/date=2025-08-06/again.csv.gz`;
    await cp(path(dataKey(6, 'csv.gz')), path(key));
    expect(await faults()).toEqual([`${key}: is in no manifest`]);
  });

  test.each(['csv', 'jsonl', 'parquet'])(
    'rows of %s that are not those that the manifest says',
    async (format) => {
      let rows = 0;
      await edit(manifestKey(8), (manifest) => {
        for (const file of events(manifest).files) {
          rows = file.rows;
          if (file.format === format) Object.assign(file, { rows: rows + 1 });
        }
      });
      const end = format === 'parquet' ? format : `${format}.gz`;
      const found = await faults();
      expect(found).toContain(`${dataKey(8, end)}: has ${rows} rows; the manifest says ${rows + 1}`);
      expect(found).toContain(
        `${manifestKey(8)}: says that ${dataKey(8, end)} has ${rows + 1} of the ${rows} rows of instance_events`,
      );
      expect(found).toContain(
        `${manifestKey(8)}: is not the manifest that the checkpoint names by its SHA-256`,
      );
    },
  );

  test.each(['csv', 'jsonl', 'parquet'])(
    'columns of %s that are not those that the manifest says',
    async (format) => {
      await edit(manifestKey(5), (manifest) => {
        for (const file of events(manifest).files)
          if (file.format === format) Object.assign(file, { columns: file.columns.toReversed() });
      });
      const end = format === 'parquet' ? format : `${format}.gz`;
      expect(await faults()).toContainEqual(
        expect.stringMatching(new RegExp(`^${dataKey(5, end)}: has the columns .*; the manifest says .*$`)),
      );
    },
  );

  test('a chain that is broken', async () => {
    await edit(manifestKey(6), (manifest) => {
      manifest.previous = { key: manifestKey(5), sha256: '0'.repeat(64) };
    });
    expect(await faults()).toEqual([
      `${manifestKey(5)}: is not the manifest that ${manifestKey(6)} names by its SHA-256`,
      `${manifestKey(6)}: is not the manifest that ${manifestKey(7)} names by its SHA-256`,
    ]);
  });

  test('a manifest that was changed', async () => {
    await edit(manifestKey(6), (manifest) => {
      manifest.epoch = '1970-01-01T00:00:00Z';
    });
    expect(await faults()).toEqual([
      `${manifestKey(6)}: is not the manifest that ${manifestKey(7)} names by its SHA-256`,
    ]);
  });

  test('a gzip that was cut off before its manifest was made', async () => {
    const key = dataKey(8, 'csv.gz');
    const { length } = await readFile(path(key));
    await truncate(path(key), length - 100);
    const bytes = await readFile(path(key));
    await edit(manifestKey(8), (manifest) => {
      for (const file of events(manifest).files)
        if (file.key === key) Object.assign(file, { bytes: bytes.length, sha256: sha256(bytes) });
    });
    expect(await faults()).toContain(`${key}: cannot be unpacked: unexpected end of file`);
  });

  test('a file that was cut off since', async () => {
    const key = dataKey(5, 'parquet');
    const { length } = await readFile(path(key));
    await truncate(path(key), length - 100);
    expect(await faults()).toEqual([`${key}: has ${length - 100} bytes; the manifest says ${length}`]);
  });

  test('a claim of the schedule that has been undecided for two days', async () => {
    const key = `${ROOT}/state/claim.json`;
    const window = { start: '2025-08-09T00:00:00Z', end: '2025-08-10T00:00:00Z' };
    await writeFile(
      path(key),
      JSON.stringify({ claimVersion: 2, run: 'r', window, tried: [], decided: null }),
    );
    expect(await findings()).toEqual([]);
    await age(key, 2.5);
    expect(await faults()).toEqual([
      `${key}: window 2025-08-09T00:00:00Z/2025-08-10T00:00:00Z has been undecided for 2 day(s); ` +
        'is no run of the schedule coming through?',
    ]);
  });

  test('a file of a manifest that lies elsewhere', async () => {
    await edit(manifestKey(5), (manifest) => {
      for (const file of events(manifest).files) Object.assign(file, { key: '../../../etc/passwd' });
    });
    expect(await faults()).toContain('../../../etc/passwd: lies where no file of this drop belongs');
  });

  test('a page that was changed', async () => {
    const key = manifestKey(5).replace('.json', '.report.html');
    await writeFile(path(key), 'x');
    expect(await faults()).toEqual([expect.stringMatching(new RegExp(`^${key}: has 1 bytes; `))]);
  });

  test.each(['{', '{}'])('a manifest that is none: %s', async (text) => {
    await writeFile(path(manifestKey(3)), text);
    expect(await faults()).toContainEqual(
      expect.stringContaining(`${manifestKey(3)}: is no manifest of this version`),
    );
  });

  test('a manifest where none belongs', async () => {
    const key = `${ROOT}/manifests/date=2025-08-01/20250806T000000Z-20250807T000000Z.json`;
    await mkdir(dirname(path(key)), { recursive: true });
    await cp(path(manifestKey(6)), path(key));
    expect(await faults()).toEqual([`${key}: lies where no manifest of this trace belongs`]);
  });

  test('a trace without its trace.json', async () => {
    await rm(path(`${ROOT}/state/trace.json`));
    expect(await faults()).toEqual([
      expect.stringMatching(/^trace: .*trace\.json: is gone, but the trace has claims/),
    ]);
  });

  test('a release whose list does not hold', async () => {
    const options = { trace: 'test-r1' };
    const root = 'cloud=test-r1';
    await edit(manifestKey(2, root), (manifest) => {
      manifest.epoch = '1970-01-01T00:00:00Z';
    });
    expect(await faults(options)).toEqual([
      `${manifestKey(2, root)}: is not the manifest that ${root}/state/claims/20250802T000000Z.json decided`,
      `${manifestKey(2, root)}: is not the manifest that ${root}/release.json lists by its SHA-256`,
    ]);
    await rm(path(manifestKey(2, root)));
    const found = await faults(options);
    expect(found).toContain('2025-08-02T00:00:00Z/2025-08-03T00:00:00Z: no drop is there');
    expect(found).toContain(`${manifestKey(2, root)}: is missing; ${root}/release.json lists it`);
  });
});

interface Package {
  name: string;
  resources: Resource[];
}
interface Resource {
  path: string;
  format: string;
  compression: string;
  bytes: number;
  hash: string;
  schema: { fields: unknown[] };
}
interface Release {
  range: { start: string; end: string };
  windows: number;
  maskingScope: string;
  tables: Record<string, object>;
  manifests: unknown[];
}

describe('Of a data package a fault is found:', () => {
  const release = { trace: 'test-r1' };

  test('one that is missing, or changed', async () => {
    await rm(path(packageKey(5)));
    await editJson(packageKey(6), (value: Package) => (value.name = 'other'));
    expect(await faults()).toEqual([
      `${packageKey(5)}: is missing`,
      expect.stringMatching(new RegExp(`^${packageKey(6)}: has \\d+ bytes; the manifest says \\d+$`)),
    ]);
  });

  /** Changes a package and has the manifest say so: as if it had been published like this. */
  async function publishOther(day: number, change: (value: Package) => void): Promise<void> {
    const key = packageKey(day);
    await editJson(key, change);
    const bytes = await readFile(path(key));
    await edit(manifestKey(day), (manifest) => {
      manifest.datapackage = { key, bytes: bytes.length, sha256: sha256(bytes) };
    });
  }

  const described = dataKey(8, 'csv.gz');
  const relative = described.slice(ROOT.length + 1);
  const csv = (value: Package): Resource => {
    const found = value.resources.find((one) => one.path === relative);
    if (found === undefined) throw new Error(`${relative} is not described`);
    return found;
  };
  const unlike = `${packageKey(8)}: does not describe ${relative} as its manifest does`;

  test.each<[string, (value: Package) => void, string]>([
    [
      'no resources',
      (value) => delete (value as Partial<Package>).resources,
      `${packageKey(8)}: is no data package`,
    ],
    ['another hash', (value) => (csv(value).hash = `sha256:${'0'.repeat(64)}`), unlike],
    ['other bytes', (value) => csv(value).bytes++, unlike],
    ['another format', (value) => (csv(value).format = 'jsonl'), unlike],
    ['no compression', (value) => delete (csv(value) as Partial<Resource>).compression, unlike],
    ['another column', (value) => csv(value).schema.fields.pop(), unlike],
    [
      'a file more',
      (value) => value.resources.push({ ...csv(value), path: 'instance_events/x.csv.gz' }),
      `${packageKey(8)}: describes instance_events/x.csv.gz, which is in no manifest`,
    ],
    [
      'a file less',
      (value) => value.resources.splice(value.resources.indexOf(csv(value)), 1),
      `${packageKey(8)}: does not describe ${described}`,
    ],
    [
      'a table less',
      (value) => {
        const isOther = ({ path: of }: { path: string }): boolean => !of.startsWith('instance_events');
        value.resources = value.resources.filter(isOther);
      },
      `${packageKey(8)}: does not describe ${described}`,
    ],
    [
      'a resource that is none',
      (value) => value.resources.push({} as Resource),
      `${packageKey(8)}: has a resource that is none`,
    ],
  ])('one with %s', async (_, change, expected) => {
    await publishOther(8, change);
    expect(await faults()).toContain(expected);
  });

  test('that of a release, which describes other files', async () => {
    const key = 'cloud=test-r1/datapackage.json';
    const text = await readFile(path(key), 'utf8');
    const file = dataKey(3, 'csv.gz', 'cloud=test-r1');
    const line =
      text.split('\n').find((one) => one.includes(`"${file.slice('cloud=test-r1/'.length)}"`)) ?? '';
    await writeFile(path(key), text.replace(line, line.replace('"gz"', '"zst"')));
    expect(await faults(release)).toEqual([
      `${key}: does not describe ${file.slice('cloud=test-r1/'.length)} as its manifest does`,
    ]);
    await writeFile(path(key), text.replace(`${line}\n`, ''));
    expect(await faults(release)).toEqual([`${key}: does not describe ${file}`]);
    await rm(path(key));
    expect(await faults(release)).toEqual([
      `${key}: is missing; cloud=test-r1/release.json says that the release is complete`,
    ]);
  });
});

describe('A release that differs from what it was begun with is found:', () => {
  const root = 'cloud=test-r1';
  const found = (): Promise<string[]> => faults({ trace: 'test-r1' });
  const trace = `${root}/state/trace.json`;

  test.each<[string, (manifest: Editable) => void, string]>([
    [
      'another masking scope in a manifest',
      (manifest) => Object.assign(manifest.masking, { scope: 'other' }),
      'masking.scope: is other; ',
    ],
    [
      'a table more in a manifest',
      (manifest) => Object.assign(manifest.tables, { machines: events(manifest) }),
      'tables: is instance_events,machines; ',
    ],
    [
      'a format less in a manifest',
      (manifest) => (events(manifest).files as unknown[]).pop(),
      'tables.instance_events.files: is csv gzip, jsonl gzip; ',
    ],
    [
      'another source in a manifest',
      (manifest) => Object.assign(events(manifest), { source: 'api' }),
      'tables.instance_events.source: is api; ',
    ],
  ])('%s', async (_, change, text) => {
    const key = manifestKey(2, root);
    await edit(key, change);
    expect((await found()).filter((one) => one.startsWith(`${key}: ${text}${trace} says `))).toHaveLength(1);
  });

  test.each<[string, (release: Release) => void, RegExp]>([
    [
      'another masking scope',
      (release) => (release.maskingScope = 'other'),
      /: maskingScope: is other; .* says /,
    ],
    [
      'another range',
      (release) => (release.range.end = '2025-08-05T00:00:00Z'),
      /: range: is .*05T.* says .*04T/,
    ],
    ['another number of windows', (release) => release.windows++, /: windows: is 3; .*trace\.json says 2$/],
    [
      'a table more',
      (release) => (release.tables['machines'] = { rows: 0, files: 0, bytes: 0 }),
      /: tables: is instance_events,machines; .*trace\.json says instance_events$/,
    ],
    [
      'other rows of a table',
      (release) => (release.tables['instance_events'] as { rows: number }).rows++,
      /: tables\.instance_events\.rows: is \d+; the sum of its manifests says \d+$/,
    ],
    ['a manifest less', (release) => release.manifests.pop(), /: manifests: is 1; .*trace\.json says 2$/],
  ])('release.json with %s', async (_, change, text) => {
    await editJson(`${root}/release.json`, change);
    expect(await found()).toContainEqual(expect.stringMatching(text));
  });

  test('trace.json with another scope', async () => {
    await editJson(trace, (value: Release) => (value.maskingScope = 'other'));
    expect(await found()).toContainEqual(
      expect.stringMatching(/release\.json: maskingScope: is .*; .* says other$/),
    );
  });
});

describe('What the schedule goes by is held against the drops:', () => {
  const [checkpoint, claim] = [`${ROOT}/state/checkpoint.json`, `${ROOT}/state/claim.json`];

  test('neither checkpoint nor claim is there', async () => {
    await rm(path(checkpoint));
    await rm(path(claim));
    expect(await faults()).toEqual([
      `${checkpoint}: is missing, and no claim tells it, but the schedule has published up to 2025-08-09T00:00:00Z; ` +
        'bring it back (the bucket keeps old versions)',
    ]);
  });

  test('no checkpoint, but a claim that decided it, or one for another window', async () => {
    await rm(path(checkpoint));
    expect(await findings()).toEqual([
      { kind: 'note', text: `${checkpoint}: is not there; the next run writes it, as ${claim} decided` },
    ]);
    const window = { start: '2025-08-09T00:00:00Z', end: '2025-08-10T00:00:00Z' };
    await writeFile(
      path(claim),
      JSON.stringify({ claimVersion: 2, run: 'r', window, tried: [], decided: null }),
    );
    expect(await faults()).toEqual([
      expect.stringMatching(/checkpoint\.json: is missing, and no claim tells it/),
    ]);
  });

  test('no claim, which the next run makes', async () => {
    await rm(path(claim));
    expect(await findings()).toEqual([
      { kind: 'note', text: `${claim}: is missing; the next run makes another` },
    ]);
  });

  test('a manifest before begin that its claim did not decide', async () => {
    await edit(manifestKey(3), (manifest) => {
      manifest.epoch = '1970-01-01T00:00:00Z';
    });
    expect(await faults()).toEqual([
      `${manifestKey(3)}: is not the manifest that ${ROOT}/state/claims/20250803T000000Z.json decided`,
    ]);
  });

  test('a manifest before begin without a claim', async () => {
    const key = `${ROOT}/state/claims/20250803T000000Z.json`;
    await rm(path(key));
    expect(await faults()).toEqual([
      `${key}: is missing; the run that published ${manifestKey(3)} left it there`,
    ]);
  });

  test('a decided claim before begin whose manifest is missing', async () => {
    await rm(path(manifestKey(3)));
    const text =
      `${manifestKey(3)}: is missing; ${ROOT}/state/claims/20250803T000000Z.json decided it, ` +
      'and asking for the backfill or release again writes it';
    expect(await findings()).toEqual([{ kind: 'note', text }]);
    await age(`${ROOT}/state/claims/20250803T000000Z.json`, 2);
    expect(await findings()).toEqual([{ kind: 'fault', text }]);
  });

  test.each([
    [
      `${ROOT}/state/claims/20250806T000000Z.json`,
      6,
      "is a backfill's, and reaches beyond the begin of the trace",
    ],
    [claim, 3, 'lies before the begin of the trace'],
    [`${ROOT}/state/claims/20250803T120000Z.json`, 3, 'belongs to another claim'],
  ])('%s, whose window does not belong there', async (key, day, text) => {
    const window = { start: `2025-08-0${day}T00:00:00Z`, end: `2025-08-0${day + 1}T00:00:00Z` };
    await writeFile(
      path(key),
      JSON.stringify({ claimVersion: 2, run: 'r', window, tried: [], decided: null }),
    );
    expect(await faults()).toContainEqual(
      expect.stringContaining(`${key}: its window ${window.start}/${window.end} ${text}`),
    );
  });

  test('a claim of a release that lies out of its range', async () => {
    const key = 'cloud=test-r1/state/claims/20250805T000000Z.json';
    const window = { start: '2025-08-05T00:00:00Z', end: '2025-08-06T00:00:00Z' };
    await writeFile(
      path(key),
      JSON.stringify({ claimVersion: 2, run: 'r', window, tried: [], decided: null }),
    );
    expect(await faults({ trace: 'test-r1' })).toEqual([
      `${key}: its window 2025-08-05T00:00:00Z/2025-08-06T00:00:00Z lies out of the range of the release, ` +
        '2025-08-02T00:00:00Z/2025-08-04T00:00:00Z',
    ]);
  });
});

describe('What may be meant so is told, and is no fault:', () => {
  test('windows that are missing before begin', async () => {
    for (const key of (await cloud.objects()).keys())
      if (key.startsWith(`${ROOT}/`) && key.includes('date=2025-08-03/')) await rm(path(key));
    await rm(path(packageKey(3)));
    await age(`${ROOT}/state/claims/20250803T000000Z.json`, 0);
    expect(await faults()).toEqual([]);
  });

  test('a claim of a backfill that has been undecided for two days', async () => {
    const key = `${ROOT}/state/claims/20250801T000000Z.json`;
    const window = { start: '2025-08-01T00:00:00Z', end: '2025-08-02T00:00:00Z' };
    await writeFile(
      path(key),
      JSON.stringify({ claimVersion: 2, run: 'r', window, tried: [], decided: null }),
    );
    await age(key, 2);
    expect(await faults()).toEqual([]);
    expect(await notes()).toEqual([
      `${key}: window 2025-08-01T00:00:00Z/2025-08-02T00:00:00Z has been undecided for 2 day(s); ` +
        'ask for the backfill or release again, which finishes it',
    ]);
  });

  test('a release that is not complete', async () => {
    const root = 'cloud=test-r1';
    await rm(path(`${root}/release.json`));
    for (const key of (await cloud.objects()).keys())
      if (key.startsWith(`${root}/`) && key.includes('date=2025-08-03/')) await rm(path(key));
    await rm(path(packageKey(3, root)));
    await rm(path(`${root}/state/claims/20250803T000000Z.json`));
    expect(await findings({ trace: 'test-r1' })).toEqual([
      { kind: 'note', text: `${root}/release.json: is not there; the release is not complete` },
      { kind: 'note', text: '2025-08-03T00:00:00Z/2025-08-04T00:00:00Z: no drop is there' },
    ]);
  });
});

test('With a time, only windows that end later are looked at', async () => {
  const day = (nth: number): number => Date.UTC(2025, 7, nth) / 1000;
  await rm(path(dataKey(5, 'csv.gz')));
  await rm(path(manifestKey(4)));
  expect(await faults({ since: day(6) })).toEqual([]);
  expect(await faults({ since: day(5) })).toEqual([`${dataKey(5, 'csv.gz')}: is missing`]);
});

test('The command tells each fault in a line, of all traces there, and ends with status 5', async () => {
  await rm(path(dataKey(6, 'csv.gz')));
  await rm(path(dataKey(3, 'parquet', 'cloud=test-r1')));
  const { status, stdout, stderr } = await cloud.run('verify');
  expect([status, stdout.toString(), stderr]).toEqual([
    5,
    `✗ ${dataKey(3, 'parquet', 'cloud=test-r1')}: is missing\n✗ ${dataKey(6, 'csv.gz')}: is missing\n`,
    'test-r1: 2 drop(s), 1 fault(s)\ntest: 7 drop(s), 1 fault(s)\n',
  ]);
  expect(await cloud.run('verify', ['--cloud', 'test', '--since', '2025-08-07'])).toMatchObject({
    status: 0,
  });
  expect(await cloud.run('verify', ['--cloud', 'none'])).toMatchObject({ status: 5 });
  expect(await cloud.run('verify', ['--since', 'today'])).toMatchObject({
    status: 2,
    stderr:
      'star-compactor: --since: got "today"; accepted: an ISO 8601 date or instant such as 2026-11-01\n',
  });
});
