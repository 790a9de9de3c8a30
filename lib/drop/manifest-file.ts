import type { Compression } from '../config/choices.ts';

/** A data file of a drop, as its manifest lists it. */
export interface ManifestFile {
  readonly key: string;
  readonly format: string;
  readonly formatVersion: string;
  /** Of the file as a whole. */
  readonly compression: Compression | 'none';
  readonly bytes: number;
  readonly sha256: string;
  readonly rows: number;
  readonly columns: readonly string[];
}
