import type { Git, TreeAnswer } from '../../src/ports/git.ts';

/** A checkout that answers what the test says. */
export class FakeGit implements Git {
  time: number | undefined;
  answer: TreeAnswer = { answer: 'none', reason: 'not a git repository' };

  commitTime = async () => this.time;
  tree = async () => this.answer;
}
