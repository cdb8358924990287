// How much of what could go on for ever is run: a sample in `npm test`, more of it in
// `npm run test:exhaustive`.

/** The number of random cases to try in this run. */
export function runSize(sample: number, exhaustive: number): number {
  return process.env.TEST_EXHAUSTIVE ? exhaustive : sample
}
