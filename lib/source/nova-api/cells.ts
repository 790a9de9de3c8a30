import * as z from 'zod/mini';
import { shaped } from './answers.ts';
import type { Nova } from './nova.ts';

const Services = z.object({
  services: z.array(z.object({ status: z.optional(z.string()) })),
});

const WHAT = 'Nova: the list of services';

/**
 * Whether all cells answer, by the list of services (microversion 2.69): computes of a cell that does not answer are
 * listed as UNKNOWN. This also finds a cell that refuses at once, which a slow answer would not show, and whose servers
 * do not fit a full first page. cell0 has no computes.
 */
export async function allCellsAnswer(nova: Nova, doubtSeconds: number): Promise<boolean> {
  const answer = await nova.get({ path: '/os-services', what: WHAT, timeoutSeconds: doubtSeconds + 60 });
  const { services } = shaped(Services, answer.json, WHAT);
  return answer.seconds < doubtSeconds && services.every(({ status }) => status !== 'UNKNOWN');
}
