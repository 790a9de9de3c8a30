import { StoreError, firstLine } from '../core/errors.ts';
import { DAY, type Seconds } from '../core/time.ts';
import { windowText } from '../core/window.ts';
import { type Claim, isDecided, readClaim } from '../drop/claim.ts';
import type { Manifest } from '../drop/manifest.ts';
import { keysOf } from '../drop/finish.ts';
import type { Place } from '../drop/place.ts';
import type { Listed } from '../store/store.ts';
import { type Finding, fault, note } from './fault.ts';

export interface FoundClaims {
  /** Keys that runs at work may have written. */
  readonly atWork: ReadonlySet<string>;
  /** Manifests that were decided, and who says so. */
  readonly decided: ReadonlyMap<string, { readonly key: string; readonly isOld: boolean }>;
  readonly findings: readonly Finding[];
}

/** Longer than any run takes. */
const LONG: Seconds = DAY;

/** Reads all claims of a trace. Nothing of the store tells when a claim was taken but the time of its object. */
export async function findClaims(place: Place, now: Seconds): Promise<FoundClaims> {
  const { store, layout, signal } = place;
  const atWork = new Set<string>();
  const decided = new Map<string, { readonly key: string; readonly isOld: boolean }>();
  const findings: Finding[] = [];
  const look = async ({ key, modified }: Listed): Promise<void> => {
    const claim = await tryToRead(place, key, findings);
    if (claim === undefined) return;
    const isOld = now - modified > LONG;
    if (isDecided(claim)) {
      const manifest = JSON.parse(claim.decided.manifest) as Manifest;
      decided.set(layout.manifest(claim.window), { key, isOld });
      for (const file of keysOf(manifest)) atWork.add(file);
      return;
    }
    for (const file of claim.tried) atWork.add(file);
    if (!isOld) return;
    const days = Math.floor((now - modified) / DAY);
    const text = `${key}: window ${windowText(claim.window)} has been undecided for ${days} day(s); `;
    // A backfill may wait for as long as it likes; the schedule may not.
    findings.push(
      key === layout.claim
        ? fault(`${text}is no run of the schedule coming through?`)
        : note(`${text}ask for the backfill or release again, which finishes it`),
    );
  };
  for (const prefix of [layout.claim, layout.windowClaims])
    for await (const object of store.list(prefix, '', signal)) await look(object);
  return { atWork, decided, findings };
}

async function tryToRead(place: Place, key: string, findings: Finding[]): Promise<Claim | undefined> {
  try {
    return (await readClaim(place, key))?.claim;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    findings.push(fault(firstLine(error)));
    return undefined;
  }
}
