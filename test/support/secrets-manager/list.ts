import { type Input, ServiceError, text } from '../aws/json-service.ts';
import type { Secret, Secrets } from './secrets.ts';

/** Source: ListSecrets and Filter, AWS Secrets Manager API reference. */
export function listSecrets(secrets: Secrets, input: Input): { page: Secret[]; next: string | undefined } {
  const size = input['MaxResults'] ?? 100;
  if (typeof size !== 'number' || !(size >= 1 && size <= 100)) {
    throw invalid('MaxResults must be between 1 and 100.');
  }
  const matches = matcherOf(input);
  const found = [...secrets.values()]
    .filter(({ deletion }) => deletion === undefined || input['IncludePlannedDeletion'] === true)
    .filter(matches);
  // They are in the map in the order of their creation, which is what they are listed by, latest first.
  if (text(input, 'SortOrder') !== 'asc') found.reverse();
  const token = text(input, 'NextToken');
  const from = token === undefined ? 0 : found.findIndex(({ arn }) => arn === decode(token)) + 1;
  if (token !== undefined && from === 0) {
    throw new ServiceError('InvalidNextTokenException', 'The NextToken value is invalid.');
  }
  const page = found.slice(from, from + size);
  const last = from + size < found.length ? page.at(-1) : undefined;
  return { page, next: last === undefined ? undefined : encode(last.arn) };
}

/** Of each filter any value, of a secret all filters; a value that begins with `!` must not match. */
function matcherOf(input: Input): (secret: Secret) => boolean {
  const filters = (input['Filters'] ?? []) as { Key?: string; Values?: string[] }[];
  const tests = filters.map(({ Key = '', Values = [] }) => {
    const textsOf = FILTERS[Key];
    if (textsOf === undefined) throw invalid(`Invalid filter key ${Key}.`);
    return (secret: Secret): boolean =>
      Values.some((value) => {
        const negated = value.startsWith('!');
        const wanted = negated ? value.slice(1) : value;
        return textsOf(secret).some((one) => one.startsWith(wanted)) !== negated;
      });
  });
  return (secret) => tests.every((passes) => passes(secret));
}

const FILTERS: Readonly<Record<string, (secret: Secret) => string[]>> = {
  name: ({ name }) => [name],
  'tag-key': ({ tags }) => tags.map(({ Key }) => Key),
  'tag-value': ({ tags }) => tags.map(({ Value }) => Value),
};

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidParameterException', message);
}

const encode = (arn: string): string => Buffer.from(arn).toString('base64');
const decode = (token: string): string => Buffer.from(token, 'base64').toString();
