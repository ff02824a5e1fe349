// Contexts with a fact that cannot be read.

const cycle = {};
cycle.self = { cycle };
const wide = Array.from({ length: 30 }).reduce((inner) => ({ a: inner, b: inner }), "leaf");
const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();
export const throwing = () => {
  throw new Error("no value");
};
const hostile = {
  get message() {
    throw new Error("no message");
  },
};

/** Each with its name, the key that the reason names, and the reason. */
export const UNREADABLE = [
  ["symbol", { tenant: Symbol("acme") }, "tenant", /a symbol cannot be a fact/],
  ["function", { tenant: () => "acme" }, "tenant", /a function cannot be a fact/],
  ["large bigint", { tenant: 2n ** 64n }, "tenant", /does not fit into 64 bits/],
  ["map", { tenant: new Map([["a", 1]]) }, "tenant", /a Map cannot be a fact/],
  ["set", { tenant: new Set() }, "tenant", /a Set cannot be a fact/],
  ["promise", { tenant: Promise.resolve("acme") }, "tenant", /a Promise cannot be a fact/],
  ["error", { tenant: new Error("x") }, "tenant", /an Error cannot be a fact/],
  ["bytes", { tenant: new Uint8Array(3) }, "tenant", /an Uint8Array cannot be a fact/],
  ["cycle", { tenant: cycle }, "tenant", /contains itself/],
  ["exponential graph", { tenant: wide }, "tenant", /more than 16384 keys/],
  ["throwing getter", { get tenant() { return throwing(); } }, "tenant", /no value/],
  ["throwing getter inside", { tenant: { get id() { return throwing(); } } }, "tenant", /no value/],
  ["getter that throws no error", { get tenant() { throw hostile; } }, "tenant", /object Object/],
  ["getter that throws null", { get tenant() { throw null; } }, "tenant", /null/],
  ["throwing toJSON", { tenant: { toJSON: throwing } }, "tenant", /no value/],
  ["proxy that throws", new Proxy({}, { ownKeys: throwing }), "context", /no value/],
  ["proxy that throws inside", { tenant: new Proxy({}, { get: throwing }) }, "tenant", /no value/],
  ["revoked proxy", revoked, "context", /revoked/],
  ["revoked proxy inside", { tenant: revoked }, "tenant", /revoked/],
  ["huge text", { tenant: "x".repeat(2 ** 21) }, "tenant", /more than 1048576 bytes/],
  ["huge key", { ["x".repeat(2 ** 21)]: 1 }, "x".repeat(100) + "…", /more than 1048576 bytes/],
  ["huge array", { tenant: new Array(2 ** 20).fill(1) }, "tenant", /more than 1048576 bytes/],
  ["many keys", Object.fromEntries(Array.from({ length: 20_000 }, (_, key) => [key, 1])), "16384", /more than 16384 keys/],
  ["lone surrogate", { tenant: "\ud800" }, "tenant", /a lone surrogate/],
  ["lone surrogate inside", { tenant: ["\udfff"] }, "tenant", /a lone surrogate/],
  ["lone surrogate in a key", { "\ud800": 1 }, "\ufffd", /a lone surrogate/],
  ["lone surrogate where none asks", { other: "\ud800", tenant: "acme" }, "other", /a lone surrogate/],
  ["symbol where none asks", { other: Symbol("x"), tenant: "acme" }, "other", /a symbol/],
  ["NaN inside", { tenant: [NaN] }, "tenant", /NaN inside of/],
  ["map with another key", new Map([[1, "acme"]]), "context", /a key must be a string, not a number/],
  ["array", ["acme"], "context", /not an array/],
  ["text", "acme", "context", /not a string/],
  ["number", 7, "context", /not a number/],
  ["symbol as context", Symbol("x"), "context", /not a symbol/],
  ["promise as context", Promise.resolve({}), "context", /not a Promise/],
  ["set as context", new Set(["acme"]), "context", /not a Set/],
];
