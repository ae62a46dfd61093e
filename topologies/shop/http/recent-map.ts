/**
 * A map that forgets: beyond `sizeMax` the oldest entries, and any that is older than `ageMs`.
 *
 * For what a process remembers of its own requests: losing an entry must cost an answer's
 * exactness only, never correctness of the state.
 */
export class RecentMap<V extends object | string> {
  readonly #entries = new Map<string, { readonly value: V; readonly setMs: number }>()
  readonly #sizeMax: number
  readonly #ageMs: number

  constructor({ sizeMax, ageMs }: { readonly sizeMax: number; readonly ageMs: number }) {
    this.#sizeMax = sizeMax
    this.#ageMs = ageMs
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || this.#isCurrent(entry)) return entry?.value
    this.#entries.delete(key)
    return undefined
  }

  /** Also makes the entry the youngest. */
  set(key: string, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, setMs: performance.now() })
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= this.#sizeMax && this.#isCurrent(entry)) return
      this.#entries.delete(oldest)
    }
  }

  /** Deletes the entry if it still has this value. */
  delete(key: string, value: V): void {
    if (this.#entries.get(key)?.value === value) this.#entries.delete(key)
  }

  #isCurrent({ setMs }: { readonly setMs: number }): boolean {
    return performance.now() - setMs <= this.#ageMs
  }
}
