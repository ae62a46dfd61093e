/**
 * The instance's figures in Prometheus' text format, under the names operators alert on.
 *
 * Reads a RuntimeMetrics snapshot at each scrape; keeps none. Names end in their unit, counters in
 * `_total`. Process figures (CPU, heap, event loop) come from prom-client's own collectors.
 */

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { CommitPhases } from '../runtime/commit-timings.ts'
import type { RuntimeMetrics } from '../runtime/runtime-metrics.ts'
import { collectState, type StateSources } from './state-collectors.ts'

/** Adds figures of the application itself: name, help, value by labels. */
export interface ExtraFigure {
  readonly name: string
  /** Default: a gauge. */
  readonly kind?: 'counter' | 'gauge'
  readonly help: string
  readonly labels: readonly string[]
  /** Asked at each scrape, which waits for it. */
  values(): readonly GaugeValue[] | Promise<readonly GaugeValue[]>
}

export interface GaugeValue {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

type Figure = readonly [name: string, help: string, read: (metrics: RuntimeMetrics) => number]

const counterFigures: readonly Figure[] = [
  ['records_processed_total', 'Input records processed.', (m) => m.counters.recordsProcessed],
  ['outputs_staged_total', 'Records staged for topics.', (m) => m.counters.outputsStaged],
  ['punctuations_total', 'Punctuator calls.', (m) => m.counters.punctuations],
  ['punctuation_failures_total', 'Calls that threw.', (m) => m.counters.punctuationFailures],
  ['effects_started_total', 'External calls started.', (m) => m.counters.effectsStarted],
  ['effects_completed_total', 'External calls answered.', (m) => m.counters.effectsCompleted],
  ['effects_unknown_total', 'Outcomes reported unknown.', (m) => m.counters.effectsUnknown],
  ['effect_retries_total', 'External calls repeated.', (m) => m.counters.effectRetries],
  ['effects_postponed_total', 'External calls put off.', (m) => m.counters.effectsPostponed],
  ['dead_letters_total', 'Records sent to the dead letters.', (m) => m.counters.deadLetters],
  ['records_skipped_total', 'Records a handler skipped.', (m) => m.counters.skipped],
  ['record_retries_total', 'Records processed again by a handler.', (m) => m.counters.retries],
  ['records_rolled_back_total', 'Records undone after a throw.', (m) => m.counters.rolledBack],
  ['reopenings_total', 'Times the tasks were reopened.', (m) => m.reopenings],
  ['commits_total', 'Transactions committed.', (m) => m.commits],
]

const gaugeFigures: readonly Figure[] = [
  ['running', '1 while tasks run.', (m) => (m.state === 'running' ? 1 : 0)],
  ['tasks', 'Tasks of this instance.', (m) => m.tasks],
  ['lag_records', 'Input records known to wait; -1 while no task runs.', (m) => m.lagRecords],
  ['buffered_records', 'Fetched records that wait.', (m) => m.bufferedRecords],
  ['open_effects', 'External calls that wait for an answer.', (m) => m.openEffects],
  ['commit_average_ms', 'Recent duration of a commit.', (m) => m.commitAverageMs],
  ['restoring', '1 while state is restored.', (m) => (m.restore.isRunning ? 1 : 0)],
  ['restored_records', 'Records restored at the last start.', (m) => m.restore.recordsRestored],
]

const phaseSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

const drops = ['Late', 'NullKey', 'NullValue', 'Expired', 'Repeated'] as const

export class Prometheus {
  readonly #registry = new Registry()
  readonly #read: () => RuntimeMetrics
  readonly #phases: Histogram<'phase'>

  constructor(
    read: () => RuntimeMetrics,
    extras: readonly ExtraFigure[] = [],
    state?: StateSources,
  ) {
    this.#read = read
    collectDefaultMetrics({ register: this.#registry })
    for (const figure of counterFigures) this.#addCounter(figure)
    for (const figure of gaugeFigures) this.#addGauge(figure)
    this.#addDrops()
    this.#addDeadLetters()
    this.#phases = new Histogram({
      name: 'millrace_commit_phase_seconds',
      help: 'Of each commit: sending (until all is acknowledged), ending, writing the state.',
      labelNames: ['phase'],
      buckets: phaseSeconds,
      registers: [this.#registry],
    })
    for (const extra of extras) this.#addExtra(extra)
    if (state !== undefined) collectState(this.#registry, state)
  }

  /** Give it to `Application.onCommit`: the phases become histograms. */
  readonly observeCommit = ({ sendMs, endMs, applyMs }: CommitPhases): void => {
    this.#phases.observe({ phase: 'send' }, sendMs / 1_000)
    this.#phases.observe({ phase: 'end' }, endMs / 1_000)
    this.#phases.observe({ phase: 'apply' }, applyMs / 1_000)
  }

  /** The text a scrape gets. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #addCounter([name, help, read]: Figure): void {
    const metrics = this.#read
    new Counter({
      name: `millrace_${name}`,
      help,
      registers: [this.#registry],
      collect() {
        this.reset()
        this.inc(read(metrics()))
      },
    })
  }

  #addGauge([name, help, read]: Figure): void {
    const metrics = this.#read
    new Gauge({
      name: `millrace_${name}`,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read(metrics()))
      },
    })
  }

  #addDrops(): void {
    const metrics = this.#read
    new Counter({
      name: 'millrace_records_dropped_total',
      help: 'Records an operator dropped, by reason.',
      labelNames: ['reason'],
      registers: [this.#registry],
      collect() {
        this.reset()
        const { counters } = metrics()
        for (const reason of drops) this.inc({ reason }, counters[`dropped${reason}`])
      },
    })
  }

  #addDeadLetters(): void {
    const metrics = this.#read
    new Counter({
      name: 'millrace_dead_letters_by_class_total',
      help: 'Records sent to the dead letters, by their topic and the class of the failure.',
      labelNames: ['topic', 'class'],
      registers: [this.#registry],
      collect() {
        this.reset()
        for (const { topic, failureClass, count } of metrics().counters.deadLettersBy.counts()) {
          this.inc({ topic, class: failureClass }, count)
        }
      },
    })
  }

  #addExtra({ name, kind, help, labels, values }: ExtraFigure): void {
    const Kind = kind === 'counter' ? Counter : Gauge
    new Kind({
      name: `millrace_${name}`,
      help,
      labelNames: [...labels],
      registers: [this.#registry],
      async collect() {
        const known = await values()
        this.reset()
        for (const { labels: of, value } of known) this.inc(of, value)
      },
    })
  }
}
