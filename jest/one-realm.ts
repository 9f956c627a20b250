/**
 * Jest runs each test file in a realm of its own, while Node's modules (fs, http) throw errors of the outer one: `instanceof Error`
 * is false for them, which it never is on a runner. This makes it as it is there.
 */
Object.defineProperty(Error, Symbol.hasInstance, {
  value(this: unknown, thrown: unknown): boolean {
    const isError = (Error as unknown as { isError(value: unknown): boolean }).isError(thrown);
    return this === Error ? isError : Function.prototype[Symbol.hasInstance].call<unknown, [unknown], boolean>(this, thrown);
  },
});
