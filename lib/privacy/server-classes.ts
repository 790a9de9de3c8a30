import { DAY } from '../core/time.ts';
import type { MaskedServer } from '../tables/instances/row.ts';
import { FEW_USERS, countClasses } from './classes.ts';
import { flavourKey, numberUsers } from './identities.ts';

/**
 * How well the people behind the servers of a drop are hidden. Servers that agree in flavour and day of creation form a
 * class: these two are in the clear in every drop, also where masks do not join.
 */
export interface ServerFigures {
  readonly by: readonly ['flavour', 'dayCreated'];
  readonly count: number;
  /** A class shared by fewer distinct users than this is rare. */
  readonly fewerThanUsers: number;
  readonly rare: number;
  /** Rows in rare classes. */
  readonly rareRows: number;
  /** Their share of all rows, 0 to 1; 0 in a drop without rows. */
  readonly rareShare: number;
}

export interface ServerClassifier {
  add(server: MaskedServer): void;
  figures(): ServerFigures;
}

/** Of servers whose time of creation is not known. */
const NO_DAY = -1;

/** Keeps about 70 bytes for each flavour of each day, and the distinct users. */
export function classifyServers(): ServerClassifier {
  const classes = countClasses();
  const users = numberUsers();
  const flavours = new Map<string, number>();
  let rows = 0;
  return {
    add(server) {
      rows++;
      const key = flavourKey(server);
      let flavour = flavours.get(key);
      if (flavour === undefined) flavours.set(key, (flavour = flavours.size));
      const day = server.created === null ? NO_DAY : Math.floor(server.created / DAY);
      classes.add(day, 0, flavour, users.number(server.userId));
    },
    figures() {
      const { classes: count, rareClasses, rareRows } = classes.tally();
      return {
        by: ['flavour', 'dayCreated'],
        count,
        fewerThanUsers: FEW_USERS,
        rare: rareClasses,
        rareRows,
        rareShare: rows === 0 ? 0 : rareRows / rows,
      };
    },
  };
}
