/** A time in a reply, in seconds; absent if it has not come yet. */
import { timestamp } from '../json.ts';

export const when = (at: number | undefined): number | undefined => (at === undefined ? undefined : timestamp(at));
