import type { Token } from './keystone.ts';
import type { Nova } from './nova.ts';

/** Both tell whole seconds: half of the fraction that is cut. */
export const ROUNDING = 0.5;

export interface ClockAnswer {
  readonly whose: 'Nova' | 'Keystone';
  /** Seconds since 1970; NaN if neither tells. */
  readonly time: number;
  /** When the question was asked and answered, in seconds since 1970 by this machine. */
  readonly asked: number;
  readonly answered: number;
}

/**
 * The cloud's time: from the `Date` of Nova's answers, which its web server adds, or else from the time at which
 * Keystone issues a token.
 */
export async function askClock(nova: Nova, issue: () => Promise<Token>): Promise<ClockAnswer> {
  const ofNova = await timed(async () => {
    const { date } = await nova.get({ path: '/', what: 'Nova: its version' });
    return Date.parse(date ?? '') / 1000 + ROUNDING;
  });
  if (!Number.isNaN(ofNova.time)) return { whose: 'Nova', ...ofNova };
  return {
    whose: 'Keystone',
    ...(await timed(async () => ((await issue()).issued ?? Number.NaN) + ROUNDING)),
  };
}

async function timed(ask: () => Promise<number>): Promise<Omit<ClockAnswer, 'whose'>> {
  const asked = Date.now() / 1000;
  const time = await ask();
  return { time, asked, answered: Date.now() / 1000 };
}
