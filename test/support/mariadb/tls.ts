import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, run } from './run.ts';

export interface Certificates {
  /** PEM of the authority, which a client has to trust. */
  ca: string;
  /** PEM of the server's certificate and key, for a server other than MariaDB. */
  server: { cert: string; key: string };
  serverArgs: string[];
}

export interface CertificateOptions {
  /** `DNS:localhost,IP:127.0.0.1` unless told otherwise. */
  names?: string;
  /** For how long it is good; below 0 it has expired. */
  days?: number;
}

/** A throwaway authority and a certificate for 127.0.0.1 and localhost, made with openssl in `folder`. */
export async function createCertificates(
  folder: string,
  { names = 'DNS:localhost,IP:127.0.0.1', days = 2 }: CertificateOptions = {},
): Promise<Certificates> {
  const program = await findProgram('openssl');
  if (program === undefined) throw new Error('TLS tests need openssl: apt-get install openssl');
  const file = (name: string): string => join(folder, name);
  const openssl = async (args: string, ...rest: string[]): Promise<string> =>
    run(program, [...args.split(' '), ...rest]);
  const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout';

  await writeFile(file('san.cnf'), `subjectAltName=${names}\n`);
  await openssl(
    `req -x509 -days 2 ${newKey} ${file('ca-key.pem')} -out ${file('ca.pem')} -subj`,
    '/CN=Throwaway test authority',
  );
  await openssl(`req ${newKey} ${file('key.pem')} -out ${file('server.csr')} -subj /CN=localhost`);
  await openssl(
    `x509 -req -days ${days} -in ${file('server.csr')} -extfile ${file('san.cnf')} -out ${file('server.pem')} ` +
      `-CA ${file('ca.pem')} -CAkey ${file('ca-key.pem')} -CAcreateserial`,
  );
  return {
    ca: await readFile(file('ca.pem'), 'utf8'),
    server: {
      cert: await readFile(file('server.pem'), 'utf8'),
      key: await readFile(file('key.pem'), 'utf8'),
    },
    serverArgs: [
      `--ssl-ca=${file('ca.pem')}`,
      `--ssl-cert=${file('server.pem')}`,
      `--ssl-key=${file('key.pem')}`,
    ],
  };
}
