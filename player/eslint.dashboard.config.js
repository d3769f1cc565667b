// For the router's dashboard, which is plain modules with types in their comments: the page's rules, as far as they
// speak of such. It is run from the dashboard's folder, outside of which eslint looks at nothing.
import { defineConfig } from 'eslint/config';

import page from './eslint.config.js';

export default defineConfig(
  page,
  {
    languageOptions: {
      parserOptions: { project: ['./tsconfig.dashboard.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/explicit-function-return-type': 'off',
      // An empty text counts as none here.
      '@typescript-eslint/prefer-nullish-coalescing': 'off',
      // The compiler checks these modules, and knows what a browser has.
      'no-undef': 'off',
      // What the API answers has no type.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
);
