// The tests against the real parts that .ci/run starts: a Docker engine, a registry, moto. One suite at a time: they share them.
import config from './jest.config.mjs';

export default { ...config, testMatch: ['**/*.real.ts'], testTimeout: 120_000, maxWorkers: 1 };
