import type { AnyTable } from '../tables/table.ts';
import type { Window } from '../core/window.ts';
import type { Manifest } from './manifest.ts';

/** Sees everything that is written of a drop: for its report, its privacy figures and the scan. */
export interface Watch extends Disposable {
  /** A value before it is masked. The same value may be passed several times. */
  readonly identifier: (value: string | null) => void;
  /** Masked rows. */
  rows(table: string, rows: readonly unknown[]): void;
  /**
   * Call it once, after all rows.
   *
   * @throws PrivacyError if the drop must not be published
   */
  finish(): NonNullable<Manifest['privacy']>;
  /**
   * The page of the drop.
   *
   * @throws PrivacyError if it holds a raw identifier
   */
  page(manifest: Manifest, links: PageLinks): string;
}

/** Addresses relative to a drop's page. */
export interface PageLinks {
  readonly index: string;
  readonly manifest: string;
  /** Of the pages of the windows before and after; the latter may not be there yet. */
  readonly previous?: string;
  readonly next?: string;
  /** Of a key of the trace. */
  readonly to: (key: string) => string;
}

export type OpenWatch = (window: Window, tables: readonly AnyTable[]) => Watch;
