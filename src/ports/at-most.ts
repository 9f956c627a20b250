/** Works on many things side by side, but on no more than so many at once; the results come in the order of the things. */
export async function atMost<T, R>(most: number, things: readonly T[], work: (thing: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = things.entries();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const [index, thing] of queue) {
      // After a failure nothing new is begun.
      if (failed) return;
      try {
        results[index] = await work(thing);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, things.length) }, worker));
  return results;
}
