/**
 * A file of orders: read line by line, in one of two formats, malformed lines set aside.
 *
 * Used by `load`, which reads it twice: to know what to stock, and to send. 1. Memory does not grow
 * with the file. 2. Every line has the same order id at each reading, so a load that was killed
 * can be started again. 3. Blank lines are no lines.
 */

import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { parseCdnowLine } from '../../topologies/shop/load/cdnow.ts'
import { jsonLineParser } from '../../topologies/shop/load/json-lines.ts'
import { type LoadLine } from '../../topologies/shop/load/load-line.ts'
import { CommandError } from './failure.ts'

export interface NumberedLine {
  /** From 1, blank lines counted. */
  readonly number: number
  readonly text: string
  readonly parsed: LoadLine
}

export interface FileNeeds {
  readonly lines: number
  readonly malformed: number
  /** Units the good lines ask for, by product. */
  readonly units: ReadonlyMap<string, number>
}

export class LoadFile {
  readonly path: string
  readonly #parse: (line: string, lineNumber: number) => LoadLine

  constructor(path: string, format: 'json' | 'cdnow') {
    this.path = path
    this.#parse = format === 'cdnow' ? parseCdnowLine : jsonLineParser(basename(path))
  }

  /** Names the load: the same file stocks once, whatever its folder. */
  get name(): string {
    return basename(this.path)
  }

  /** @throws {CommandError} the file cannot be read */
  async *lines(): AsyncGenerator<NumberedLine> {
    const input = createReadStream(this.path, 'utf8')
    let number = 0
    try {
      for await (const text of createInterface({ input, crlfDelay: Infinity })) {
        number += 1
        if (text.trim() !== '') yield { number, text, parsed: this.#parse(text, number) }
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === undefined) throw error
      throw new CommandError(`cannot read ${this.path}: ${(error as Error).message}`)
    } finally {
      input.destroy()
    }
  }

  /** A first pass: how much there is, and what must be on the shelves. */
  async needs(): Promise<FileNeeds> {
    const units = new Map<string, number>()
    let [lines, malformed] = [0, 0]
    for await (const { parsed } of this.lines()) {
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
}
