import type { Manifest } from '../drop/manifest.ts';
import { documentOf } from './document.ts';
import type { ScanFigures } from '../privacy/leak-scan.ts';
import { type Fact, tiles } from './facts.ts';
import { type Content, type Markup, markup } from './markup.ts';
import { busiestSection } from './sections/busiest.ts';
import { completenessSection } from './sections/completeness.ts';
import { dropSection } from './sections/drop-facts.ts';
import { durationsSection } from './sections/durations.ts';
import { finishedSection } from './sections/finished.ts';
import { flavoursSection } from './sections/flavours.ts';
import { privacySection } from './sections/privacy.ts';
import { resultsSection } from './sections/results.ts';
import { tablesSection } from './sections/tables.ts';
import { together } from './series.ts';
import type { DropStatistics } from './statistics.ts';
import { instanceEvents } from '../tables/instance-events/table.ts';
import { count, percent, weekdayText, windowTitle } from './text.ts';

export interface Report {
  readonly manifest: Manifest;
  readonly statistics: DropStatistics;
  /** Where there was one. */
  readonly scan?: ScanFigures;
  /** Relative to the page. */
  readonly links?: { readonly index?: string; readonly manifest?: string };
}

/** The page of a drop: one HTML file that needs nothing else. The same drop always gives the same page. */
export function renderReport({ manifest, statistics, scan, links = {} }: Report): string {
  const { window, rows } = statistics;
  const title = windowTitle(window);
  const charts: Content[] = [
    resultsSection(statistics),
    durationsSection(statistics),
    flavoursSection(statistics),
    busiestSection(statistics, manifest.masking.method),
  ];
  return documentOf({
    title: `${title}, ${manifest.cloud}`,
    header: markup`<p class="eyebrow">${manifest.cloud} · instance events${
      links.index !== undefined && markup` · <a href="${links.index}">all drops</a>`
    }</p><h1>${title}</h1><p class="sub">${weekdayText(window.start)}, all times in UTC</p>`,
    main: [
      warning(manifest.masking.method),
      tiles(headline(manifest, statistics)),
      finishedSection(statistics),
      rows > 0 && charts,
      completenessSection(statistics, manifest),
      privacySection(statistics.privacy, rows, scan),
      tablesSection(manifest),
      dropSection(manifest, links.manifest),
    ],
    footer: markup`<p>Made by ${manifest.tool.name} ${manifest.tool.version} on <time class="time" datetime="${manifest.created}">${manifest.created}</time>.</p>`,
  });
}

function headline({ tables }: Manifest, { rows, events, privacy }: DropStatistics): Fact[] {
  const { counts } = tables[instanceEvents.name] ?? {};
  const { error } = together(events);
  const { distinct } = privacy;
  return [
    { name: 'Events', value: count(rows) },
    { name: 'Instances', value: count(distinct.instances) },
    { name: 'Users', value: count(distinct.users) },
    { name: 'Projects', value: count(distinct.projects) },
    { name: 'Hosts', value: count(distinct.hosts) },
    { name: 'Failed', value: rows === 0 ? '–' : percent(error, rows) },
    { name: 'Late', value: count(counts?.late ?? 0) },
    { name: 'Still open', value: count(counts?.stillOpen ?? 0) },
  ];
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
