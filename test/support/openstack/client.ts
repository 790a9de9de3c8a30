import type { Account } from './accounts.ts';
import { type ContractCredentials, type ContractTarget, connect } from './contract-target.ts';
import type { LocalOpenStack } from './server.ts';

/** Asks the fake as one of its users, the administrator unless told otherwise. */
export function clientOf(cloud: LocalOpenStack, account: Account = cloud.admin): Promise<ContractTarget> {
  return connect(credentialsOf(cloud, account));
}

export function credentialsOf(
  { authUrl, region }: LocalOpenStack,
  { userName, password, projectName, domainName }: Account,
): ContractCredentials {
  const domain = { name: domainName };
  return {
    authUrl,
    region,
    user: { name: userName, domain, password },
    project: { name: projectName, domain },
  };
}
