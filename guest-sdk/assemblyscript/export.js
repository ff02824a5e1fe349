// A compiler transform: asc component.ts --transform ./export.js. It renames two exported
// functions of component.ts to their names in the contract, which are not valid identifiers.

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
