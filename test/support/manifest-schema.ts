import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** The published description of manifests, as JSON. */
export const MANIFEST_SCHEMA = JSON.parse(
  readFileSync(new URL('../../docs/manifest.schema.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
const isManifest = ajv.compile(MANIFEST_SCHEMA);

/** What of a manifest is not as `docs/manifest.schema.json` says, one line a fault. */
export function manifestFaults(manifest: unknown): string[] {
  if (isManifest(manifest)) return [];
  return (isManifest.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

/** @throws Error where the manifest is not as `docs/manifest.schema.json` says */
export function assertManifest(manifest: unknown, key: string): void {
  const faults = manifestFaults(manifest);
  if (faults.length > 0) throw new Error(`${key} is no manifest: ${faults.join('; ')}`);
}
