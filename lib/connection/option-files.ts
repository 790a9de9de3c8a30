import { readFile, readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { InputError } from '../core/errors.ts';
import { utf8Text } from '../core/text.ts';

/** Where MySQL's and MariaDB's clients look; later files take precedence. */
export const OPTION_FILES = ['/etc/my.cnf', '/etc/mysql/my.cnf', join(homedir(), '.my.cnf')];

/** The groups that both clients read, whichever is installed. */
const GROUPS = new Set(['client', 'client-server', 'client-mariadb', 'mysql', 'mariadb-client']);

/** Enough for any real set of files; a file that includes itself ends here. */
const DEEPEST = 10;

/** Options by name, with dashes; null for one without a value. */
export type OptionFileValues = ReadonlyMap<string, string | null>;

/**
 * Reads the option files of the mysql client: groups, `!include`, `!includedir`, quotes and escapes as in "Using Option
 * Files" of the MySQL manual. If an option is given more than once, the last value counts.
 *
 * @param files in order; missing ones are skipped, unless `required`
 * @param warn called for each existing file that is skipped
 * @throws InputError naming file and line, never a value
 */
export async function readOptionFiles(
  files: readonly string[],
  { required = false, warn = () => undefined }: { required?: boolean; warn?: (text: string) => void } = {},
): Promise<OptionFileValues> {
  const values = new Map<string, string | null>();

  const read = async (file: string, depth: number, isRequired: boolean): Promise<void> => {
    if (depth > DEEPEST)
      throw new InputError(`${file}: includes itself; accepted: ${DEEPEST} levels at the most`);
    let text: string;
    try {
      // As the clients do: anybody may have changed a file that everybody may write to.
      if (((await stat(file)).mode & 0o002) !== 0) {
        if (isRequired)
          throw new InputError(
            `${file}: everybody may write to it; accepted: a file that only its owner may change (chmod o-w)`,
          );
        warn(`${file}: ignored, because everybody may write to it (chmod o-w)`);
        return;
      }
      text = utf8Text(await readFile(file), file);
    } catch (error) {
      if (error instanceof InputError) throw error;
      const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
      if (isRequired) throw new InputError(`${file}: could not be read (${code}); accepted: an option file`);
      if (code !== 'ENOENT') warn(`${file}: ignored, because it could not be read (${code})`);
      return;
    }
    let group = '';
    for (const [at, raw] of text.split(/\r?\n/).entries()) {
      const line = raw.trim();
      const refuse = (accepted: string): never => {
        throw new InputError(`${file}: line ${at + 1}: accepted: ${accepted}`);
      };
      if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
      const include = /^!include(dir)?\s+(.+)$/.exec(line);
      if (include !== null) {
        const path = resolve(dirname(file), include[2] ?? '');
        const included = include[1] === undefined ? [path] : await optionFilesIn(path);
        for (const each of included) await read(each, depth + 1, false);
      } else if (line.startsWith('[')) {
        group = /^\[([^\]]+)\]/.exec(line)?.[1]?.trim() ?? refuse('a group as [client]');
      } else if (GROUPS.has(group)) {
        const [, name = '', value] = /^([\w-]+)\s*(?:=\s*(.*))?$/.exec(line) ?? refuse('name = value');
        values.set(canonical(name), value === undefined ? null : plain(value));
      }
    }
  };

  for (const file of files) await read(file, 0, required);
  return values;
}

async function optionFilesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names
    .filter((name) => name.endsWith('.cnf'))
    .toSorted()
    .map((name) => join(folder, name));
}

function canonical(name: string): string {
  return name.replaceAll('_', '-').replace(/^loose-/, '');
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  s: ' ',
  ' ': ' ',
  '"': '"',
  "'": "'",
  '\\': '\\',
};

/** A value without its comment, its quotes and its escapes. */
function plain(value: string): string {
  const quoted = /^(["'])((?:\\.|(?!\1)[^\\])*)\1\s*(?:#.*)?$/.exec(value);
  const text = quoted?.[2] ?? value.replace(/\s*#.*$/, '');
  return text.replace(/\\(.)/g, (whole, next: string) => ESCAPES[next] ?? whole);
}
