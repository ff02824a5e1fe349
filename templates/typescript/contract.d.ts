// The host functions of the contract that a component imports.
declare module 'spanmux:selector/runtime-context@0.1.0' {
  export function get(key: string): unknown;
  export function has(key: string): boolean;
  export function keys(): string[];
  export function bucket(key: string, salt: string, buckets: number): number | undefined;
}
