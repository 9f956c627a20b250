/** A function that works out each key once, and remembers; a promise of it too, so that what is asked twice is asked once. */
export function memo<K, V extends object | string | boolean>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}
