import { orderedMs } from '../../state/key-layout.ts'

/** Beginnings of slot keys, `[letter][time]`, of the last times used: records of one time share. */
export class TimePrefixes {
  readonly #letter: string
  readonly #prefixes = new Map<number, string>()
  /** Asked for last. */
  #timeMs = NaN
  #prefix = ''

  constructor(letter: string) {
    this.#letter = letter
  }

  of(timeMs: number): string {
    if (timeMs === this.#timeMs) return this.#prefix
    let prefix = this.#prefixes.get(timeMs)
    if (prefix === undefined) {
      if (this.#prefixes.size >= prefixesMax) this.#prefixes.clear()
      prefix = this.#letter + orderedMs(timeMs)
      this.#prefixes.set(timeMs, prefix)
    }
    this.#timeMs = timeMs
    this.#prefix = prefix
    return prefix
  }
}

const prefixesMax = 64
