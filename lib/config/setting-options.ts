import type { SettingName } from './variables.ts';

/**
 * How each setting is called as an option of a command: what its value is, and what it does. The option's name follows
 * from the variable's: `STAR_WINDOW_MINUTES` is `--window-minutes`. Apart from the settings themselves, because help
 * must not load what checks them.
 */
export const SETTING_OPTIONS = {
  STAR_CLOUD: ['<name>', 'name of the trace (openstack)'],
  STAR_WINDOW_MINUTES: ['<n>', 'length of a window in minutes; divides a day (1440)'],
  STAR_SETTLE_MINUTES: ['<n>', 'how long a row may take to be committed (30)'],
  STAR_OPEN_HORIZON_DAYS: ['<n>', 'when an event that never finishes is given up (30)'],
  STAR_TABLES: ['<names>', 'tables of a drop, separated by commas (all but leases and lease_events)'],
  STAR_FORMATS: ['<names>', 'csv, jsonl, parquet, separated by commas (csv)'],
  STAR_COMPRESSION: ['<name>', 'of CSV and JSON lines: gzip or zstd (gzip)'],
  STAR_FORMAT_VERSION: ['<v>', 'of CSV: 0.2 or 0.3 (0.2)'],
  STAR_EPOCH: ['<time>', 'zero of START_SEC and FINISH_SEC, ISO 8601; or: window'],
  STAR_HOST_FROM: ['<whose>', 'event (where it ran) or instance (where the server is now) (event)'],
  STAR_MACHINES: ['<kind>', 'vm or baremetal (vm)'],
  STAR_LICENCE: ['<id>', 'licence of the trace, as SPDX names it'],
  STAR_MASKING: ['<method>', 'sha2-salted, sha1-raw or none (sha2-salted)'],
  STAR_MASKING_SECRET: [
    '<file>',
    'file of at least 32 random bytes, with which masks are the same in every drop',
  ],
  STAR_ALLOW_UNSAFE_MASKING: ['<bool>', 'true allows masks that protect nobody (false)'],
  STAR_EXCLUDE_USERS: ['<ids>', 'users to leave out, separated by commas'],
  STAR_EXCLUDE_PROJECTS: ['<ids>', 'projects to leave out, separated by commas'],
  STAR_REPORT: ['<bool>', 'whether a drop has a page and is scanned for names (true)'],
  STAR_PRIVACY_LIMIT_PERCENT: ['<n>', 'most events in rare classes that a drop may have (100)'],
  STAR_PRIVACY_SERVERS_LIMIT_PERCENT: ['<n>', 'most servers in rare classes that a drop may have (100)'],
  STAR_NODE_PROPERTIES: ['<names>', 'properties of bare metal nodes to publish, separated by commas'],
  STAR_RACK_PROPERTY: ['<name>', 'property of a bare metal node that is its rack (placement.rack)'],
  STAR_RACK_PATTERN: ['<regex>', 'finds the rack in a hypervisor’s name'],
  STAR_FORCED_DOWN_AS: ['<event>', 'DISABLE: a host that is forced down counts as disabled'],
  STAR_STATE_KEY: ['<file>', 'file of 32 random bytes, which seals names of hosts kept between runs'],
  STAR_RETIRED_CELLS: ['<names>', 'cells that are gone for good, separated by commas'],
  STAR_API_CONCURRENCY: ['<n>', 'requests to Nova’s API at once (8)'],
  STAR_API_SWEEP_HOURS: ['<n>', 'how often every live server is asked over the API (0: in every window)'],
  STAR_ALLOW_PARTIAL: ['<bool>', 'whether to go on while the API leaves out a cell (false)'],
} as const satisfies Record<SettingName, readonly [value: string, help: string]>;

/** `--window-minutes` */
export function optionOf(variable: string): string {
  return `--${variable.slice('STAR_'.length).toLowerCase().replaceAll('_', '-')}`;
}
