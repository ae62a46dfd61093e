/**
 * Slot keys one behind the other, outside the heap: a list to be walked through once.
 *
 * Used by `written-rows.ts`. As strings they would be copied by two scavenges and marked by every
 * collection after. Layout: `[keyBytes u32][key latin1]`, in blocks that no key is divided between,
 * each twice as large as the one before: most lists of a narrow window hold a few keys.
 */

const blockBytesMin = 128
const blockBytesMax = 16_384
const lengthBytes = 4
/** Of list, block and buffer on the heap, about. */
const besideBytes = 256

interface Block {
  readonly buffer: Buffer
  usedBytes: number
}

export class KeyList {
  /** The first that is not read to its end, and all after it. */
  readonly #blocks: Block[] = []
  #readAt = 0
  #blockBytes = blockBytesMin
  #bytes = besideBytes
  /** For who takes keys: as of when; undefined before the first. */
  takenAt: number | undefined

  /** What it takes. */
  get bytes(): number {
    return this.#bytes
  }

  /** @param slot  one character per byte */
  push(slot: string): void {
    const keyBytes = lengthBytes + slot.length
    let block = this.#blocks.at(-1)
    if (block === undefined || block.usedBytes + keyBytes > block.buffer.length) {
      block = this.#open(keyBytes)
    }
    const at = block.buffer.writeUInt32LE(slot.length, block.usedBytes)
    block.usedBytes = at + block.buffer.write(slot, at, 'latin1')
  }

  /** The next keys, in the order in which they came; fewer than `max` only at the end. */
  take(max: number): readonly string[] {
    const slots: string[] = []
    for (let block = this.#blocks[0]; block !== undefined; block = this.#blocks[0]) {
      const { buffer, usedBytes } = block
      while (slots.length < max && this.#readAt < usedBytes) {
        const start = this.#readAt + lengthBytes
        const end = start + buffer.readUInt32LE(this.#readAt)
        slots.push(buffer.toString('latin1', start, end))
        this.#readAt = end
      }
      if (this.#readAt < usedBytes) break
      this.#blocks.shift()
      this.#bytes -= buffer.length
      this.#readAt = 0
    }
    return slots
  }

  #open(keyBytes: number): Block {
    const buffer = Buffer.allocUnsafeSlow(Math.max(this.#blockBytes, keyBytes))
    this.#blockBytes = Math.min(2 * this.#blockBytes, blockBytesMax)
    const block = { buffer, usedBytes: 0 }
    this.#blocks.push(block)
    this.#bytes += buffer.length
    return block
  }
}
