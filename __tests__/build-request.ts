import type { BuildRequest } from '../src/domain/docker-arguments.ts';

/** A build without a wish. */
export const plainBuild: BuildRequest = {
  context: '/work/app',
  file: undefined,
  target: undefined,
  platforms: [],
  buildArgs: [],
  buildContexts: [],
  secrets: [],
  ssh: [],
  labels: [],
  annotations: [],
  cacheFrom: [],
  cacheTo: [],
  noCache: false,
  pull: false,
  attestations: [],
  builder: undefined,
  references: ['host/shop/web:blue'],
};
