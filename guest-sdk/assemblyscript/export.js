// Gives two functions of component.ts the names that the contract has for them, which the
// language cannot spell. A transform of the compiler: asc component.ts --transform ./export.js

import { Transform } from 'assemblyscript/transform';

const names = {
  select: 'spanmux:selector/selection@0.1.0#select',
  done: 'cabi_post_spanmux:selector/selection@0.1.0#select',
};

export default class extends Transform {
  afterCompile(module) {
    for (const [inside, outside] of Object.entries(names)) {
      const found = module.getExport(inside);
      if (!found) throw new Error(`component.ts does not export \`${inside}\``);
      module.addFunctionExport(this.binaryen.getExportInfo(found).value, outside);
      module.removeExport(inside);
    }
  }
}
