import { sha256 } from '../core/bytes.ts';
import { StoreError, firstLine } from '../core/errors.ts';
import { DAY, type Seconds } from '../core/time.ts';
import { type Window, windowText } from '../core/window.ts';
import { type Claim, isDecided, readClaim } from '../drop/claim.ts';
import type { Manifest } from '../drop/manifest.ts';
import { keysOf } from '../drop/finish.ts';
import type { Place } from '../drop/place.ts';
import type { Listed } from '../store/store.ts';
import { type Finding, fault, note } from './fault.ts';

export interface FoundClaims {
  /** Keys that runs at work may have written. */
  readonly atWork: ReadonlySet<string>;
  /** By key, manifests that were decided. */
  readonly decided: ReadonlyMap<string, DecidedManifest>;
  /** Keys of all claims. */
  readonly keys: ReadonlySet<string>;
  /** By key, windows of the claims. */
  readonly windows: ReadonlyMap<string, Window>;
  readonly findings: readonly Finding[];
}

interface DecidedManifest {
  /** Of the claim. */
  readonly key: string;
  readonly isOld: boolean;
  /** Of the manifest, whose very bytes the claim holds. */
  readonly sha256: string;
}

/** Longer than any run takes. */
const LONG: Seconds = DAY;

/** Reads all claims of a trace. Nothing of the store tells when a claim was taken but the time of its object. */
export async function findClaims(place: Place, now: Seconds): Promise<FoundClaims> {
  const { store, layout, signal } = place;
  const atWork = new Set<string>();
  const decided = new Map<string, DecidedManifest>();
  const keys = new Set<string>();
  const windows = new Map<string, Window>();
  const findings: Finding[] = [];
  const look = async ({ key, modified }: Listed): Promise<void> => {
    keys.add(key);
    const claim = await tryToRead(place, key, findings);
    if (claim === undefined) return;
    windows.set(key, claim.window);
    const isOld = now - modified > LONG;
    if (isDecided(claim)) {
      const text = claim.decided.manifest;
      const manifest = JSON.parse(text) as Manifest;
      decided.set(layout.manifest(claim.window), { key, isOld, sha256: sha256(text) });
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
  return { atWork, decided, keys, windows, findings };
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
