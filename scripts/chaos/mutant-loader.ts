import { register } from 'node:module';

// Given to a process with `--import`; what it changes is named by LAKEHOUSE_MUTANT.
register('./mutant-hooks.js', import.meta.url);
