// The router's dashboard: JavaScript modules with JSDoc types, served without a build. The rules are those of the
// page. This file is not in the dashboard's folder because the router serves every file there.
import { defineConfig } from 'eslint/config';

import page from './eslint.config.js';

export default defineConfig(page, {
  languageOptions: {
    parserOptions: { project: ['./tsconfig.dashboard.json'], tsconfigRootDir: import.meta.dirname },
  },
  rules: {
    // JSDoc types: the compiler infers the return types.
    '@typescript-eslint/explicit-function-return-type': 'off',
    // The compiler reports undefined names, and knows the browser's globals.
    'no-undef': 'off',
  },
});
