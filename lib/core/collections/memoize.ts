/**
 * Remembers what `make` gave for values that recur: users, projects, hosts, names of events, results. All are forgotten
 * when there are too many, because values that occur only once would pile up.
 *
 * @param limit how many are remembered; about 200 bytes each
 */
export function memoize<K extends string | number | null, V>(
  make: (value: K) => V,
  limit = 4000,
): (value: K) => V {
  const made = new Map<K, V>();
  return (value) => {
    const known = made.get(value);
    if (known !== undefined) return known;
    if (made.size >= limit) made.clear();
    const fresh = make(value);
    made.set(value, fresh);
    return fresh;
  };
}
