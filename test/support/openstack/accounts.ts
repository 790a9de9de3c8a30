import { randomBytes, randomUUID } from 'node:crypto';

/** A user with what a client needs to be him; all made up for each cloud. */
export interface Account {
  readonly userId: string;
  readonly userName: string;
  readonly password: string;
  readonly projectId: string;
  readonly projectName: string;
  /** Of the user and of the project. */
  readonly domainId: string;
  readonly domainName: string;
  readonly roles: readonly Role[];
  readonly applicationCredential: { readonly id: string; readonly name: string; readonly secret: string };
}

export interface Role {
  readonly id: string;
  readonly name: string;
}

export interface Accounts {
  readonly admin: Account;
  /** Has no role that Nova's policy calls an administrator, and a project of his own. */
  readonly member: Account;
}

export function createAccounts(): Accounts {
  const domain = { domainId: hexId(), domainName: `domain-${suffix()}` };
  const roles = ['reader', 'member', 'admin'].map((name) => ({ id: hexId(), name }));
  const account = (name: string, held: readonly Role[]): Account => ({
    userId: hexId(),
    userName: `${name}-${suffix()}`,
    // An openrc file and a clouds.yaml have to quote it.
    password: `${randomUUID()} '"$#&\\`,
    projectId: hexId(),
    projectName: `${name}-project-${suffix()}`,
    ...domain,
    roles: held,
    applicationCredential: {
      id: hexId(),
      name: `${name}-credential-${suffix()}`,
      secret: randomBytes(64).toString('base64url'),
    },
  });
  return { admin: account('admin', roles), member: account('member', roles.slice(0, 2)) };
}

export function isAdmin(roles: readonly Role[]): boolean {
  return roles.some(({ name }) => name === 'admin');
}

/** Keystone's ids are UUIDs without dashes. */
function hexId(): string {
  return randomUUID().replaceAll('-', '');
}

function suffix(): string {
  return randomBytes(3).toString('hex');
}
