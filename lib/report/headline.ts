import { instanceEvents } from '../tables/instance-events/table.ts';
import type { Fact } from './facts.ts';
import type { Report } from './report.ts';
import { count, percent } from './text.ts';

/** The few figures at the top: eight of a drop with servers, or seven of events alone. */
export function headline({ manifest, statistics, servers, machines }: Report): Fact[] {
  const { rows, groups, privacy } = statistics;
  const { counts } = manifest.tables[instanceEvents.name] ?? {};
  const errors = groups.reduce((sum, { error }) => sum + error, 0);
  const events: Fact[] = [
    { name: 'Events', value: count(rows) },
    { name: 'Failed', value: rows === 0 ? '–' : percent(errors, rows) },
    { name: 'Late', value: count(counts?.late ?? 0) },
    { name: 'Still open', value: count(counts?.stillOpen ?? 0) },
  ];
  const { users, projects, hosts, instances } = privacy.distinct;
  if (servers === undefined) {
    return [
      ...events,
      { name: 'Servers with events', value: count(instances) },
      { name: 'Users', value: count(users) },
      { name: 'Projects', value: count(projects) },
      { name: 'Hosts', value: count(hosts) },
    ];
  }
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  const capacity = total(machines?.vcpus ?? []);
  return [
    { name: 'Servers', value: count(servers.rows) },
    { name: 'Created', value: count(total(servers.arrivals)) },
    { name: 'Deleted', value: count(total(servers.departures)) },
    capacity > 0
      ? { name: 'vCPUs in use', value: percent(total(servers.vcpus), capacity) }
      : { name: 'vCPUs in use, at most', value: count(Math.max(0, ...servers.vcpus)) },
    ...events,
  ];
}
