/** How long the phases of a commit take: read by the adaptive interval and by the metrics. */

export interface CommitPhases {
  readonly sendMs: number
  readonly endMs: number
  readonly applyMs: number
}

/** Weight of the newest commit in the moving average: settles within about ten commits. */
const weight = 0.2

export class CommitTimings {
  commits = 0
  averageMs = 0
  totals = { sendMs: 0, endMs: 0, applyMs: 0 }
  readonly listeners = new Set<(phases: CommitPhases) => void>()

  observe(phases: CommitPhases): void {
    const { sendMs, endMs, applyMs } = phases
    const totalMs = sendMs + endMs + applyMs
    this.averageMs = this.commits === 0 ? totalMs : this.averageMs * (1 - weight) + totalMs * weight
    this.commits += 1
    this.totals.sendMs += sendMs
    this.totals.endMs += endMs
    this.totals.applyMs += applyMs
    for (const listener of this.listeners) listener(phases)
  }
}
