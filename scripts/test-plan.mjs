// In which order the files of a run of the tests are started: so that no core is without work, neither
// while one file waits nor at the end, when the others have none left.

/** What takes half a minute or more of a run comes first: begun last, it would be all that runs. */
const LONG = [
  'test/bench/bench-sample.test.ts',
  'test/bench/scale-sample.test.ts',
  'test/bench/timing-sample.test.ts',
  'test/interop/container.test.ts',
  'test/interop/prometheus-rules.test.ts',
  'test/interop/rolling.test.ts',
]

/** What waits for a minute of the clock, and needs no core for it, is beside the jobs. */
const IDLE = ['test/interop/gateway-haproxy.test.ts']

/** `queue` is for the jobs; each of `idle` may begin at once. A run of a few files has the same order. */
export function planFiles(files) {
  const isLong = (file) => LONG.includes(file)
  const working = files.filter((file) => !IDLE.includes(file))
  return {
    queue: [...working.filter(isLong), ...working.filter((file) => !isLong(file))],
    idle: files.filter((file) => IDLE.includes(file)),
  }
}

/** Every file that is named here; a test holds them to those that there are. */
export const PLANNED = [...LONG, ...IDLE]
