import { type Microversion, has } from './microversion.ts';

/**
 * What no client of the API can see, or not with this Nova or these settings. Named in every manifest, for an
 * analyst has to know; docs/nova-api.md says what each means.
 */
export function unseenBy(microversion: Microversion, swept: boolean, isPartial: boolean): string[] {
  return [
    'archivedServers',
    'recoveriesOfFinishedActions',
    ...(has(microversion, 'embeddedFlavour') ? [] : ['deletedFlavours']),
    ...(has(microversion, 'eventHosts') ? [] : ['eventHosts']),
    ...(has(microversion, 'downCells') ? [] : ['refusingCells']),
    ...(swept ? [] : ['quietServers']),
    ...(isPartial ? ['silentCells'] : []),
  ];
}
