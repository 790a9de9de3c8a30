import type { Batch, Outcome, ReadRequest, Source, SourceState } from '../../../lib/source/source.ts';

/** Gives the rows of one table, in any order. */
export type FakeReader = (request: ReadRequest) => readonly unknown[];

export interface FakeSource extends Source {
  /** What was asked for, in order: one entry for each opening, by table. */
  readonly openings: Record<string, ReadRequest>[];
  /** How many openings are not closed. */
  readonly unclosed: () => number;
}

/**
 * A source whose tables are plain functions. The state of a table is the ends of the windows that it has read, so that
 * a test sees what each reading continued.
 */
export function fakeSource(readers: Record<string, FakeReader>): FakeSource {
  const openings: Record<string, ReadRequest>[] = [];
  let open = 0;
  return {
    kind: 'database',
    openings,
    unclosed: () => open,
    async open() {
      open++;
      const asked: Record<string, ReadRequest> = {};
      openings.push(asked);
      return {
        read(table, request) {
          asked[table] = request;
          const reader = readers[table];
          if (reader === undefined) throw new Error(`no reader for ${table}`);
          return read(reader, request);
        },
        async [Symbol.asyncDispose]() {
          open--;
        },
      };
    },
    clock: async () => Math.floor(Date.now() / 1000),
    history: async () => ({ from: null, events: null, purged: null }),
    purged: async (windows) => windows.map(() => null),
    statesAt: async (ranges) => ranges.map(() => ({})),
  };
}

async function* read(
  reader: FakeReader,
  request: ReadRequest,
): AsyncGenerator<Batch<unknown>, Outcome, void> {
  const rows = reader(request);
  // Two batches, the first of which promises nothing: the order has to be made.
  const half = Math.ceil(rows.length / 2);
  yield { rows: rows.slice(half), watermark: -Infinity };
  yield { rows: rows.slice(0, half), watermark: Infinity };
  return {
    state: { read: [...readBefore(request.state), request.window.end] },
    counts: {
      late: 0,
      beforeBegin: 0,
      abandoned: 0,
      stillOpen: 0,
      rewritten: 0,
      restored: 0,
      purged: null,
      skipped: {},
    },
    sourceFrom: null,
  };
}

/** Ends of the windows that a state remembers. */
export function readBefore(state: SourceState | undefined): number[] {
  return (state?.['read'] as number[] | undefined) ?? [];
}
