/** The entry point for `import`. It shares its state with that for `require`. */

export type {
  MastraOptions,
  MastraProcessor,
  MastraSelector,
  MastraSpan,
  RequestContextLike,
} from "./mastra.js";
export { mastraSelector } from "./mastra.js";
