/**
 * Remembers what `make` gave for each object, in the object, and so for as long as it lives. Events of one instance
 * share the object that describes it, so masking and rendering it cost once an instance instead of once an event. A
 * Map or WeakMap of a million lookups would cost a tenth of a second, and the garbage collector as much again.
 */
export function onceForEach<K extends object, V extends object | string>(make: (key: K) => V): (key: K) => V {
  const made = Symbol('made');
  return (key) => {
    const known = (key as Record<symbol, V | undefined>)[made];
    if (known !== undefined) return known;
    const value = make(key);
    // Not enumerable, so that a copy of the object or a comparison with another does not see it.
    Object.defineProperty(key, made, { value });
    return value;
  };
}
