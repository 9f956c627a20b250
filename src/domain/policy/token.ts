/** What a glob is made of: characters, and the wildcards `*` (any run of characters, also none) and `?` (exactly one). */
export const run: unique symbol = Symbol('*');
export const one: unique symbol = Symbol('?');

export type Token = string | typeof run | typeof one;
