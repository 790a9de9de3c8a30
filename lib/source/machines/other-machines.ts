import { InputError } from '../../core/errors.ts';

/** In `parts` of a read of bare metal: it is none of Nova's cells. */
export const IRONIC = 'ironic';

/** In `parts` of a read over Nova's API, which does not name its cells. */
export const NOVA = 'nova';

/**
 * Hosts that are told of as nodes, or the other way round, would all seem to be gone.
 *
 * @param parts of the read before
 * @throws InputError where that read other machines than this one does
 */
export function refuseOtherMachines(parts: readonly string[], isBareMetal: boolean): void {
  if (parts.length === 0 || parts.includes(IRONIC) === isBareMetal) return;
  const [now, before] = isBareMetal ? ['baremetal', 'vm'] : ['vm', 'baremetal'];
  throw new InputError(
    `STAR_MACHINES: got "${now}", but the trace tells of machines as ${before}; accepted: ${before}, or another ` +
      'STAR_CLOUD for another trace',
  );
}
