/**
 * One line of progress with rate and remaining time, on stderr, on a terminal only.
 *
 * Used by `load`. The rate is that of the whole run so far, so the estimate does not jump.
 */

import type { WriteStream } from 'node:tty'

const drawEveryMs = 200
const barWidth = 30

export class ProgressBar {
  readonly #stream: WriteStream
  readonly #label: string
  readonly #total: number
  readonly #startedMs = performance.now()
  #lastDrawMs = -Infinity
  #isDrawn = false

  constructor(stream: WriteStream, label: string, total: number) {
    this.#stream = stream
    this.#label = label
    this.#total = total
  }

  update(done: number): void {
    const nowMs = performance.now()
    if (!this.#stream.isTTY || nowMs - this.#lastDrawMs < drawEveryMs) return
    this.#lastDrawMs = nowMs
    this.#isDrawn = true
    this.#stream.write(
      `\r${progressText(this.#label, {
        done,
        total: this.#total,
        elapsedMs: nowMs - this.#startedMs,
      })}\x1b[K`,
    )
  }

  /** Removes the line. */
  end(): void {
    if (this.#isDrawn) this.#stream.write('\r\x1b[K')
  }
}

/** `load [=====     ] 50 % 500/1000, 250/s, 2 s left` */
export const progressText = (
  label: string,
  {
    done,
    total,
    elapsedMs,
  }: { readonly done: number; readonly total: number; readonly elapsedMs: number },
): string => {
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.round(share * barWidth)
  const bar = '='.repeat(filled).padEnd(barWidth)
  const perSec = elapsedMs === 0 ? 0 : done / (elapsedMs / 1000)
  const left = perSec === 0 ? '' : `, ${Math.ceil((total - done) / perSec)} s left`
  const percent = Math.floor(share * 100)
  return `${label} [${bar}] ${percent} % ${done}/${total}, ${perSec.toFixed(0)}/s${left}`
}
