/**
 * The order of the outputs of a generation over all its partitions, and the input behind each.
 *
 * Kept by `StagedOutputs`: enough to name the input should the broker refuse an output. 16 bytes
 * per output in memory of the pool: as arrays they grew by copying, and each commit left
 * megabytes of them to the garbage collector.
 */

import { bufferPool } from '../broker/records/buffer-pool.ts'

/** Per output: partition and input in 4 bytes each, the offset of the input in 8. */
const entryBytes = 16
const firstCount = 64

export class OutputOrder {
  #buffer = noBytes
  #partitions = new Int32Array(0)
  #inputs = new Int32Array(0)
  #offsets = new Float64Array(0)
  #capacity = 0
  #count = 0

  get count(): number {
    return this.#count
  }

  /**
   * @param partition  index of the output's partition
   * @param input      index of the input behind it, or −1
   * @param offset     of that one
   */
  push(partition: number, input: number, offset: number): void {
    const at = this.#count
    if (at === this.#capacity) this.#grow()
    this.#partitions[at] = partition
    this.#inputs[at] = input
    this.#offsets[at] = offset
    this.#count = at + 1
  }

  /** Forgets all but the first. */
  truncate(count: number): void {
    this.#count = count
  }

  partitionAt(index: number): number {
    return this.#partitions[index]!
  }

  inputAt(index: number): number {
    return this.#inputs[index]!
  }

  offsetAt(index: number): number {
    return this.#offsets[index]!
  }

  /** Gives its memory back; nothing may be asked any more. */
  release(): void {
    if (this.#capacity > 0) bufferPool.give(this.#buffer)
    this.#use(noBytes)
    this.#count = 0
  }

  #grow(): void {
    const [partitions, inputs, offsets] = [this.#partitions, this.#inputs, this.#offsets]
    const outgrown = this.#buffer
    this.#use(bufferPool.take(Math.max(firstCount, this.#capacity * 2) * entryBytes))
    this.#partitions.set(partitions)
    this.#inputs.set(inputs)
    this.#offsets.set(offsets)
    if (outgrown.length > 0) bufferPool.give(outgrown)
  }

  #use(buffer: Buffer<ArrayBuffer>): void {
    const count = Math.floor(buffer.length / entryBytes)
    const { buffer: memory, byteOffset } = buffer
    this.#buffer = buffer
    this.#capacity = count
    this.#offsets = new Float64Array(memory, byteOffset, count)
    this.#partitions = new Int32Array(memory, byteOffset + count * 8, count)
    this.#inputs = new Int32Array(memory, byteOffset + count * 12, count)
  }
}

const noBytes = Buffer.alloc(0)
