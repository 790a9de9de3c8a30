import { beforeAll, describe, expect, test } from 'vitest';
import { type ContractTarget, connect, contract, credentialsOf } from '../support/openstack/contract.ts';

describe('A real cloud behaves as its fake does', () => {
  let cloud: ContractTarget;
  beforeAll(async () => {
    cloud = await connect(credentialsOf(process.env));
  });
  test.each(Object.entries(contract))('%s', async (_, check) => {
    await expect(check(cloud)).resolves.toBeUndefined();
  });
});
