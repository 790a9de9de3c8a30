import { type Input, ServiceError, text } from '../aws/json-service.ts';
import { listSecrets } from './list.ts';
import { addVersion, findSecret, newArn } from './secrets.ts';
import type { Secret, SecretValue, Secrets, Tag, Version } from './secrets.ts';

type Operation = (secrets: Secrets, input: Input, region: string) => object;

const dayMs = 24 * 60 * 60 * 1000;

/** Source of shapes and errors: AWS Secrets Manager API reference. */
export const operations: Record<string, Operation> = {
  CreateSecret(secrets, input, region) {
    const name = text(input, 'Name') ?? '';
    if (!/^[\w/+=.@-]{1,512}$/.test(name)) throw invalidParameter('Invalid name.');
    const namesake = secrets.get(name);
    if (namesake?.deletion !== undefined) {
      throw invalidRequest(
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      );
    }
    const value = valueOf(input);
    if (namesake) {
      // The client sends its token again when it repeats a request whose answer it never had.
      const known = namesake.versions.find(({ id }) => id === token(input));
      if (known && isSame(known, value)) return { ...identity(namesake), VersionId: known.id };
      throw resourceExists(`The operation failed because the secret ${name} already exists.`);
    }
    const created = Date.now();
    const description = text(input, 'Description');
    const secret: Secret = {
      name,
      arn: newArn(region, name),
      description,
      tags: tagsOf(input),
      created,
      changed: created,
      versions: [],
    };
    secrets.set(name, secret);
    if (!value) return identity(secret);
    return {
      ...identity(secret),
      VersionId: addVersion(secret, token(input), value, ['AWSCURRENT']).id,
    };
  },

  PutSecretValue(secrets, input) {
    const secret = existing(secrets, input);
    const value = valueOf(input);
    if (!value) throw invalidParameter('You must provide either SecretString or SecretBinary.');
    const known = secret.versions.find(({ id }) => id === token(input));
    if (known) {
      if (isSame(known, value)) {
        return { ...identity(secret), VersionId: known.id, VersionStages: [...known.stages] };
      }
      throw resourceExists(
        `You can't use ClientRequestToken ${known.id} because that value is already in use for a version of secret ${secret.arn}.`,
      );
    }
    const stages = input['VersionStages'];
    const labels = Array.isArray(stages) ? stages.map(String) : ['AWSCURRENT'];
    const version = addVersion(secret, token(input), value, labels);
    return { ...identity(secret), VersionId: version.id, VersionStages: [...version.stages] };
  },

  GetSecretValue(secrets, input) {
    const secret = existing(secrets, input);
    const { id, created, stages, SecretString, SecretBinary } = wantedVersion(secret, input);
    const value = SecretString === undefined ? { SecretBinary } : { SecretString };
    const CreatedDate = created / 1000;
    return { ...identity(secret), VersionId: id, ...value, VersionStages: [...stages], CreatedDate };
  },

  DescribeSecret(secrets, input) {
    const secret = found(secrets, input);
    return {
      ...metadata(secret),
      VersionIdsToStages: Object.fromEntries(secret.versions.map(({ id, stages }) => [id, [...stages]])),
    };
  },

  ListSecrets(secrets, input) {
    const { page, next } = listSecrets(secrets, input);
    const SecretList = page.map((secret) => ({
      ...metadata(secret),
      SecretVersionsToStages: Object.fromEntries(secret.versions.map(({ id, stages }) => [id, [...stages]])),
    }));
    return next === undefined ? { SecretList } : { SecretList, NextToken: next };
  },

  DeleteSecret(secrets, input) {
    const days = input['RecoveryWindowInDays'];
    if (input['ForceDeleteWithoutRecovery'] === true) {
      if (days !== undefined) {
        throw invalidParameter(
          "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        );
      }
      // Forced, it is not an error that there is nothing to delete.
      const secret = findSecret(secrets, secretId(input));
      if (secret) secrets.delete(secret.name);
      const known = secret ? identity(secret) : { Name: secretId(input) };
      return { ...known, DeletionDate: Date.now() / 1000 };
    }
    const window = days === undefined ? 30 : Number(days);
    if (!(window >= 7 && window <= 30)) {
      throw invalidParameter('RecoveryWindowInDays value must be between 7 and 30 days (inclusive).');
    }
    const secret = existing(secrets, input);
    secret.deletion = Date.now() + window * dayMs;
    return { ...identity(secret), DeletionDate: secret.deletion / 1000 };
  },
};

function identity({ arn, name }: Secret): { ARN: string; Name: string } {
  return { ARN: arn, Name: name };
}

function metadata(secret: Secret): object {
  return {
    ...identity(secret),
    Description: secret.description,
    Tags: secret.tags,
    CreatedDate: secret.created / 1000,
    LastChangedDate: secret.changed / 1000,
    DeletedDate: secret.deletion === undefined ? undefined : secret.deletion / 1000,
  };
}

function found(secrets: Secrets, input: Input): Secret {
  const secret = findSecret(secrets, secretId(input));
  if (secret) return secret;
  throw notFound("Secrets Manager can't find the specified secret.");
}

/** One that is not about to be deleted. */
function existing(secrets: Secrets, input: Input): Secret {
  const secret = found(secrets, input);
  if (secret.deletion === undefined) return secret;
  throw invalidRequest("You can't perform this operation on the secret because it was marked for deletion.");
}

function wantedVersion(secret: Secret, input: Input): Version {
  const id = text(input, 'VersionId');
  const stage = text(input, 'VersionStage') ?? (id === undefined ? 'AWSCURRENT' : undefined);
  const byId = secret.versions.filter((version) => id === undefined || version.id === id);
  const version = byId.find(({ stages }) => stage === undefined || stages.has(stage));
  if (version) return version;
  if (byId.length > 0 && id !== undefined) {
    throw invalidRequest('You provided a VersionStage that is not associated to the provided VersionId.');
  }
  const wanted = id === undefined ? `staging label: ${stage}` : `VersionId: ${id}`;
  throw notFound(`Secrets Manager can't find the specified secret value for ${wanted}`);
}

function valueOf(input: Input): SecretValue | undefined {
  const SecretString = text(input, 'SecretString');
  const SecretBinary = text(input, 'SecretBinary');
  if (SecretString !== undefined && SecretBinary !== undefined) {
    throw invalidParameter(
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    );
  }
  if (SecretString !== undefined) return { SecretString };
  return SecretBinary === undefined ? undefined : { SecretBinary };
}

function isSame(version: Version, value: SecretValue | undefined): boolean {
  return version.SecretString === value?.SecretString && version.SecretBinary === value?.SecretBinary;
}

function tagsOf(input: Input): Tag[] {
  const tags = input['Tags'] ?? [];
  if (!Array.isArray(tags)) throw new ServiceError('SerializationException', 'Tags is not a list');
  return tags.map(({ Key = '', Value = '' }: Partial<Tag>) => {
    if (!/^.{1,128}$/.test(Key) || Key.startsWith('aws:')) throw invalidParameter('Invalid tag key.');
    return { Key, Value };
  });
}

function secretId(input: Input): string {
  const id = text(input, 'SecretId');
  if (id) return id;
  throw invalidParameter('You must provide a value for the SecretId parameter.');
}

function token(input: Input): string {
  return text(input, 'ClientRequestToken') ?? '';
}

function notFound(message: string): ServiceError {
  return new ServiceError('ResourceNotFoundException', message);
}

function resourceExists(message: string): ServiceError {
  return new ServiceError('ResourceExistsException', message);
}

function invalidRequest(message: string): ServiceError {
  return new ServiceError('InvalidRequestException', message);
}

function invalidParameter(message: string): ServiceError {
  return new ServiceError('InvalidParameterException', message);
}
