/**
 * A file of orders: read line by line, in one of two formats, malformed lines set aside.
 *
 * Used by `load`, which reads it twice: to know what to stock, and to send. 1. Memory does not grow
 * with the file. 2. Every line has the same order id at each reading, so a load that was killed
 * can be started again. 3. Blank lines are no lines. 4. Bytes that are not UTF-8 are never guessed.
 */

import { parseCdnowLine } from '../../topologies/shop/load/cdnow.ts'
import { jsonLineParser } from '../../topologies/shop/load/json-lines.ts'
import type { LoadLine } from '../../topologies/shop/load/load-line.ts'
import { utf8Text } from '../../topologies/shop/shared/exact-json.ts'
import { type LoadInput, readFailure } from './open-input.ts'
import { lineBytesMax, type RawLine, readLines } from './read-lines.ts'

export interface NumberedLine {
  /** From 1, blank lines counted. */
  readonly number: number
  readonly startByte: number
  /** Exclusive, without the LF. */
  readonly endByte: number
  readonly parsed: LoadLine
}

export interface FileNeeds {
  readonly lines: number
  readonly malformed: number
  /** Units the good lines ask for, by product. */
  readonly units: ReadonlyMap<string, number>
}

const chunkBytes = 65_536

export class LoadFile {
  readonly input: LoadInput
  readonly #parse: (line: string, lineNumber: number) => LoadLine

  constructor(input: LoadInput, format: 'json' | 'cdnow') {
    this.input = input
    const nowMs = Date.now() // of the whole load: every reading refuses the same lines
    this.#parse =
      format === 'cdnow'
        ? (line, number) => parseCdnowLine(line, number, nowMs)
        : jsonLineParser(input.document, nowMs)
  }

  get path(): string {
    return this.input.path
  }

  /** Names the load: the same document stocks once, whatever its folder. */
  get name(): string {
    return this.input.document
  }

  /** @throws {CommandError} the file cannot be read */
  async *lines(): AsyncGenerator<NumberedLine> {
    try {
      for await (const line of readLines(this.#bytes(0, Infinity))) {
        const parsed = this.#parsed(line)
        const { number, startByte, endByte } = line
        if (parsed !== undefined) yield { number, startByte, endByte, parsed }
      }
    } catch (error) {
      throw readFailure(this.path, error)
    }
  }

  /** A first pass: how much there is, and what must be on the shelves. */
  async needs(isStopped: () => boolean = () => false): Promise<FileNeeds> {
    const units = new Map<string, number>()
    let [lines, malformed] = [0, 0]
    for await (const { parsed } of this.lines()) {
      if (isStopped()) break
      lines += 1
      if (!parsed.ok) {
        malformed += 1
        continue
      }
      for (const { productId, quantity } of parsed.order.items) {
        units.set(productId, (units.get(productId) ?? 0) + quantity)
      }
    }
    return { lines, malformed, units }
  }

  /** The bytes of a line as they are in the file. */
  bytesOf({ startByte, endByte }: NumberedLine): AsyncIterable<Buffer> {
    return this.#bytes(startByte, endByte)
  }

  /** Not a stream: destroying one closes the handle, whatever its options say. */
  async *#bytes(startByte: number, endByte: number): AsyncGenerator<Buffer> {
    for (let position = startByte; position < endByte;) {
      const length = Math.min(chunkBytes, endByte - position)
      const buffer = Buffer.allocUnsafe(length)
      const { bytesRead } = await this.input.handle.read(buffer, { length, position })
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
      position += bytesRead
    }
  }

  /** Undefined for a blank line. */
  #parsed({ bytes, number }: RawLine): LoadLine | undefined {
    if (bytes === undefined) return { ok: false, reason: `is longer than ${lineBytesMax} bytes` }
    let text: string
    try {
      text = utf8Text(bytes)
    } catch (error) {
      return { ok: false, reason: (error as Error).message }
    }
    return text.trim() === '' ? undefined : this.#parse(text, number)
  }
}
