import * as z from 'zod/mini';
import { shaped } from '../../source/nova-api/answers.ts';
import { oldestCreated } from '../../source/nova-api/nova-api.ts';
import { has } from '../../source/nova-api/microversion.ts';
import type { Nova } from '../../source/nova-api/nova.ts';
import { SERVERS } from '../../source/nova-api/servers.ts';
import { isoDate } from '../../core/time.ts';
import { amount, counted } from '../amounts.ts';
import { type Finding, teller } from '../finding.ts';

const tell = teller();

/** Pages of servers that are counted; a page is up to a thousand. */
const PAGES = 10;

const Page = z.object({ servers: z.array(z.object({ id: z.string() })) });

/** The requests of a window, the age of the history, and what no client of the API can see. */
export async function* examineCost(nova: Nova): AsyncGenerator<Finding, void, void> {
  const { count, pages, isAll } = await countServers(nova);
  const requests = `${isAll ? 'about ' : 'more than '}${amount(count + pages + 6)} requests`;
  const actions = has(nova.microversion, 'actionChanges')
    ? 'one for every action that changed'
    : 'one for every action of the last openHorizonDays';
  yield tell.fine(
    'cost',
    `${isAll ? '' : 'more than '}${counted(count, 'live server')}: a window is ${requests}, and ${actions}`,
    count > 1000 ? 'apiSweepHours asks every server once in so many hours only' : undefined,
  );
  const oldest = await oldestCreated(nova);
  yield tell.fine(
    'history',
    oldest === null ? 'no server yet' : `the oldest server shown is of ${isoDate(oldest)}`,
    'the API shows no archived servers, nor what a restarted compute adds to finished actions; archive nothing younger than your longest outage, or read the cell databases',
  );
}

async function countServers(nova: Nova): Promise<{ count: number; pages: number; isAll: boolean }> {
  let count = 0;
  let marker: string | undefined;
  for (let pages = 1; pages <= PAGES; pages++) {
    const query = new URLSearchParams({
      all_tenants: '1',
      limit: '1000',
      ...(marker === undefined ? {} : { marker }),
    });
    const { json } = await nova.get({ path: '/servers', query, what: SERVERS, timeoutSeconds: 240 });
    const { servers } = shaped(Page, json, SERVERS);
    count += servers.length;
    marker = servers.at(-1)?.id;
    if (marker === undefined) return { count, pages, isAll: true };
  }
  return { count, pages: PAGES, isAll: false };
}
