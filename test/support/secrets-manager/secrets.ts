import { randomInt, randomUUID } from 'node:crypto';

/** What a version holds: one of the two, the binary one in Base64, as they travel. */
export interface SecretValue {
  SecretString?: string;
  SecretBinary?: string;
}

export interface Version extends SecretValue {
  id: string;
  stages: Set<string>;
  created: number;
}

export interface Tag {
  Key: string;
  Value: string;
}

export interface Secret {
  name: string;
  arn: string;
  description: string | undefined;
  tags: Tag[];
  created: number;
  changed: number;
  /** When it goes, for a secret that is to be deleted. */
  deletion?: number;
  versions: Version[];
}

/** By name. */
export type Secrets = Map<string, Secret>;

/** The ARN of a new secret, with the six random characters that tell it from an earlier one of its name. */
export function newArn(region: string, name: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const suffix = Array.from({ length: 6 }, () => letters[randomInt(letters.length)]).join('');
  // The account that AWS uses in its documentation.
  return `arn:aws:secretsmanager:${region}:123456789012:secret:${name}-${suffix}`;
}

/** By name, by the whole ARN, or by the ARN without its six random characters. */
export function findSecret(secrets: Secrets, id: string): Secret | undefined {
  const exact = secrets.get(id);
  if (exact) return exact;
  const all = [...secrets.values()];
  return all.find(({ arn }) => arn === id) ?? all.find(({ arn }) => arn.slice(0, -7) === id);
}

/** Adds a version under the labels, taking them from the versions that have them. */
export function addVersion(secret: Secret, id: string, value: SecretValue, stages: string[]): Version {
  const created = Date.now();
  if (stages.includes('AWSCURRENT')) {
    const current = secret.versions.find((version) => version.stages.has('AWSCURRENT'));
    if (current) label(secret, current, 'AWSPREVIOUS');
  }
  const version: Version = { id: id === '' ? randomUUID() : id, stages: new Set(), created, ...value };
  secret.versions.push(version);
  for (const stage of stages) label(secret, version, stage);
  // A version without a label is deprecated, and in time removed: here at once.
  secret.versions = secret.versions.filter(({ stages: left }) => left.size > 0);
  secret.changed = created;
  return version;
}

function label(secret: Secret, version: Version, stage: string): void {
  for (const other of secret.versions) other.stages.delete(stage);
  version.stages.add(stage);
}
