import { onceForEach } from '../collections/once-for-each.ts';
import { remember } from '../collections/remember.ts';
import type { HostFrom } from '../settings.ts';
import type { Instance, TraceEvent } from '../source/source.ts';
import type { Mask } from './mask.ts';
import type { Masked, MaskedEvent, MaskedInstance } from './masked-event.ts';

export type MaskEvent = (event: TraceEvent) => MaskedEvent;

/**
 * Masks whole events; an instance is masked once, however many events it has, and so are users, projects and hosts.
 *
 * @param onInstance told of every instance that comes by, some of them more than once
 */
export function eventMasker(
  mask: Mask,
  hostFrom: HostFrom,
  onInstance: (instance: MaskedInstance) => void = () => undefined,
): MaskEvent {
  const maskShared = remember(mask);
  const maskInstance = onceForEach((instance: Instance): MaskedInstance => {
    const made = maskedInstance(instance, mask, maskShared);
    onInstance(made);
    return made;
  });
  return (event) => ({
    instance: maskInstance(event.instance),
    event: event.event,
    start: event.start,
    finish: event.finish,
    result: event.result,
    host: maskShared(hostOf(event, hostFrom)),
  });
}

/**
 * The physical host that a row names. An event called `compute_…` ran on its own host, wherever the server lives
 * now; all others (conductor, scheduler, API) were recorded on a controller, which is not where the server is.
 */
export function hostOf({ event, host, instance }: TraceEvent, hostFrom: HostFrom): string | null {
  if (hostFrom === 'node') return instance.node;
  if (hostFrom === 'instance') return instance.host;
  const ranThere = event?.startsWith('compute_') === true;
  return ranThere ? orElse(host, instance.host) : orElse(instance.host, host);
}

function orElse(first: string | null, second: string | null): string | null {
  return first === null || first === '' ? second : first;
}

function maskedInstance(
  instance: Instance,
  mask: Mask,
  maskShared: (value: string | null) => Masked | null,
): MaskedInstance {
  return {
    uuid: mask(instance.uuid),
    hostname: mask(instance.hostname),
    userId: maskShared(instance.userId),
    projectId: maskShared(instance.projectId),
    memoryMb: instance.memoryMb,
    rootGb: instance.rootGb,
    vcpus: instance.vcpus,
  };
}
