// The exports of the component: the selector in selector.ts, using the host functions of the contract.

import * as questions from 'spanmux:selector/runtime-context@0.1.0';

import { select } from './selector.js';
import { exported } from './spanmux.js';

export const selection = exported(select, questions);
