/** The entry point for `import`. It shares its state with that for `require`. */

export * from "./mastra.js";
