/** IDs as AWS gives them, but the same for the same thing: a story told twice reads the same. */
import { createHash } from 'node:crypto';

export const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');

/** A UUID. */
export const uuidOf = (seed: string): string => sha256(seed).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');

/** `ecs-svc/` and 19 digits. */
export const taskSetId = (seed: string): string =>
  `ecs-svc/${(BigInt(`0x${sha256(seed).slice(0, 16)}`) + 10n ** 19n).toString().slice(-19)}`;

/** A task's ID: 32 hexadecimal digits, the same for the same task set and number. */
export const taskId = (taskSet: string, index: number | string): string => sha256(`${taskSet}/${index}`).slice(0, 32);
