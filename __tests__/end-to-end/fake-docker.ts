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

export interface FakeDockerOptions {
  /** What the shell does when an image is to be built. */
  readonly build?: string;
  /** The driver of buildx's builder; without one buildx is not installed. */
  readonly buildx?: 'docker' | 'docker-container';
  /** What it does first at a login, after it has read the password. */
  readonly login?: string;
}

/** What the shell does with buildx's own command; a build pushes a small image. */
const buildx = (driver: string, build: string): string => `case "$2" in
    version) echo "github.com/docker/buildx v0.29.1 0" ;;
    inspect) printf 'Name:   %s\\nDriver: ${driver}\\n' "\${3:-default}" ;;
    create|rm) ;;
    build) ${build} ;;
    *) exit 1 ;;
  esac`;

/** A build that pushes for real, to the emulator's registry. */
export const pushes = `exec '${process.execPath}' '${join(import.meta.dirname, 'fake-buildx.mjs')}' "$@"`;

export function fakeDocker(job: Job, { build = 'exit 1', buildx: driver, login = ':' }: FakeDockerOptions = {}): FakeDocker {
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
    for host; do :; done
    ${login}
    printf '{"auths":{"%s":{"auth":"%s"}}}' "$host" "$(printf 'AWS:%s' "$password" | base64 | tr -d '\\n')" > "$DOCKER_CONFIG/config.json"
    echo "Login Succeeded" ;;
  buildx) ${driver === undefined ? 'exit 1' : buildx(driver, build)} ;;
  info) echo '[["Backing Filesystem","extfs"]]' ;;
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
