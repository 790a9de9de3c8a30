import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { Ajv } from 'ajv';

/*
 * What Data Package 2.0 (datapackage.org, profiles/2.0) asks of the properties that a descriptor here has. Properties that
 * it does not know it allows; this schema refuses them, so that each new one is looked at. `compression` is its recipe for
 * compressed resources.
 */
const object = (required: readonly string[], properties: object): object => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});
const string = { type: 'string' };

const PROFILE = object(['$schema', 'name', 'created', 'resources'], {
  $schema: { const: 'https://datapackage.org/profiles/2.0/datapackage.json' },
  name: { type: 'string', pattern: '^[-a-z0-9._]+$' },
  created: { type: 'string', pattern: String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$` },
  licenses: {
    type: 'array',
    minItems: 1,
    items: object(['name'], { name: { type: 'string', pattern: '^[-a-zA-Z0-9._]+$' } }),
  },
  resources: {
    type: 'array',
    minItems: 1,
    items: object(['name', 'type', 'path', 'format', 'mediatype', 'bytes', 'hash', 'schema'], {
      name: { type: 'string', pattern: '^[-a-z0-9._]+$' },
      type: { const: 'table' },
      // Neither absolute, hidden nor at home; nowhere upwards.
      path: { type: 'string', pattern: String.raw`^(?=[^./~])(?!.*(^|/)\.\.(/|$))(?!.*(\\|://)).*$` },
      format: string,
      mediatype: { type: 'string', pattern: '^.+/.+$' },
      encoding: string,
      compression: { enum: ['gz', 'zip', 'zst'] },
      bytes: { type: 'integer', minimum: 0 },
      hash: { type: 'string', pattern: '^[^:]+:[a-fA-F0-9]+$' },
      schema: object(['fields'], {
        fields: {
          type: 'array',
          minItems: 1,
          items: object(['name', 'type'], {
            name: string,
            type: { enum: ['string', 'integer', 'boolean', 'datetime', 'object'] },
            format: string,
            description: string,
          }),
        },
        missingValues: { type: 'array', items: string },
      }),
    }),
  },
});

const isPackage = new Ajv({ allErrors: true }).compile<Descriptor>(PROFILE);

interface Descriptor {
  readonly resources: readonly {
    readonly name: string;
    readonly path: string;
    readonly compression?: string;
    readonly bytes: number;
    readonly hash: string;
  }[];
}

/** What the first bytes of a compressed file are. */
const MAGIC: Readonly<Record<string, string>> = { gz: '1f8b', zst: '28b52ffd' };

/**
 * What is wrong with a data package, one line a fault: by the profile, or since a file is not what it says.
 *
 * @param key of the descriptor
 * @param objects all of the trace, by key
 */
export function packageFaults(key: string, objects: ReadonlyMap<string, Buffer>): string[] {
  const stored = objects.get(key);
  if (stored === undefined) return [`${key} is missing`];
  const descriptor: unknown = JSON.parse(stored.toString('utf8'));
  if (!isPackage(descriptor))
    return (isPackage.errors ?? []).map(({ instancePath, message }) => `${key}: ${instancePath} ${message}`);
  const { resources } = descriptor;
  const faults: string[] = [];
  if (new Set(resources.map(({ name }) => name)).size < resources.length)
    faults.push(`${key}: two resources have one name`);
  for (const { path, compression, bytes, hash } of resources) {
    const file = objects.get(posix.join(posix.dirname(key), path));
    const is = file && `sha256:${createHash('sha256').update(file).digest('hex')}`;
    if (file?.length !== bytes || is !== hash) faults.push(`${key}: ${path} is not there as it says`);
    const magic = Object.entries(MAGIC).find(([, begin]) => file?.toString('hex', 0, 4).startsWith(begin));
    if (magic?.[0] !== compression) faults.push(`${key}: ${path} is not compressed as it says`);
  }
  return faults;
}
