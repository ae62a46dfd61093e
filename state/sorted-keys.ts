/**
 * The sorted order of a set of strings that lives elsewhere, brought up to date only when asked.
 *
 * Used by `memory-disk.ts` (rows of a Map) and `uncommitted-keys.ts`. Writers call
 * `touch` for a key that came or went, which costs one push; the order is mended at the next
 * `slice`. Keys are kept in chunks, so that an insertion moves at most `chunkKeysMax` of them.
 * 1. After a sync the keys are exactly the touched ones for which `has` is true.
 * 2. Every chunk but a sole first one holds at least one key.
 */

const chunkKeysMax = 1024
const touchedMin = 65_536

export interface KeySlice {
  /** Inclusive; from the first key if absent. */
  readonly gte?: string | undefined
  /** Exclusive; to the last key if absent. */
  readonly lt?: string | undefined
  readonly reverse?: boolean | undefined
  readonly max: number
}

export class SortedKeys {
  readonly #has: (key: string) => boolean
  #chunks: string[][] = [[]]
  #size = 0
  #touched: string[] = []

  constructor(has: (key: string) => boolean) {
    this.#has = has
  }

  /** The key may have come or gone since the last call for it. */
  touch(key: string): void {
    // Without this, keys that come and go with no slice in between would pile up for ever.
    if (this.#touched.push(key) > Math.max(touchedMin, 2 * this.#size)) this.#sync()
  }

  /** Up to `max` keys of the range, in order (descending if `reverse`). */
  slice(range: KeySlice): string[] {
    if (this.#touched.length > 0) this.#sync()
    return range.reverse === true ? this.#descending(range) : this.#ascending(range)
  }

  #ascending({ gte, lt, max }: KeySlice): string[] {
    const found: string[] = []
    let chunkIndex = gte === undefined ? 0 : this.#chunkOf(gte)
    let at = gte === undefined ? 0 : lowerBound(this.#chunks[chunkIndex]!, gte)
    for (; chunkIndex < this.#chunks.length; chunkIndex++, at = 0) {
      const chunk = this.#chunks[chunkIndex]!
      for (; at < chunk.length; at++) {
        const key = chunk[at]!
        if (found.length >= max || (lt !== undefined && key >= lt)) return found
        found.push(key)
      }
    }
    return found
  }

  #descending({ gte, lt, max }: KeySlice): string[] {
    const found: string[] = []
    let chunkIndex = lt === undefined ? this.#chunks.length - 1 : this.#chunkOf(lt)
    let chunk = this.#chunks[chunkIndex]!
    let at = (lt === undefined ? chunk.length : lowerBound(chunk, lt)) - 1
    for (;;) {
      for (; at >= 0; at--) {
        const key = chunk[at]!
        if (found.length >= max || (gte !== undefined && key < gte)) return found
        found.push(key)
      }
      chunkIndex--
      if (chunkIndex < 0) return found
      chunk = this.#chunks[chunkIndex]!
      at = chunk.length - 1
    }
  }

  #sync(): void {
    const touched = this.#touched
    this.#touched = []
    // Sorting everything anew beats single insertions when most keys are new.
    if (touched.length > 64 && touched.length > this.#size / 4) this.#rebuild(touched)
    else for (const key of touched) this.#place(key)
  }

  #rebuild(touched: readonly string[]): void {
    const all = [...new Set([...this.#chunks.flat(), ...touched])].filter(this.#has).sort()
    this.#size = all.length
    this.#chunks = all.length === 0 ? [[]] : []
    const step = chunkKeysMax / 2
    for (let at = 0; at < all.length; at += step) this.#chunks.push(all.slice(at, at + step))
  }

  #place(key: string): void {
    const chunkIndex = this.#chunkOf(key)
    const chunk = this.#chunks[chunkIndex]!
    const at = lowerBound(chunk, key)
    const present = chunk[at] === key
    const wanted = this.#has(key)
    if (present === wanted) return
    if (wanted) {
      chunk.splice(at, 0, key)
      this.#size++
      if (chunk.length > chunkKeysMax) {
        this.#chunks.splice(chunkIndex + 1, 0, chunk.splice(chunkKeysMax / 2))
      }
      return
    }
    chunk.splice(at, 1)
    this.#size--
    if (chunk.length === 0 && this.#chunks.length > 1) this.#chunks.splice(chunkIndex, 1)
  }

  /** The last chunk whose first key is not above `key`, else the first one. */
  #chunkOf(key: string): number {
    let low = 0
    let high = this.#chunks.length
    while (low + 1 < high) {
      const middle = (low + high) >>> 1
      if (this.#chunks[middle]![0]! <= key) low = middle
      else high = middle
    }
    return low
  }
}

const lowerBound = (keys: readonly string[], key: string): number => {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}
