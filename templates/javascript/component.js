// What the component exports: the selector of selector.js, on the questions of the contract.

import * as questions from 'spanmux:selector/runtime-context@0.1.0';

import { select } from './selector.js';
import { exported } from './spanmux.js';

export const selection = exported(select, questions);
