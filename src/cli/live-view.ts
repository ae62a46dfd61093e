/**
 * What `dev` and `run` show while they run: one screen on a terminal, plain lines elsewhere.
 *
 * 1. On a terminal the screen is redrawn in place each second. 2. Elsewhere a line of figures comes
 * every few seconds if it tells something new, and shipments as they happen, at most two lines a
 * second. 3. With `-o json` everything goes to stderr: stdout is for the one document at the end.
 */

import type { WriteStream } from 'node:tty'
import { styleText } from 'node:util'
import type { RuntimeMetrics } from '../runtime/runtime-metrics.ts'
import type { ShopStatus } from '../../topologies/shop/http/shop-access.ts'
import { finalStatuses } from '../../topologies/shop/orders/order-row.ts'

const drawEveryMs = 1_000
const plainEveryMs = 3_000
const shipmentEveryMs = 500
const shipmentsShown = 8

export interface LiveViewOptions {
  readonly stream: WriteStream
  readonly title: string
  readonly status: () => Promise<ShopStatus>
  readonly metrics: () => RuntimeMetrics
}

interface Sample {
  readonly atMs: number
  readonly orders: number
  readonly records: number
}

export class LiveView {
  readonly #options: LiveViewOptions
  readonly #isScreen: boolean
  readonly #shipments: string[] = []
  readonly #startedMs = performance.now()
  #timer: ReturnType<typeof setInterval> | undefined
  #linesDrawn = 0
  /** What the last plain line said. */
  #told = ''
  #before: Sample | undefined
  #lastShipmentMs = -Infinity

  constructor(options: LiveViewOptions) {
    this.#options = options
    this.#isScreen = options.stream.isTTY
  }

  start(): void {
    if (!this.#isScreen) this.#options.stream.write(`${this.#options.title}\n`)
    this.#timer = setInterval(
      // between a failure and the reopening there is nothing to show
      () => void this.#refresh().catch(() => {}),
      this.#isScreen ? drawEveryMs : plainEveryMs,
    )
  }

  /** @param line  such as `order 0199… shipped by Swift` */
  shipped(line: string): void {
    this.#shipments.push(line)
    if (this.#shipments.length > shipmentsShown) this.#shipments.shift()
    if (this.#isScreen || performance.now() - this.#lastShipmentMs < shipmentEveryMs) return
    this.#lastShipmentMs = performance.now()
    this.#options.stream.write(`${line}\n`)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #refresh(): Promise<void> {
    const status = await this.#options.status()
    const metrics = this.#options.metrics()
    const now: Sample = {
      atMs: performance.now(),
      orders: status.orders,
      records: metrics.counters.recordsProcessed,
    }
    const lines = this.#lines(status, metrics, now)
    this.#before = now
    if (this.#isScreen) return this.#draw(lines)
    const line = lines.slice(1).join(' | ')
    if (news(line) === this.#told) return
    this.#told = news(line)
    this.#options.stream.write(`${line}\n`)
  }

  #lines(status: ShopStatus, metrics: RuntimeMetrics, now: Sample): readonly string[] {
    const seconds = this.#before === undefined ? 0 : (now.atMs - this.#before.atMs) / 1000
    // a rebalance takes partitions away, and their counts with them
    const grown = (figure: 'orders' | 'records'): number =>
      Math.max(0, now[figure] - this.#before![figure])
    const perSec = (figure: 'orders' | 'records'): string =>
      seconds === 0 ? '–' : (grown(figure) / seconds).toFixed(0)
    const runningSec = Math.round((now.atMs - this.#startedMs) / 1000)
    return [
      `${this.#options.title}   ${runningSec} s`,
      `orders ${status.orders} (${perSec('orders')}/s): ${statusText(status)}`,
      `records ${metrics.counters.recordsProcessed} (${perSec('records')}/s), waiting `
        + `${Math.max(0, metrics.lagRecords)}, commits ${metrics.commits} `
        + `of ${metrics.commitAverageMs.toFixed(1)} ms, payments asked ${metrics.openEffects}, `
        + `dead letters ${metrics.counters.deadLetters}`,
    ]
  }

  #draw([title = '', ...figures]: readonly string[]): void {
    const { stream } = this.#options
    const width = stream.columns || 80 // a pseudo-terminal without a size says 0
    const lines = [title, ...figures, '', ...this.#shipments].map((line) =>
      line.slice(0, width - 1),
    )
    const up = this.#linesDrawn === 0 ? '' : `\x1b[${this.#linesDrawn}A`
    const [head = '', ...rest] = lines
    const body = [styleText('bold', head, { stream }), ...rest].join('\x1b[K\n')
    stream.write(`${up}\r${body}\x1b[K\n\x1b[J`)
    this.#linesDrawn = lines.length
  }
}

/** Without what drifts while nothing happens: rates that fall to 0, the average of commits. */
const news = (line: string): string =>
  line.replaceAll(/\(\S+\/s\)/g, '').replace(/of [\d.]+ ms/, '')

const statusText = ({ statuses }: ShopStatus): string => {
  const ends = Object.entries(statuses)
    .filter(([status, count]) => count > 0 && isEnd(status))
    .map(([status, count]) => `${count} ${status}`)
  const open = Object.entries(statuses)
    .filter(([status]) => !isEnd(status))
    .reduce((sum, [, count]) => sum + count, 0)
  return [...ends, `${open} open`].join(', ')
}

const isEnd = (status: string): boolean => (finalStatuses as ReadonlySet<string>).has(status)
