export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/__tests__'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/jest/strip-types.mjs' },
  setupFiles: ['<rootDir>/jest/one-realm.ts'],
  testTimeout: 60_000,
  // Most tests wait for child processes: a core left free would idle.
  maxWorkers: '100%',
};
