import { type Manifest, type TableManifest, filesOf } from '../../drop/manifest.ts';
import type { ManifestFile } from '../../drop/manifest-file.ts';
import { instanceEvents } from '../../tables/instance-events/table.ts';
import { type Fact, factList } from '../facts.ts';
import { type Content, type Markup, markup } from '../markup.ts';
import { table } from '../table.ts';
import { bytesText, count, counted } from '../text.ts';
import { section } from './section.ts';

const SOURCES: Readonly<Record<TableManifest['source'], string>> = {
  database: 'Nova’s databases',
  api: 'the Nova API',
};

/** Facts about the drop and its files, from its manifest. */
export function dropSection(manifest: Manifest, link: string | undefined): Markup {
  return section(
    'drop',
    'The drop',
    factList(dropFacts(manifest)),
    files(filesOf(manifest)),
    link !== undefined && markup`<p><a href="${link}">The manifest</a> says the same to programs.</p>`,
  );
}

function dropFacts(manifest: Manifest): Fact[] {
  const { window, masking, tool } = manifest;
  const events = manifest.tables[instanceEvents.name];
  const api = events?.api;
  const sourceFrom = events?.sourceFrom ?? null;
  const [licence] = manifest.datapackage.licenses;
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
    { name: 'Licence', value: licence === undefined ? 'not told' : (licence.title ?? licence.name) },
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

function files(list: readonly ManifestFile[]): Markup {
  return table({
    caption: 'Files',
    isFull: true,
    head: ['File', 'Rows', 'Size'],
    rows: list.map(({ key, format, formatVersion, sha256, rows, bytes }) => ({
      name: markup`<span class="file">${key.split('/').at(-1) ?? key}</span><small>${format} ${formatVersion}, SHA-256 <code class="hash">${sha256}</code></small>`,
      cells: [
        count(rows),
        markup`${bytesText(bytes)}${bytes >= 1024 && markup`<small>${counted(bytes, 'byte')}</small>`}`,
      ],
    })),
  });
}
