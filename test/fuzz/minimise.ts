// A shorter input that is broken in the same way: parts are left out as long as it stays so, large ones first.

const TRIES_MAX = 3_000

export function minimise(input: Buffer, isBroken: (input: Buffer) => boolean): Buffer {
  let shortest = input
  let tries = 0
  for (let size = Math.ceil(input.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < shortest.length && tries < TRIES_MAX; ) {
      const other = Buffer.concat([shortest.subarray(0, at), shortest.subarray(at + size)])
      tries += 1
      if (isBroken(other)) shortest = other
      else at += size
    }
  }
  return shortest
}
