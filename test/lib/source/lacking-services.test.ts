import { describe, expect, test } from 'vitest';
import { refuseWithoutDatabases } from '../../../lib/source/lacking-services.ts';

describe('Over the API', () => {
  test.each([
    [
      ['instances', 'machines'],
      true,
      'STAR_TABLES: got "machines", which is read from the database of Ironic',
    ],
    [['lease_events'], false, 'STAR_TABLES: got "lease_events", which is read from the database of Blazar'],
  ])('%j, on bare metal %s, is refused', (tables, isBareMetal, message) => {
    expect(() => refuseWithoutDatabases(tables, isBareMetal)).toThrow(message);
  });

  test('hosts of Nova are read, and on bare metal servers and their events', () => {
    expect(() => refuseWithoutDatabases(['instances', 'machines'], false)).not.toThrow();
    expect(() => refuseWithoutDatabases(['instance_events', 'instances'], true)).not.toThrow();
  });
});
