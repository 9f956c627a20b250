import tseslint from 'typescript-eslint';

/** The house's one direction: domain <- ports <- modes <- main. Each layer names what it must not know. */
const layer = (files, patterns, message) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: [{ regex: patterns, message }] }] },
});

export default tseslint.config(
  { ignores: ['dist/', 'build/', 'node_modules/', 'coverage/'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/only-throw-error': 'error',
    },
  },
  // domain/ is pure: values in, values out. No SDK, no toolkit, no Node, no clock, no environment.
  {
    files: ['src/domain/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!\\./|\\.\\./(?!\\.\\.|ports|modes|errors|inputs|mode|main|post|manifest))',
              message: 'domain/ imports only domain/',
            },
          ],
        },
      ],
      'no-restricted-globals': [
        'error',
        ...['process', 'Buffer', 'fetch', 'console', 'setTimeout', 'setInterval', 'setImmediate', 'performance', 'crypto', 'globalThis'],
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'domain/ has no clock: take the time as an argument',
        },
        {
          selector: "MemberExpression[object.name='Date'][property.name='now']",
          message: 'domain/ has no clock: take the time as an argument',
        },
        {
          selector: "MemberExpression[object.name='Math'][property.name='random']",
          message: 'domain/ has no chance: take the number as an argument',
        },
      ],
    },
  },
  layer(['src/ports/**'], '/modes/|/(main|post|mode|manifest)\\.ts$', 'ports know the domain and errors, not the modes'),
  layer(['src/modes/**'], '^@aws-sdk/|^@actions/|^node:|/(main|post)\\.ts$', 'modes reach the world through ports only'),
  layer(['emulator/**'], '/src/', 'the emulator is a second opinion: it shares no code with the action'),
  {
    files: ['scripts/**', 'emulator/**', 'examples/**', 'bench/**'],
    rules: { 'no-console': 'off' },
  },
  { files: ['**/*.mjs'], extends: [tseslint.configs.disableTypeChecked], rules: { 'no-console': 'off' } },
);
