import type { Store } from '../store/store.ts';

/** Names of the traces under a prefix, in their order. Costs a request a trace, however many objects they have. */
export async function* tracesIn(
  store: Store,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  const start = prefix === '' ? 'cloud=' : `${prefix}/cloud=`;
  for (let after = ''; ;) {
    let name: string | undefined;
    for await (const { key } of store.list(start, after, signal)) {
      name = key.slice(start.length).split('/', 1)[0];
      break;
    }
    if (name === undefined) return;
    yield name;
    // The character behind the slash.
    after = `${start}${name}0`;
  }
}
