import type { PageLinks } from '../drop/watch.ts';
import { leaseEvents } from '../tables/lease-events/table.ts';
import { machineEvents } from '../tables/machine-events/table.ts';
import { documentOf } from './document.ts';
import { tiles } from './facts.ts';
import { headline } from './headline.ts';
import { type Markup, markup } from './markup.ts';
import type { Report } from './report.ts';
import { arrivalsSection } from './sections/arrivals.ts';
import { busiestSection } from './sections/busiest.ts';
import { completenessSection } from './sections/completeness.ts';
import { dropSection } from './sections/drop-facts.ts';
import { durationsSection } from './sections/durations.ts';
import { failuresSection } from './sections/failures.ts';
import { finishedSection } from './sections/finished.ts';
import { flavoursSection } from './sections/flavours.ts';
import { heatMapSection } from './sections/heat-map.ts';
import { inUseSection } from './sections/in-use.ts';
import { leasesSection } from './sections/leases.ts';
import { lifetimesSection } from './sections/lifetimes.ts';
import { machinesSection } from './sections/machines.ts';
import { privacySection } from './sections/privacy.ts';
import { resultsSection } from './sections/results.ts';
import { type Section, contents } from './sections/section.ts';
import { tablesSection } from './sections/tables.ts';
import type { DropStatistics } from './statistics.ts';
import { weekdayText, windowTitle } from './text.ts';

/** The page of a drop: one HTML file that needs nothing else. The same drop always gives the same page. */
export function renderReport(report: Report): string {
  const { manifest, statistics, links = {} } = report;
  const title = windowTitle(statistics.window);
  const sections = sectionsOf(report);
  return documentOf({
    title: `${title}, ${manifest.cloud}`,
    header: markup`<p class="eyebrow">${manifest.cloud}</p><h1>${title}</h1><p class="sub">${weekdayText(statistics.window.start)}, all times in UTC</p>${neighbours(links)}`,
    main: [
      warning(manifest.masking.method),
      tiles(headline(report)),
      contents(sections),
      sections.map(({ body }) => body),
    ],
    footer: markup`<p>Made by ${manifest.tool.name} ${manifest.tool.version} on <time class="time" datetime="${manifest.created}">${manifest.created}</time>.</p>`,
  });
}

function sectionsOf({
  manifest,
  statistics,
  servers,
  machines,
  leases,
  scan,
  isCut = false,
  links = {},
}: Report): Section[] {
  const { window, rows, privacy } = statistics;
  const ofServers = servers && [
    inUseSection(window, servers, machines),
    arrivalsSection(window, servers),
    lifetimesSection(servers, isCut),
  ];
  const ofEvents = [
    resultsSection,
    failuresSection,
    heatMapSection,
    durationsSection,
    flavoursSection,
    (all: DropStatistics) => busiestSection(all, manifest.masking.method),
  ];
  return [
    ...(ofServers ?? []),
    finishedSection(statistics),
    ...(rows > 0 ? ofEvents.map((of) => of(statistics)) : []),
    ...(machines === undefined ? [] : [machinesSection(machines, machineEvents.name in manifest.tables)]),
    ...(leases === undefined
      ? []
      : [leasesSection(window, { leases, machines, hasEvents: leaseEvents.name in manifest.tables, isCut })]),
    completenessSection(statistics, manifest),
    privacySection(privacy, rows, servers && { figures: servers.privacy, rows: servers.rows }, scan),
    tablesSection(manifest, links.to, links.manifest),
    dropSection(manifest),
  ];
}

function neighbours({ index, previous, next }: Partial<PageLinks>): Markup | false {
  if (index === undefined) return false;
  return markup`<nav class="neighbours" aria-label="Drops">${
    previous !== undefined && markup`<a href="${previous}" rel="prev">← before</a>`
  }<a href="${index}">all drops</a>${next !== undefined && markup`<a href="${next}" rel="next">next →</a>`}</nav>`;
}

/** The other methods are for debugging; their pages must not look like those of a masked drop. */
function warning(masking: string): Markup | false {
  if (masking === 'sha2-salted') return false;
  const why =
    masking === 'none'
      ? 'All identifiers are shown as they are in the cloud.'
      : 'Who knows an identifier can find its mask.';
  return markup`<p class="alarm" role="note"><strong>Not safely masked: ${masking}.</strong> ${why}</p>`;
}
