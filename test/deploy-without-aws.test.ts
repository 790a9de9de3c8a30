import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { SETTING_OPTIONS } from '../lib/config/setting-options.ts';
import { EXIT } from '../lib/command/exit.ts';
import { PLACE_OPTIONS } from '../lib/command/place-options.ts';

const page = await readFile(new URL('../docs/deploy-without-aws.md', import.meta.url), 'utf8');
const run = promisify(execFile);

/** Blocks of a language, in their order. */
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, text = '']) => text);

const isThere = (program: string): Promise<boolean> =>
  run('sh', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  );
const hasSystemd = await isThere('systemd-analyze');

describe('What the page on deploying without AWS shows', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'star-compactor-units-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test.runIf(hasSystemd)('are units that systemd takes', async () => {
    const [service = '', timer = ''] = blocks('ini');
    const paths = ['star-compactor@prod.service', 'star-compactor@prod.timer'].map((name) =>
      join(folder, name),
    );
    await writeFile(paths[0] ?? '', service);
    await writeFile(paths[1] ?? '', timer);
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', ...paths], {
      env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` },
    });
    // It may find faults in units of the machine.
    const ours = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('star-compactor'));
    expect(ours).toEqual([]);
    const { stdout: calendar } = await run('systemd-analyze', [
      'calendar',
      /OnCalendar=(.*)/.exec(timer)?.[1] ?? '',
    ]);
    expect(calendar).toMatch(/Next elapse/);
  });

  test('is YAML, with exit statuses and variables that there are', () => {
    const [job = ''] = blocks('yaml');
    interface Template {
      spec: { containers: { env: { name: string }[] }[] };
    }
    const { kind, spec } = parse(job) as {
      kind: string;
      spec: {
        jobTemplate: {
          spec: { template: Template; podFailurePolicy: { rules: { onExitCodes: { values: number[] } }[] } };
        };
      };
    };
    expect(kind).toBe('CronJob');
    const { template, podFailurePolicy } = spec.jobTemplate.spec;
    expect(podFailurePolicy.rules.flatMap((rule) => rule.onExitCodes.values)).toEqual([
      EXIT.unfinished,
      EXIT.badInput,
    ]);
    const named = [...page.matchAll(/\bSTAR_[A-Z_]+\b/g)].map(([name]) => name);
    const env = template.spec.containers.flatMap((container) => container.env.map(({ name }) => name));
    const known = [...Object.keys(SETTING_OPTIONS), ...Object.keys(PLACE_OPTIONS), 'STAR_SECRET'];
    expect([...named, ...env].filter((name) => !known.includes(name))).toEqual([]);
  });

  test('names options that there are', async () => {
    const bin = new URL('../bin/star-compactor.mjs', import.meta.url).pathname;
    for (const command of ['publish', 'backfill', 'verify']) {
      const { stdout } = await run(process.execPath, [bin, command, '--help']);
      const lines = page
        .split('\n')
        .filter((line) => line.includes(`star-compactor ${command} `) && !line.includes('docker'));
      expect(lines.length).toBeGreaterThan(0);
      const options = lines.flatMap((line) =>
        [...line.matchAll(/ (--[a-z-]+)/g)].map(([, option = '']) => option),
      );
      expect(
        options.filter((option) => !stdout.includes(`${option} `) && !stdout.includes(`${option}\n`)),
      ).toEqual([]);
    }
  });
});
