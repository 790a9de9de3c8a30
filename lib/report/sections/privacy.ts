import { type Fact, factList } from '../facts.ts';
import { type Markup, markup } from '../markup.ts';
import type { ScanFigures } from '../../privacy/leak-scan.ts';
import type { PrivacyFigures } from '../../privacy/figures.ts';
import type { ServerFigures } from '../../privacy/server-classes.ts';
import { count, counted, percent } from '../text.ts';
import { type Section, section } from './section.ts';

/** How well the people behind the rows are hidden. */
export function privacySection(
  privacy: PrivacyFigures,
  rows: number,
  servers: { readonly figures: ServerFigures; readonly rows: number } | undefined,
  scan: ScanFigures | undefined,
): Section {
  const { distinct, classes, singleOwnerFlavours } = privacy;
  const figures: Fact[] = [
    {
      name: 'Behind the events',
      value: [
        counted(distinct.users, 'user'),
        counted(distinct.projects, 'project'),
        counted(distinct.hosts, 'host'),
        counted(distinct.instances, 'server'),
      ].join(', '),
      note: 'distinct ones',
    },
    {
      name: 'Events in rare classes',
      value: percent(classes.rareRows, rows),
      note: `${counted(classes.rareRows, 'event')} whose ${classes.by.slice(0, -1).join(', ')} and ${classes.by.at(-1)} together are shared by fewer than ${classes.fewerThanUsers} users; ${count(classes.rare)} of ${counted(classes.count, 'class', 'classes')}`,
    },
    {
      name: 'Flavours of a single user',
      value: `${count(singleOwnerFlavours.count)} of ${count(singleOwnerFlavours.of)}`,
      note: `${counted(singleOwnerFlavours.rows, 'event')}, ${percent(singleOwnerFlavours.rows, rows)} of all`,
    },
    ...(servers === undefined ? [] : [serverFact(servers.figures, servers.rows)]),
  ];
  return section(
    'privacy',
    'Privacy',
    verdict(classes.rareShare, rows, classes.fewerThanUsers, servers?.figures),
    rows > 0 || (servers?.rows ?? 0) > 0
      ? factList([...figures, ...(scan === undefined ? [] : [scanFact(scan)])])
      : markup`<p>There are no rows, and so nobody behind them.</p>`,
  );
}

function serverFact({ fewerThanUsers, rareRows, rare, count: of }: ServerFigures, rows: number): Fact {
  return {
    name: 'Servers in rare classes',
    value: percent(rareRows, rows),
    note: `${counted(rareRows, 'server')} whose flavour and day of creation together are shared by fewer than ${fewerThanUsers} users; ${count(rare)} of ${counted(of, 'class', 'classes')}. Old servers nearly always are`,
  };
}

/** From these shares of events in rare classes on the page says that people can be found. */
const SOME = 0.05;
const MANY = 0.25;

/**
 * What the figures come to. No raw identifier in the files is taken for granted, and no merit: a share of rare rows is
 * what decides how easily people are found.
 */
function verdict(
  rareShare: number,
  rows: number,
  fewer: number,
  servers: ServerFigures | undefined,
): Markup | false {
  if (rows === 0) return false;
  const part = percent(rareShare * rows, rows);
  const who = `A reader who knows when one of fewer than ${fewer} users did something can find that row, and through its masks all other rows of that user`;
  if (rareShare >= MANY) {
    return markup`<p class="verdict warn"><strong>People can be found: ${part} of the events stand out.</strong> ${who}. Give this drop to people you trust, or make windows longer, or exclude who stands out.</p>`;
  }
  if (rareShare >= SOME) {
    return markup`<p class="verdict"><strong>Some people can be found: ${part} of the events stand out.</strong> ${who}.</p>`;
  }
  const old =
    servers !== undefined &&
    servers.rareShare >= MANY &&
    ` Of the servers, ${percent(servers.rareRows, servers.rareRows / servers.rareShare)} stand out by flavour and day of creation.`;
  return markup`<p class="verdict calm"><strong>Few people stand out: ${part} of the events.</strong> All others are among at least ${fewer} users who did the same in the same hour.${old}</p>`;
}

function scanFact({ found, values, tokens, ambiguous }: ScanFigures): Fact {
  const where = `of ${counted(values, 'identifier')} looked for among ${counted(tokens, 'distinct token')} of output`;
  const rest =
    ambiguous > 0 &&
    `; ${counted(ambiguous, 'token')} of identifiers ${ambiguous === 1 ? 'is an ordinary word' : 'are ordinary words'} of the trace as well, which proves nothing`;
  return {
    name: 'Raw identifiers',
    value: found > 0 ? markup`<strong class="error">${counted(found, 'token')} found</strong>` : 'none found',
    note: [where, rest],
  };
}
