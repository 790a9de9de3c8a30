import * as z from 'zod/mini';
import { shaped } from './answers.ts';
import type { Nova } from './nova.ts';

interface Flavour {
  readonly name: string;
  readonly vcpus: number;
  readonly ram: number;
  readonly disk: number;
}

/** A flavour by its id; undefined if it was deleted. */
export type FlavourSizes = (id: string) => Flavour | undefined;

const Page = z.object({
  flavors: z.array(
    z.object({ id: z.string(), name: z.string(), vcpus: z.number(), ram: z.number(), disk: z.number() }),
  ),
  flavors_links: z.optional(z.array(z.object({ rel: z.string(), href: z.string() }))),
});

const WHAT = 'Nova: the flavours';

/** Reads all flavours, private ones too: below microversion 2.47 a server only names its flavour. */
export async function readFlavours(nova: Nova): Promise<FlavourSizes> {
  const known = new Map<string, Flavour>();
  for (let marker: string | undefined; ;) {
    const query = new URLSearchParams({ is_public: 'None', ...(marker === undefined ? {} : { marker }) });
    const { json } = await nova.get({ path: '/flavors/detail', query, what: WHAT });
    const page = shaped(Page, json, WHAT);
    for (const { id, name, vcpus, ram, disk } of page.flavors) known.set(id, { name, vcpus, ram, disk });
    const last = page.flavors.at(-1)?.id;
    const hasMore = page.flavors_links?.some(({ rel }) => rel === 'next') === true;
    if (!hasMore || last === undefined || last === marker) return (id) => known.get(id);
    marker = last;
  }
}
