import { factList } from '../facts.ts';
import { type Markup, markup } from '../markup.ts';
import type { ScanFigures } from '../../privacy/leak-scan.ts';
import type { PrivacyFigures } from '../../privacy/figures.ts';
import { count, counted, percent } from '../text.ts';
import { section } from './section.ts';

/** How well the people behind the rows are hidden. */
export function privacySection(privacy: PrivacyFigures, rows: number, scan: ScanFigures | undefined): Markup {
  const { distinct, classes, singleOwnerFlavours } = privacy;
  const figures = factList([
    {
      name: 'Behind the rows',
      value: [
        counted(distinct.users, 'user'),
        counted(distinct.projects, 'project'),
        counted(distinct.hosts, 'host'),
        counted(distinct.instances, 'instance'),
      ].join(', '),
      note: 'distinct ones',
    },
    {
      name: 'Rows in rare classes',
      value: percent(classes.rareRows, rows),
      note: `${counted(classes.rareRows, 'row')} whose ${classes.by.slice(0, -1).join(', ')} and ${classes.by.at(-1)} together are shared by fewer than ${classes.fewerThanUsers} users; ${count(classes.rare)} of ${counted(classes.count, 'class', 'classes')}`,
    },
    {
      name: 'Flavours of a single user',
      value: `${count(singleOwnerFlavours.count)} of ${count(singleOwnerFlavours.of)}`,
      note: `${counted(singleOwnerFlavours.rows, 'row')}, ${percent(singleOwnerFlavours.rows, rows)} of all`,
    },
  ]);
  const told = rows === 0 ? markup`<p>There are no rows, and so nobody behind them.</p>` : figures;
  return section('privacy', 'Privacy', scan !== undefined && scanText(scan), told);
}

function scanText({ found, values, tokens, ambiguous }: ScanFigures): Markup {
  const where = `among ${counted(tokens, 'distinct token')} of output.`;
  const rest =
    ambiguous > 0 &&
    ` ${counted(ambiguous, 'token')} of identifiers ${ambiguous === 1 ? 'is an ordinary word' : 'are ordinary words'} of the trace as well, which proves nothing.`;
  return found > 0
    ? markup`<p class="scan alarm"><strong>${counted(found, 'token')} of raw identifiers found</strong> ${where} ${counted(values, 'identifier')} were looked for.${rest}</p>`
    : markup`<p class="scan"><strong>No raw identifier</strong> of ${count(values)} found ${where}${rest}</p>`;
}
