/**
 * Lines of a file as bytes, with their places in it.
 *
 * Used by `load-file.ts`. Only LF ends a line: a CR before it stays with the line, and what Unicode
 * calls line separators may stand in a JSON text. Memory is bounded by the longest line that is
 * taken; of a longer one only the place is known.
 */

/** As large as a body of `POST /api/orders` may be. */
export const lineBytesMax = 1_048_576

export interface RawLine {
  /** From 1, whatever the line holds. */
  readonly number: number
  readonly startByte: number
  /** Exclusive, without the LF. */
  readonly endByte: number
  /** Undefined if there are more than `lineBytesMax`. */
  readonly bytes: Buffer | undefined
}

const lineFeed = 0x0a

/** The last line needs no LF; an empty file has no line. */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<RawLine> {
  let parts: Buffer[] = []
  let partsBytes = 0
  let startByte = 0
  let number = 0
  const lineWith = (last: Buffer): RawLine => {
    const sizeBytes = partsBytes + last.length
    const line = {
      number: (number += 1),
      startByte,
      endByte: startByte + sizeBytes,
      bytes: sizeBytes > lineBytesMax ? undefined : joined(parts, last),
    }
    startByte = line.endByte + 1
    parts = []
    partsBytes = 0
    return line
  }
  for await (const chunk of chunks) {
    let at = 0
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, at)) {
      yield lineWith(chunk.subarray(at, end))
      at = end + 1
    }
    const rest = chunk.subarray(at)
    partsBytes += rest.length
    if (partsBytes > lineBytesMax) parts = []
    else if (rest.length > 0) parts.push(rest)
  }
  if (partsBytes > 0) yield lineWith(Buffer.alloc(0))
}

const joined = (parts: readonly Buffer[], last: Buffer): Buffer =>
  parts.length === 0 ? last : Buffer.concat([...parts, last])
