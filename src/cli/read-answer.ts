// The text of an answer, up to a bound: whoever answers may be anybody, and may never stop.

/** Throws RangeError for an answer of more than `bytesMax`, and whatever the stream throws. */
export async function readAnswer(
  stream: AsyncIterable<Uint8Array> | null,
  bytesMax: number,
): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream ?? []) {
    chunks.push(chunk)
    size += chunk.length
    if (size > bytesMax) throw new RangeError('the answer is too long')
  }
  return Buffer.concat(chunks).toString()
}
