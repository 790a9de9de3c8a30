import { randomBytes } from 'node:crypto';

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** Fresh for every start, so that nothing can come to depend on a known key. The lengths are those of AWS. */
export function randomCredentials(): Credentials {
  return {
    accessKeyId: `LOCAL${randomBytes(8).toString('hex').slice(1).toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString('base64'),
  };
}
