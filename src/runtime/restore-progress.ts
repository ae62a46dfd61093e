/** How far a restore is: offsets left (markers included) and records applied; read by metrics. */
export class RestoreProgress {
  offsetsTotal = 0
  recordsRestored = 0
  isRunning = false
  restores = 0

  begin(offsets: readonly number[]): void {
    this.offsetsTotal = offsets.reduce((sum, count) => sum + count, 0)
    this.recordsRestored = 0
    this.isRunning = true
    this.restores += 1
  }

  restored(records: number): void {
    this.recordsRestored += records
  }

  end(): void {
    this.isRunning = false
  }
}
