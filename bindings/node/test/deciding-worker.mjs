// A thread that decides, and reports the number of right decisions after its rounds, or after the
// first one if they have no end.

import { parentPort, workerData } from "node:worker_threads";

import { Policy } from "spanmux";

import { SELECTORS, TRACERS } from "./shared.mjs";

const policy = await Policy.load(SELECTORS, { watch: workerData.rounds === Infinity });
let right = 0;
for (let round = 0; round < workerData.rounds; round += 1) {
  const user = `u-${round}`;
  right += policy.decide({ tenant: "acme", "user.id": user }, TRACERS).tracer === "tenant-acme" ? 1 : 0;
  if (workerData.rounds === Infinity && round === 0) {
    parentPort.postMessage(right);
  }
}
parentPort.postMessage(right);
