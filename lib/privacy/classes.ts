/** A class with fewer distinct users than this says something about each of them. */
export const FEW_USERS = 5;

export interface ClassTally {
  readonly classes: number;
  /** Classes shared by fewer than five users. */
  readonly rareClasses: number;
  /** Rows in these. */
  readonly rareRows: number;
}

/** Counts how many users share each class of rows: of events, the same flavour, hour, event and result. */
export interface ClassCounter {
  /**
   * All arguments are small whole numbers.
   *
   * @param hour or another span of time
   * @param kind stands for the event together with its result
   * @param user from 1 on
   */
  add(hour: number, kind: number, flavour: number, user: number): void;
  tally(): ClassTally;
}

/** Leaves room for a million flavours. With fewer than 2,048 kinds, keys are small integers, which are cheap. */
const KINDS_APART = 2 ** 20;

/**
 * Takes about 70 bytes a class: a trace has up to flavours × hours × kinds of them, some ten thousand a day. Of each
 * class only the first five users are kept.
 */
export function countClasses(): ClassCounter {
  const hours = new Map<number, Map<number, number>>();
  let rows = new Uint32Array(1024);
  let users = new Uint32Array(1024 * FEW_USERS);
  let count = 0;

  const classOf = (hour: number, kind: number, flavour: number): number => {
    let classes = hours.get(hour);
    if (classes === undefined) hours.set(hour, (classes = new Map()));
    const key = kind * KINDS_APART + flavour;
    let index = classes.get(key);
    if (index === undefined) classes.set(key, (index = count++));
    return index;
  };
  return {
    add(hour, kind, flavour, user) {
      const index = classOf(hour, kind, flavour);
      if (index >= rows.length) [rows, users] = [doubled(rows), doubled(users)];
      rows[index] = (rows[index] ?? 0) + 1;
      const first = index * FEW_USERS;
      for (let at = first; at < first + FEW_USERS; at++) {
        if (users[at] === user) return;
        if (users[at] === 0) {
          users[at] = user;
          return;
        }
      }
    },
    tally() {
      let [rareClasses, rareRows] = [0, 0];
      for (let index = 0; index < count; index++) {
        if (users[(index + 1) * FEW_USERS - 1] !== 0) continue;
        rareClasses++;
        rareRows += rows[index] ?? 0;
      }
      return { classes: count, rareClasses, rareRows };
    },
  };
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
