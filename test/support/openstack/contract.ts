import { actionChecks } from './contract-actions.ts';
import { keystoneChecks } from './contract-keystone.ts';
import { listingChecks } from './contract-listing.ts';
import { novaChecks } from './contract-nova.ts';
import type { ContractTarget } from './contract-target.ts';

/** Something that holds of every OpenStack; it asks and changes nothing. Rejects where it does not hold. */
export type Check = (cloud: ContractTarget) => Promise<void>;

/**
 * What the fake and a real cloud have in common, by name. It needs an administrator, Keystone v3, Nova from 2.93
 * (Zed) on, and a few servers that have been at rest for a minute, live ones and a deleted one among them.
 */
export const contract: Readonly<Record<string, Check>> = {
  ...keystoneChecks,
  ...novaChecks,
  ...listingChecks,
  ...actionChecks,
};

export { connect, credentialsOf } from './contract-target.ts';
export type { ContractCredentials, ContractTarget } from './contract-target.ts';
