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
   * @param links relative to the page
   * @throws PrivacyError if it holds a raw identifier
   */
  page(manifest: Manifest, links: { readonly index: string; readonly manifest: string }): string;
}

export type OpenWatch = (window: Window, tables: readonly AnyTable[]) => Watch;
