// Measures two works side by side in one run, in turns.

const ROUNDS = 61;

const median = (numbers) => numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)];
const micros = (nanos) => `${(nanos / 1000).toFixed(2)} µs`;

/** Returns the nanoseconds of processor time that one run of the work takes, with the callbacks that it
 * leaves to the event loop. */
async function timed(work, times) {
  const before = process.cpuUsage();
  for (let time = 0; time < times; time += 1) {
    work();
  }
  await new Promise(setImmediate);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / times;
}

/** Returns how often the work runs in about 25 ms, once its code is compiled. */
async function runs(work) {
  for (let round = 0; round < 100; round += 1) {
    await timed(work, 100);
  }
  let times = 1;
  while ((await timed(work, times)) * times < 2.5e7) {
    times *= 2;
  }
  return times;
}

/** Prints the head of the table. */
export function head() {
  console.log("| work | beside | time beside | time | ratio |\n|---|---|---:|---:|---:|");
}

/** Prints the times of both works, and the median of their ratios. */
export async function paired(name, work, beside, other) {
  const times = [await runs(other), await runs(work)];
  const both = [other, work];
  const found = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const pair = [];
    for (const side of round % 2 === 0 ? [0, 1] : [1, 0]) {
      pair[side] = await timed(both[side], times[side]);
    }
    found.push(pair);
  }
  const [first, second] = [0, 1].map((side) => median(found.map((pair) => pair[side])));
  const ratio = median(found.map(([one, next]) => next / one));
  console.log(`| ${name} | ${beside} | ${micros(first)} | ${micros(second)} | ${ratio.toFixed(2)} |`);
}
