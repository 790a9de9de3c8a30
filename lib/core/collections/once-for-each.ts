/**
 * Remembers what `make` gave for each object, in the object, and so for as long as it lives. Events of one instance
 * share the object that describes it, so masking and rendering it cost once an instance instead of once an event. A
 * Map or WeakMap of a million lookups would cost a tenth of a second, and the garbage collector as much again.
 */
export function onceForEach<K extends object, V extends object | string>(make: (key: K) => V): (key: K) => V {
  const made = Symbol('made');
  return (key) => ((key as Record<symbol, V>)[made] ??= make(key));
}
