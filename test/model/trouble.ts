import type { Fault, RequestHook } from '../support/aws/faults.ts';
import type { Random } from '../support/nova/prng.ts';
import type { RequestRecord } from '../support/s3/server.ts';

/** What happens to a move at its n-th request that changes something in S3. */
export interface Trouble {
  readonly nth: number;
  /**
   * - `killed before`, `killed after`: this request was not done, or was, and nothing reaches S3 any more.
   * - `answer lost`: it was done, and the client does not learn that.
   * - `overtaken`: it waits until another move is over.
   * - `overtaken, killed`: the same, and then the move is killed.
   */
  readonly kind: (typeof KINDS)[number];
}

const KINDS = ['killed before', 'killed after', 'answer lost', 'overtaken', 'overtaken, killed'] as const;

/** A move, or what came of it. */
export type Move = () => Promise<unknown>;
export type Outcome = { readonly value: unknown } | { readonly error: unknown };

export function drawTrouble(random: Random, isPair: boolean): Trouble | undefined {
  if (random.chance(isPair ? 0.2 : 0.4)) return undefined;
  const kind = isPair ? random.pick(KINDS) : random.pick(KINDS.slice(0, 3));
  return { kind, nth: random.chance(0.5) ? random.whole(1, 8) : random.whole(1, 30) };
}

/** What meets the requests of moves; `onRequest` is for the S3 server. */
export interface Troubles {
  readonly onRequest: RequestHook<RequestRecord>;
  /** Makes moves, at once but where one is to be overtaken, and tells in their order what came of them. */
  perform(
    moves: readonly Move[],
    trouble: Trouble | undefined,
  ): Promise<{ outcomes: Outcome[]; isMet: boolean }>;
}

export function openTroubles(): Troubles {
  let meet: RequestHook<RequestRecord> = () => undefined;
  return {
    onRequest: (request) => meet(request),
    async perform(moves, trouble) {
      const [first, ...others] = moves.map((move) => () => outcomeOf(move));
      const doOthers = (): Promise<Outcome[]> => Promise.all(others.map((move) => move()));
      if (first === undefined) return { outcomes: [], isMet: false };
      let writes = 0;
      let isDead = false;
      let isMet = false;
      const isOvertaken = trouble?.kind.startsWith('overtaken') === true;
      let overtaking: Promise<Outcome[]> | undefined;
      meet = async ({ method }) => {
        if (isDead) return DEAD;
        if (method === 'GET' || method === 'HEAD') return undefined;
        writes++;
        if (writes !== trouble?.nth) return undefined;
        isMet = true;
        if (trouble.kind === 'answer lost') return { when: 'after', reset: true };
        if (isOvertaken) {
          overtaking = doOthers();
          await overtaking;
        }
        if (trouble.kind === 'overtaken') return undefined;
        isDead = true;
        return trouble.kind === 'killed after' ? { ...DEAD, when: 'after' } : DEAD;
      };
      try {
        const outcomes = isOvertaken
          ? [await first(), ...(await (overtaking ?? doOthers()))]
          : await Promise.all([first(), ...others.map((move) => move())]);
        return { outcomes, isMet };
      } finally {
        meet = () => undefined;
      }
    },
  };
}

/** Is not asked again by the client, which would take its time. */
const DEAD: Fault = { status: 403, code: 'AccessDenied', message: 'killed' };

function outcomeOf(move: Move): Promise<Outcome> {
  return move().then(
    (value): Outcome => ({ value }),
    (error: unknown): Outcome => ({ error }),
  );
}
