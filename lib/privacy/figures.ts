import { type ClassTally, FEW_USERS } from './classes.ts';
import type { Identities } from './identities.ts';

/**
 * How well the people behind a drop are hidden among each other. Users are told apart by their masks; rows without a
 * user count as rows of one more user, the same for all, but not among the distinct users.
 */
export interface PrivacyFigures {
  readonly distinct: {
    readonly users: number;
    readonly projects: number;
    readonly hosts: number;
    readonly instances: number;
  };
  /** Rows that agree in these form a class. Hours are those of the finish, on the clock, in UTC. */
  readonly classes: {
    readonly by: readonly ['flavour', 'hour', 'event', 'result'];
    readonly count: number;
    /** A class shared by fewer distinct users than this is rare. */
    readonly fewerThanUsers: number;
    readonly rare: number;
    /** Rows in rare classes. */
    readonly rareRows: number;
    /** Their share of all rows, 0 to 1; 0 in a drop without rows. */
    readonly rareShare: number;
  };
  /** Flavours all of whose rows are of one user. */
  readonly singleOwnerFlavours: {
    readonly count: number;
    readonly rows: number;
    /** How many flavours there are in all. */
    readonly of: number;
  };
}

export function privacyFigures(
  identities: Identities,
  hosts: number,
  classes: ClassTally,
  rows: number,
): PrivacyFigures {
  const flavours = [...identities.flavours.values()];
  const owned = flavours.filter(({ shared }) => !shared);
  return {
    distinct: {
      users: identities.users,
      projects: identities.projects.all.size,
      hosts,
      instances: identities.instances(),
    },
    classes: {
      by: ['flavour', 'hour', 'event', 'result'],
      count: classes.classes,
      fewerThanUsers: FEW_USERS,
      rare: classes.rareClasses,
      rareRows: classes.rareRows,
      rareShare: rows === 0 ? 0 : classes.rareRows / rows,
    },
    singleOwnerFlavours: {
      count: owned.length,
      rows: owned.reduce((sum, flavour) => sum + flavour.rows, 0),
      of: flavours.length,
    },
  };
}
