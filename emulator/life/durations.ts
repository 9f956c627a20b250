/** How long the steps of a deployment take: what AWS does not document is an option. */

/** Milliseconds. The waits of a group and the intervals of a configuration are given in minutes. */
export const MINUTE = 60_000;

/** In AWS seconds. */
export interface Durations {
  readonly created: number;
  readonly queued: number;
  /** An event without a hook, and the test listener's switch. */
  readonly event: number;
  readonly hook: number;
  readonly hookTimeout: number;
  /** From the making of the green task set until all its tasks are healthy. */
  readonly install: number;
  readonly installTimeout: number;
  /** Between two attempts of a green task that does not get healthy. */
  readonly retry: number;
  /** Until the listener's first new weight. */
  readonly shift: number;
  readonly terminate: number;
  /** How long a draining task set is still shown. */
  readonly drain: number;
  /** From StopDeployment to Stopped. */
  readonly stop: number;
}

/** The measure is a deployment of two small Fargate tasks. */
export const DURATIONS: Durations = {
  created: 2,
  queued: 3,
  event: 0.4,
  hook: 10,
  hookTimeout: 3600,
  install: 90,
  installTimeout: 3600,
  retry: 60,
  shift: 5,
  terminate: 5,
  drain: 30,
  stop: 10,
};
