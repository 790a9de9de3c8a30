/**
 * Remembers what `make` gave for each object, for as long as the object lives. Events of one instance share the
 * object that describes it, so masking and rendering it cost once an instance instead of once an event.
 */
export function onceForEach<K extends object, V extends object | string>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    let value = made.get(key);
    if (value === undefined) made.set(key, (value = make(key)));
    return value;
  };
}
