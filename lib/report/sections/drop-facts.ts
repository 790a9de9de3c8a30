import type { Manifest, TableManifest } from '../../drop/manifest.ts';
import { instanceEvents } from '../../tables/instance-events/table.ts';
import { type Fact, factList } from '../facts.ts';
import { type Content, markup } from '../markup.ts';
import { count } from '../text.ts';
import { type Section, section } from './section.ts';

const SOURCES: Readonly<Record<TableManifest['source'], string>> = {
  database: 'Nova’s databases',
  api: 'the Nova API',
};

/** Facts about the drop, from its manifest. */
export function dropSection(manifest: Manifest): Section {
  return section('drop', 'The drop', factList(dropFacts(manifest)));
}

function dropFacts(manifest: Manifest): Fact[] {
  const { window, masking, tool } = manifest;
  const events = manifest.tables[instanceEvents.name];
  const api = events?.api;
  const sourceFrom = events?.sourceFrom ?? null;
  const code = (text: string): Content => markup`<code>${text}</code>`;
  const time = (text: string): Content => markup`<code class="time">${text}</code>`;
  return [
    { name: 'Cloud', value: manifest.cloud },
    {
      name: 'Window',
      value: markup`${time(window.start)} to ${time(window.end)}`,
      note: 'the end is not part of it',
    },
    {
      name: 'Source',
      value: events === undefined ? 'not told' : SOURCES[events.source],
      ...(api !== undefined && {
        note: `microversion ${api.microversion}, ${count(api.requests)} requests, ${api.swept ? 'every live server was asked' : 'only servers that looked changed were asked'}`,
      }),
    },
    ...(api?.unseen ?? []).map((reason) => ({ name: 'Not seen', value: reason })),
    {
      name: 'Reaches back to',
      value: sourceFrom === null ? 'not known' : time(sourceFrom),
      note: 'the oldest event that the source still had',
    },
    {
      name: 'Masking',
      value: code(masking.method),
      note: markup`scope ${code(masking.scope)}; masks of one scope join`,
    },
    { name: 'Host names', value: HOSTS[manifest.hostFrom] ?? manifest.hostFrom },
    { name: 'Licence', value: manifest.licence ?? 'No licence was chosen for this trace' },
    { name: 'Seconds count from', value: time(manifest.epoch) },
    {
      name: 'Made',
      value: time(manifest.created),
      note: markup`by ${tool.name} ${tool.version}, run ${code(manifest.run)}`,
    },
  ];
}

const HOSTS: Readonly<Record<string, string>> = {
  event: 'where the event ran',
  instance: 'where the instance is now',
  node: 'the bare metal node',
};
