import { type Fact, factList } from '../facts.ts';
import { markup } from '../markup.ts';
import type { MachineStatistics } from '../machine-statistics.ts';
import { count, memoryText } from '../text.ts';
import { changesTable } from './changes.ts';
import { type Section, section } from './section.ts';

const WHAT: Readonly<Record<string, string>> = {
  CREATE: 'a host came',
  ENABLE: 'it takes new servers',
  UPDATE: 'its capacity changed',
  DISABLE: 'it takes no new servers',
  DELETE: 'it is gone',
};

/** The state of the physical hosts, and what changed. */
export function machinesSection(machines: MachineStatistics, hasEvents: boolean): Section {
  return section(
    'machines',
    'Machines',
    markup`<div class="pair"><div>${factList(stateFacts(machines))}</div><div>${
      hasEvents
        ? changesTable(machines.changes, WHAT, 'No host changed.')
        : markup`<p class="note">The drop has no table of their changes.</p>`
    }</div></div>`,
  );
}

function stateFacts({ rows, states, deleted, capacity, racks }: MachineStatistics): Fact[] {
  return [
    { name: 'Hosts', value: count(rows), note: 'that existed in this window' },
    { name: 'Enabled and up', value: count(states.enabledUp), note: 'up when the drop was made' },
    {
      name: 'Enabled, not up',
      value: count(states.enabledDown),
      note: 'had not reported for a minute, or forced down',
    },
    { name: 'Disabled', value: count(states.disabled) },
    ...(states.unknown === 0 ? [] : [{ name: 'Not known', value: count(states.unknown) }]),
    ...(deleted === 0 ? [] : [{ name: 'Deleted', value: count(deleted), note: 'in this window' }]),
    {
      name: 'Capacity',
      value: `${count(capacity.vcpus)} vCPUs, ${memoryText(capacity.memoryMb)}, ${memoryText(capacity.diskGb * 1024)} of disk`,
      note: 'of the enabled ones, before overcommitment',
    },
    ...(racks === 0 ? [] : [{ name: 'Racks', value: count(racks) }]),
  ];
}
