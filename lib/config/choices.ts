/** What settings and options choose from. */

export const FORMAT_NAMES = ['csv', 'jsonl', 'parquet'] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

/** Of CSV and JSON lines. Parquet compresses its own pages. */
export const COMPRESSIONS = ['gzip', 'zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** Versions of the published Chameleon traces. They differ in CSV only. */
export const TRACE_VERSIONS = ['0.2', '0.3'] as const;
export type TraceVersion = (typeof TRACE_VERSIONS)[number];

/**
 * - `sha2-salted`: `sha256(secret ‖ utf8(value))`, lower-case hex, first 32 digits.
 * - `sha1-raw`: `sha1(utf8(value))`, 40 digits, unkeyed: who knows a value finds its mask. Legacy.
 * - `none`: the value itself, for debugging.
 */
export const MASKING_METHODS = ['sha2-salted', 'sha1-raw', 'none'] as const;
export type MaskingMethod = (typeof MASKING_METHODS)[number];

/** Whose host a row names: where the event ran, where the instance is now, or its bare metal node. */
export type HostFrom = 'event' | 'instance' | 'node';
