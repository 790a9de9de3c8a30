import type { Store } from './store.ts';

/**
 * Names of the traces under a prefix, in their order. Costs a request a trace, however many objects they have.
 *
 * @param beginning of their names
 */
export async function* tracesIn(
  store: Store,
  prefix: string,
  signal: AbortSignal,
  beginning = '',
): AsyncGenerator<string, void, void> {
  const root = prefix === '' ? 'cloud=' : `${prefix}/cloud=`;
  const start = `${root}${beginning}`;
  for (let after = ''; ;) {
    let name: string | undefined;
    for await (const { key } of store.list(start, after, signal)) {
      name = key.slice(root.length).split('/', 1)[0];
      break;
    }
    if (name === undefined) return;
    yield name;
    // The character behind the slash.
    after = `${root}${name}0`;
  }
}
