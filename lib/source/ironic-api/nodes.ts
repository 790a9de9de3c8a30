import * as z from 'zod/mini';
import { SourceError } from '../../core/errors.ts';
import type { Seconds } from '../../core/time.ts';
import type { Capabilities, IronicNode } from '../ironic-db/node-rows.ts';
import { bareMetalOf } from '../ironic-db/node-rows.ts';
import { type PropertyChoice, asksForExtra } from '../ironic-db/properties.ts';
import type { MachinesRead } from '../machines/found.ts';
import { shaped, timeIn } from '../nova-api/answers.ts';
import type { Api, ApiAnswer } from '../nova-api/calls.ts';
import { answeredAt } from '../nova-api/other-services.ts';

const WHAT = 'Ironic: the list of nodes';

const text = z.nullish(z.string());
const object = z.nullish(z.record(z.string(), z.unknown()));

/** "Bare Metal API", as far as a trace needs it: what else there is, such as addresses of BMCs, is dropped at once. */
const Node = z.object({
  uuid: z.string(),
  created_at: text,
  updated_at: text,
  provision_state: text,
  maintenance: z.nullish(z.boolean()),
  resource_class: text,
  properties: object,
  extra: object,
});
const Page = z.object({ nodes: z.array(Node), next: text });

/** What Ironic's API does not tell, as manifests name it. */
export const UNSEEN_OF_NODES = ['removedMachines'];

/**
 * Bare metal nodes as Ironic lists them: those at hand. One that was deleted is in no list, and Nova's API does not show
 * it either.
 *
 * @param capabilities of Blazar; undefined where there is none
 */
export async function readApiNodes(
  ironic: Api,
  capabilities: ReadonlyMap<string, Capabilities> | undefined,
  choice: PropertyChoice,
): Promise<MachinesRead> {
  const nodes: IronicNode[] = [];
  let at: Seconds | undefined;
  for await (const page of nodePages(ironic)) {
    at ??= page.at;
    nodes.push(...page.nodes.map((node) => nodeOf(node, asksForExtra(choice))));
  }
  return bareMetalOf({ nodes, novaNodes: [], capabilities }, at ?? 0, choice);
}

type ListedNode = z.output<typeof Node>;

async function* nodePages(ironic: Api): AsyncGenerator<{ at: Seconds; nodes: ListedNode[] }, void, void> {
  const seen = new Set<string>();
  for (let marker: string | undefined; ;) {
    const answer = await askNodes(ironic, marker === undefined ? {} : { marker });
    const { nodes, next } = shaped(Page, answer.json, WHAT);
    const fresh = nodes.filter(({ uuid }) => !seen.has(uuid));
    for (const { uuid } of fresh) seen.add(uuid);
    yield { at: answeredAt(answer), nodes: fresh };
    if ((next ?? '') === '') return;
    // Links are not followed: behind a proxy they are often wrong.
    marker = fresh.at(-1)?.uuid;
    if (marker === undefined) throw new SourceError(`${WHAT}: does not go on`, { transient: true });
  }
}

/** @throws SourceError where this Ironic is too old */
export async function askNodes(ironic: Api, query: Record<string, string>): Promise<ApiAnswer> {
  const answer = await ironic.get({
    path: '/nodes/detail',
    query: new URLSearchParams(query),
    what: WHAT,
    accept: [406],
  });
  if (answer.status !== 406) return answer;
  throw new SourceError(`${WHAT}: microversion 1.21 is refused (406); accepted: Ironic of Ocata or newer`, {
    transient: false,
  });
}

function nodeOf(
  { uuid, created_at: created, updated_at: updated, maintenance, ...node }: ListedNode,
  withExtra: boolean,
): IronicNode {
  return {
    uuid,
    created: timeIn(created),
    updated: timeIn(updated),
    provisionState: node.provision_state ?? null,
    maintenance: maintenance === true,
    resourceClass: node.resource_class ?? null,
    properties: node.properties ?? {},
    extra: withExtra ? (node.extra ?? {}) : {},
  };
}
