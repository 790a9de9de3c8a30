import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readOptionFiles } from '../../../lib/connection/option-files.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-cnf-'));
});
afterAll(() => rm(folder, { recursive: true }));

const write = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
};
const read = async (text: string): Promise<Record<string, string | null>> =>
  Object.fromEntries(await readOptionFiles([await write('my.cnf', text)]));

describe('Option files of the mysql client', () => {
  test('give what the groups for clients say, and nothing of the others', async () => {
    const text = `
      # a comment
      ; another
      [mysqld]
      port = 1
      [client]
      host=db.example
      port = 3307
      ssl_ca = /etc/ca.pem
      skip-ssl
      [mysqldump]
      host=elsewhere
      [mysql]
      database=nova
    `;
    expect(await read(text)).toEqual({
      host: 'db.example',
      port: '3307',
      'ssl-ca': '/etc/ca.pem',
      'skip-ssl': null,
      database: 'nova',
    });
  });

  test.each([
    ['password=plain # not this', 'plain'],
    ['password="a # b"', 'a # b'],
    ['password=\'a "b"\' # not this', 'a "b"'],
    ['password = "back\\\\slash\\ttab\\sspace"', 'back\\slash\ttab space'],
    ['password = C:\\\\my\\\\path\\q', 'C:\\my\\path\\q'],
    ['password="say \\"x\\""', 'say "x"'],
    ['password=', ''],
    ['password', null],
    ['loose-password = x', 'x'],
    ["password=it's", "it's"],
  ])('read %s as the clients do', async (line, password) => {
    expect(await read(`[client]\n${line}\n`)).toEqual({ password });
  });

  test('include files and folders, and the last of several counts', async () => {
    await mkdir(join(folder, 'conf.d'));
    await write('conf.d/a.cnf', '[client]\nuser=a\nhost=a\n');
    await write('conf.d/b.cnf', '[client]\nuser=b\n');
    await write('conf.d/c.cnf.bak', '[client]\nuser=c\n');
    await write('one.cnf', '[client]\nport=1\nhost=one\n');
    const main = await write(
      'main.cnf',
      `!includedir ${folder}/conf.d/\n!include one.cnf\n[client]\nport=2\n`,
    );
    const later = await write('later.cnf', '[client]\nport=3\n');
    const values = await readOptionFiles([main, later, join(folder, 'absent.cnf')]);
    expect(Object.fromEntries(values)).toEqual({ user: 'b', host: 'one', port: '3' });
  });

  test('are passed over where everybody may write to them', async () => {
    const file = await write('open.cnf', '[client]\nuser=x\n');
    await chmod(file, 0o666);
    const warnings: string[] = [];
    const values = await readOptionFiles([file], { warn: (text) => warnings.push(text) });
    expect([...values]).toEqual([]);
    expect(warnings).toEqual([`${file}: ignored, because everybody may write to it (chmod o-w)`]);
  });

  test('are refused by file and line, and nothing of a value is told', async () => {
    const file = await write('bad.cnf', '[client]\nuser=x\npass word=hunter\n');
    await expect(readOptionFiles([file])).rejects.toThrow(`${file}: line 3: accepted: name = value`);
    const own = await write('own.cnf', '!include own.cnf\n');
    await expect(readOptionFiles([own])).rejects.toThrow('includes itself');
    await expect(readOptionFiles([join(folder, 'absent.cnf')], { required: true })).rejects.toThrow(
      'absent.cnf: could not be read (ENOENT); accepted: an option file',
    );
  });
});
