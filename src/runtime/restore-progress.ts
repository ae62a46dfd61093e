/** How far a restore is: offsets left (markers included) and records applied; read by metrics. */
export class RestoreProgress {
  offsetsTotal = 0
  /** Of the restore that runs, or ran last. */
  recordsRestored = 0
  isRunning = false
  restores = 0
  readonly #offsetsLeft = new Map<string, number>()
  readonly #recordsTotal = new Map<string, number>()

  /** @param offsets  to be read, of each partition: the store and their number */
  begin(offsets: readonly (readonly [storeName: string, offsets: number])[]): void {
    this.offsetsTotal = offsets.reduce((sum, [, count]) => sum + count, 0)
    this.recordsRestored = 0
    this.isRunning = true
    this.restores += 1
    this.#offsetsLeft.clear()
    for (const [name, count] of offsets) add(this.#offsetsLeft, name, count)
  }

  /** @param done  records applied, and offsets the position went on by, markers included */
  restored(
    storeName: string,
    { records, offsets }: { readonly records: number; readonly offsets: number },
  ): void {
    this.recordsRestored += records
    add(this.#recordsTotal, storeName, records)
    add(this.#offsetsLeft, storeName, -offsets)
  }

  end(): void {
    this.isRunning = false
    this.#offsetsLeft.clear()
  }

  /** 0 while nothing is restored. */
  offsetsLeft(storeName: string): number {
    return Math.max(0, this.#offsetsLeft.get(storeName) ?? 0)
  }

  /** Since the process began. */
  recordsTotal(storeName: string): number {
    return this.#recordsTotal.get(storeName) ?? 0
  }
}

const add = (counts: Map<string, number>, name: string, count: number): void => {
  counts.set(name, (counts.get(name) ?? 0) + count)
}
