export { startOpenStack } from './server.ts';
export type { LocalOpenStack, OpenStackOptions } from './server.ts';
export type { Account } from './accounts.ts';
export type { OpenStackFault, OpenStackHook, RequestKind, RequestRecord } from './requests.ts';
export type { SecretForm } from './secret.ts';
export { clientOf } from './client.ts';
export { flavorId } from './flavor.ts';
