import { factList } from '../facts.ts';
import { type Markup, markup } from '../markup.ts';
import type { PrivacyFigures, ScanFigures } from '../privacy.ts';
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
  const what = counted(values, 'raw identifier');
  const where = counted(tokens, 'token');
  const rest =
    ambiguous > 0 &&
    ` ${counted(ambiguous, 'identifier')} could not be looked for, being ${ambiguous === 1 ? 'an ordinary word' : 'ordinary words'} of the trace.`;
  if (found > 0) {
    return markup`<p class="scan alarm"><strong>${count(found)} of ${what} found</strong> in ${where} of output.${rest}</p>`;
  }
  return markup`<p class="scan"><strong>No raw identifier</strong> of ${count(values)} found in ${where} of output.${rest}</p>`;
}
