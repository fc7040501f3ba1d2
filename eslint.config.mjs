import tseslint from 'typescript-eslint';
import prettier from 'eslint-config-prettier';
import { auditedWrites } from './scripts/lib/audited-writes.mjs';

export default tseslint.config(
  { ignores: ['dist', 'client/dist', 'coverage', 'node_modules', '.data'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  prettier,
  {
    languageOptions: {
      parserOptions: {
        projectService: {
          allowDefaultProject: ['*.mjs', '*.cjs', 'scripts/*.mjs', 'test/*.mjs'],
          maximumDefaultProjectFileMatchCount_THIS_WILL_SLOW_DOWN_LINTING: 20,
        },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      // DTOs and entities are shapes without behaviour: a literal of the shape is how they are made.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Entities are plain records that may be copied, and text is counted in code points on purpose.
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-console': 'error',
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', 'live-page/*.js'],
    ...tseslint.configs.disableTypeChecked,
    rules: { ...tseslint.configs.disableTypeChecked.rules, 'no-console': 'off' },
  },
  { files: ['bench/**/*.ts', 'src/quickstart.ts', 'scripts/**'], rules: { 'no-console': 'off' } },
  {
    // Only the configuration layer reads the environment, so that every setting is validated and documented.
    files: ['src/**/*.ts'],
    ignores: [
      'src/config/**',
      'src/main.ts',
      'src/migrate.ts',
      'src/backup.ts',
      // Hands it on to programs of PostgreSQL.
      'src/database/backup/programs.ts',
      'src/check.ts',
      'src/rotate-keys.ts',
      'src/**/*.spec.ts',
    ],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Read settings through src/config.' },
      ],
    },
  },
  {
    // There is one way to write metadata, and it leaves an audit entry.
    files: ['src/**/*.ts'],
    ignores: ['src/database/**', 'src/**/*.spec.ts'],
    plugins: { 'live-tables': { rules: { 'audited-writes': auditedWrites } } },
    rules: {
      'live-tables/audited-writes': [
        'error',
        {
          withoutAudit: {
            'src/modules/idempotency/kept-answers.ts':
              'Answers that are kept for repetitions are no metadata: only whoever repeats a request reads them.',
            'src/modules/tables/schema/schema-saga.ts':
              'The state of an operation is not metadata; what the operation changes is audited when it is completed.',
            'src/modules/tables/indexes/index-queue.ts':
              'How far a build is, is not metadata; that an index is wanted or not is audited where it is asked for.',
            'src/modules/tables/columns/convert/background/conversion-work.ts':
              'How far a conversion is, is not metadata; its beginning and its end are structure changes.',
            'src/modules/rows/import/jobs/import-jobs.ts':
              'How far an import is, is not metadata; what it writes is in the change log, the table that it makes is audited.',
            'src/modules/connections/schema/schema-store.ts':
              'What was found in an external database is no metadata of ours: it can be looked for again.',
            'src/modules/publishing/keys/quotas.ts': 'Counts of reads are no metadata.',
            'src/modules/publishing/usage/usage-log.ts': 'Counts of reads are no metadata.',
            'src/modules/tables/indexes/usage-log.ts': 'Counts of reads are no metadata: they are advice.',
            'src/modules/auth/personal-tokens/personal-token-states.ts': 'When a token was used last is no metadata.',
            'src/modules/webhooks/delivery/webhook-queue.ts':
              'How far a webhook has told is no metadata; that there is one, and that it is given up, is audited.',
            'src/modules/mail/mail-queue.ts':
              'A mail on its way is no metadata; what it tells of is audited where it is ordered.',
          },
        },
      ],
    },
  },
);
