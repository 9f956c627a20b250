/** The modes. A new one is a file of its own and a line here. */
import type { Mode } from '../mode.ts';
import { check } from './check.ts';
import { continueMode } from './continue.ts';
import { deploy } from './deploy.ts';
import { discover } from './discover.ts';
import { follow } from './follow.ts';
import { login } from './login.ts';
import { publish } from './publish.ts';
import { release } from './release.ts';
import { rollback } from './rollback.ts';
import { share } from './share.ts';

export const modes: readonly Mode[] = [release, login, publish, share, deploy, check, follow, continueMode, rollback, discover];

/** Every input of the action, over all modes, but for `mode` itself, which is main's. */
export const inputNames: readonly string[] = [...new Set(modes.flatMap((mode) => Object.keys(mode.inputs)))];
