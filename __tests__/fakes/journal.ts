/** What fakes were asked to do, in order; several fakes share one. */
export type Journal = string[];
