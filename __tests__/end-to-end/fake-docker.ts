/** A `docker` first on PATH that notes how it is called, and then does as the test says; without an engine, so that ring 4 needs none. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from '../../emulator/runner.ts';

export interface FakeDocker {
  /** For the step's environment. */
  readonly path: string;
  /** A line a call: `docker ` and the arguments; `stdin: ` and its length for a login. */
  calls(): readonly string[];
}

/** `build`: what the shell does when an image is to be built. */
export function fakeDocker(job: Job, { build = 'exit 1' }: { build?: string } = {}): FakeDocker {
  const folder = join(job.folder, 'bin');
  const journal = join(job.folder, 'docker.journal');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'docker'),
    `#!/bin/sh
echo "docker $*" >> '${journal}'
case "$1" in
  version) echo 28.2.2 ;;
  login)
    password=$(cat)
    echo "stdin: $(printf %s "$password" | wc -c | tr -d ' ') bytes" >> '${journal}'
    mkdir -p "$DOCKER_CONFIG"
    for host; do :; done
    printf '{"auths":{"%s":{"auth":"%s"}}}' "$host" "$(printf 'AWS:%s' "$password" | base64 | tr -d '\\n')" > "$DOCKER_CONFIG/config.json"
    echo "Login Succeeded" ;;
  buildx) [ "$2" = version ] && exit 1 ;;
  build) ${build} ;;
  *) exit 1 ;;
esac
`,
  );
  chmodSync(join(folder, 'docker'), 0o755);
  return {
    path: `${folder}:${process.env['PATH'] ?? ''}`,
    calls: () => (existsSync(journal) ? readFileSync(journal, 'utf8').trimEnd().split('\n') : []),
  };
}
