/**
 * Process, punctuate, commit: the one loop of an instance, over all its tasks.
 *
 * ```
 *   opening ──► running ──stop──► draining ──► stopped
 *      ▲           │ reopenTask, rejoin, skip
 *      └───────────┘        uncommitted work is dropped, tasks reopen at committed offsets
 * ```
 * Called by the application. 1. Nothing awaits between the pick of a record and the close of its
 * scope. 2. Generation N commits while N+1 is processed over it; N+1 is sealed only after N ended
 * and was applied. 3. Whatever fails in a commit drops N and N+1 of every task. 4. A topology with
 * plain RxJS steps is sealed after whatever those put off (promises, timers of 0 ms) has run, so
 * that a late emission is refused before its input is committed. 5. The loop switches on an error's
 * `action` only. 6. No join is sent while a commit is in flight, and no commit while a join is.
 */

import type { Broker, TransactionalProducer } from '../broker/port.ts'
import type { Engine } from '../../state/engine.ts'
import { StoreError } from '../../state/errors.ts'
import type { Clock } from '../clock.ts'
import type { ErrorAction } from '../errors/codes.ts'
import type { Logger } from '../logger.ts'
import type { RuntimeConfig } from '../runtime-config.ts'
import { CommitSchedule } from './commit-schedule.ts'
import type { CommitTimings } from './commit-timings.ts'
import { Committer } from './committer.ts'
import { FenceWatch } from './fence-watch.ts'
import { FetchLoop } from './fetch-loop.ts'
import { type Generation, sealGeneration } from './generation.ts'
import type { Membership } from './membership.ts'
import type { RefusedInputs } from './refused-inputs.ts'
import { lateEmissions, macrotask, sleep } from './sleep.ts'
import type { TaskManager } from './task-manager.ts'
import { TaskShare } from './task-share.ts'

export interface StreamLoopOptions {
  readonly applicationId: string
  readonly instanceId: string
  readonly transactionalId: string
  readonly broker: Broker
  readonly engine: Engine
  readonly clock: Clock
  readonly config: RuntimeConfig
  readonly logger: Logger
  readonly membership: Membership
  readonly tasks: TaskManager
  readonly timings: CommitTimings
  readonly refusedInputs: RefusedInputs
  readonly hasPlainSteps: boolean
  /** @param trouble  what a disk said, if it is why the tasks reopen */
  onOpening(trouble?: string): void
  onRunning(): void
}

export class StreamLoop {
  readonly #options: StreamLoopOptions
  readonly #schedule: CommitSchedule
  readonly #fences: FenceWatch
  readonly #share: TaskShare
  #producer: TransactionalProducer | undefined
  #committer: Committer | undefined
  #fetchLoop: FetchLoop | undefined
  #inFlight: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #isStopping = false
  /** Since the last commit that succeeded: the backoff grows with them. */
  #failures = 0
  #isKilled = false
  /** Everything was open once since the last failure. */
  #wasComplete = false
  #purgedAtMs: number
  #wakeUp: (() => void) | undefined
  #wasWoken = false
  reopenings = 0

  constructor(options: StreamLoopOptions) {
    this.#options = options
    const { clock, config, timings } = options
    this.#schedule = new CommitSchedule(clock, config, timings)
    this.#fences = new FenceWatch({
      ...options,
      transactionTimeoutMs: config.transactionTimeoutMs,
    })
    this.#purgedAtMs = clock.monotonicMs()
    this.#share = new TaskShare({
      ...options,
      transactionTimeoutMs: config.transactionTimeoutMs,
      onChange: () => this.wake(),
      onFailure: (error) => this.fail(error),
    })
  }

  /** Runs until stopped; rejects with the error that stops the instance. */
  async run(): Promise<void> {
    while (!this.#isKilled) {
      try {
        await this.#open()
        await this.#cycle()
        if (!this.#isKilled) await this.#close()
        return
      } catch (error) {
        if (!this.#isKilled) await this.#recover(error)
      }
    }
  }

  /** Asks for a clean end: what was processed is committed, then the tasks close. */
  stop(): void {
    this.#isStopping = true
    this.wake()
  }

  /** As kill -9 would: nothing more is sent or written by this loop. Tests only. */
  kill(): void {
    this.#isKilled = true
    this.#share.abandon()
    void this.#producer?.close()
    this.#options.tasks.close()
    void this.#fetchLoop?.stop()
    this.wake()
  }

  /** The group rebalances: settle the commit in flight, join again. */
  rebalance(): void {
    this.#share.rebalance()
    this.wake()
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
    this.wake()
  }

  /** Why partitions stand still though there are records. */
  get inputTrouble(): string | undefined {
    return this.#fetchLoop?.trouble
  }

  wake(): void {
    this.#wasWoken = true
    this.#wakeUp?.()
  }

  // ── opening and closing ──────────────────────────────────────────────────────────────────────

  async #open(): Promise<void> {
    const { broker, engine, clock, config, logger, membership, timings } = this.#options
    this.#options.onOpening()
    this.#failure = undefined // of what was dropped
    await this.#takePlace()
    if (this.#producer === undefined) {
      const { transactionalId } = this.#options
      const { transactionTimeoutMs } = config
      this.#producer = broker.transactionalProducer({ transactionalId, transactionTimeoutMs })
      await this.#producer.init()
      await this.#options.tasks.releaseForgotten(this.#producer)
    }
    if (this.#isKilled) return
    this.#committer = new Committer({
      engine,
      clock,
      logger,
      timings,
      producer: this.#producer,
      refusedInputs: this.#options.refusedInputs,
      applyAttemptsMax: config.applyAttemptsMax,
      groupMetadata: () => membership.current(),
      onEnded: () => this.#schedule.ended(),
    })
    this.#fetchLoop = new FetchLoop({
      clock,
      config,
      logger,
      fetcher: broker.fetcher(`${this.#options.applicationId}-input`),
      onRecords: () => this.wake(),
      onError: (error) => this.fail(error),
    })
    this.#fetchLoop.start()
    this.#share.reopen()
  }

  /**
   * A static member joins before its producer fences: who had its place finds itself replaced then,
   * and does not begin again, which would fence this one. A failed join is met by the cycle.
   */
  async #takePlace(): Promise<void> {
    const { membership } = this.#options
    if (!membership.isStatic || membership.isMember) return
    if (!this.#share.isJoining) this.#share.startJoin()
    await this.#share.joinEnded()
  }

  /** Clean: settle N, commit N+1, close, leave. */
  async #close(): Promise<void> {
    await this.#share.joinEnded()
    await this.#settleAndCommit()
    await this.#share.closeOpening()
    await this.#fetchLoop?.stop()
    this.#options.tasks.close()
    await this.#producer?.close()
    await this.#options.membership.stop()
  }

  /** Dirty: forget what is not committed. The error decides whether and how to go on. */
  async #recover(failure: unknown): Promise<void> {
    const { tasks, logger, clock, membership } = this.#options
    this.#failures += 1
    this.#wasComplete = false
    await this.#inFlight?.catch(() => {}) // an apply in flight must end before the store is read
    this.#inFlight = undefined
    tasks.close()
    await this.#share.closeOpening()
    await this.#fetchLoop?.stop()
    const isRejoining = actionOf(failure) === 'rejoin'
    // whoever was replaced must not begin again: that would fence its successor
    const error = (isRejoining ? await membership.replacement() : undefined) ?? failure
    const action = actionOf(error)
    const disk = diskFailureOf(error)
    const isDiskLost = disk !== undefined && this.#failures > diskAttemptsMax
    const duel = this.#fences.judge(error)
    const isStopped = action === 'stop' || (this.#isStopping && this.#failures > stopAttemptsMax)
    if (isDiskLost || isStopped || duel !== undefined) {
      await this.#giveUp()
      throw disk ?? duel ?? error
    }
    await this.#producer?.close()
    this.#producer = undefined // its transaction is aborted by the next init of the same id
    // what a disk says is enough; where it was met is not worth a page of stacks each time
    const why = disk === undefined ? { err: error } : { reason: disk.message }
    logger.warn({ ...why, action }, 'tasks reopen at their committed offsets')
    this.reopenings += 1
    this.#options.onOpening(disk?.message) // not `running` while it waits: no task answers
    if (action === 'rejoin') await this.#share.leave() // or the others wait for it to join again
    if (this.#failures > 1) await sleep(clock, Math.min(10_000, 50 * 2 ** this.#failures))
  }

  /** Others need not wait for the time-out of the transaction, nor for the end of the session. */
  async #giveUp(): Promise<void> {
    await this.#producer?.abort().catch(() => {}) // nothing open, or the broker is gone
    await this.#producer?.close()
    await this.#options.membership.close()
  }

  // ── running ──────────────────────────────────────────────────────────────────────────────────

  async #cycle(): Promise<void> {
    const { config } = this.#options
    while (!this.#isStopping && !this.#isKilled) {
      this.#throwFailure()
      await this.#rebalanced()
      const mayCommit = this.#inFlight === undefined && !this.#share.isJoining
      const isBackedUp = !mayCommit && this.#schedule.isBackedUp
      const processed = isBackedUp ? 0 : this.#slice()
      this.#maybePurge()
      const isCaughtUp = this.#options.tasks.running.every(({ task }) => task.bufferedRecords === 0)
      if (mayCommit && this.#hasUncommitted()) {
        const dueInMs = this.#schedule.dueInMs(isCaughtUp)
        if (dueInMs <= 0) await this.#startCommit()
        else if (processed === 0) {
          await this.#wait(Math.min(dueInMs, this.#nextWakeInMs()))
          continue
        }
      } else if (processed === 0) {
        await this.#wait(Math.min(config.fetchMaxWaitMs, this.#nextWakeInMs()))
        continue
      }
      await macrotask()
    }
  }

  /** Processes records, completions and punctuations for at most `sliceMs`. */
  #slice(): number {
    const { clock, config, tasks } = this.#options
    const untilMs = clock.monotonicMs() + config.sliceMs
    const nowMs = clock.nowMs()
    let processed = 0
    let hasMore = true
    while (hasMore && !this.#schedule.isBackedUp) {
      hasMore = false
      for (const running of tasks.running) {
        if (running.task.isMigrating) {
          const rows = running.task.migrateRows(recordsPerTurn)
          processed += rows + 1 // the end of it is worth a turn
          this.#schedule.processed(rows)
          hasMore = true
          continue
        }
        let turn = this.#completions(running)
        while (turn < recordsPerTurn && running.task.processNext(nowMs)) turn += 1
        if (turn >= recordsPerTurn) hasMore = true
        turn += running.task.punctuate(nowMs)
        processed += turn
        this.#schedule.processed(turn)
      }
      if (clock.monotonicMs() >= untilMs) break
    }
    this.#fetchLoop?.drained()
    return processed
  }

  #completions({ task, effects }: TaskManager['running'][number]): number {
    let count = 0
    while (count < recordsPerTurn) {
      const next = effects.take()
      if (next === undefined) break
      const error = task.completeEffect(next.node, next.completion)
      // the row is still in its store: the call is made again after the reopening
      if (error !== undefined) throw error
      effects.settled(next)
      count += 1
    }
    return count
  }

  #hasUncommitted(): boolean {
    return this.#options.tasks.running.some(({ task }) => task.hasUncommitted)
  }

  async #startCommit(): Promise<void> {
    if (this.#options.hasPlainSteps) await lateEmissions(this.#options.clock)
    this.#throwFailure()
    const generation = this.#seal()
    if (generation === undefined) return
    this.#inFlight = this.#commit(generation).catch((error: unknown) => this.fail(error))
  }

  #seal(): Generation | undefined {
    const { tasks, clock } = this.#options
    const generation = sealGeneration(
      tasks.running.map(({ task }) => task),
      clock.nowMs(),
    )
    if (generation !== undefined) this.#schedule.started()
    return generation
  }

  async #commit(generation: Generation): Promise<void> {
    this.#fences.begun()
    await this.#committer!.commit(generation)
    this.#inFlight = undefined
    this.#failures = 0
    if (this.#isKilled) return
    for (const { task, effects } of generation.tasks) {
      this.#options.tasks.running.find((running) => running.task === task)?.effects.start(effects)
    }
    this.wake()
  }

  async #settleAndCommit(): Promise<void> {
    await this.#inFlight
    if (this.#options.hasPlainSteps) await lateEmissions(this.#options.clock)
    this.#throwFailure()
    const generation = this.#seal()
    if (generation !== undefined) await this.#commit(generation)
  }

  /** Takes part in a rebalance, as far as it has come; tasks that stay are not touched. */
  async #rebalanced(): Promise<void> {
    const share = this.#share
    if (share.mustJoin) {
      await this.#inFlight // no join is sent while a commit is in flight
      this.#throwFailure()
      share.startJoin()
    }
    const joined = share.takeJoined()
    if (joined !== undefined) {
      await this.#revoke(share.lostBy(joined))
      share.take(joined)
    }
    const opened = share.takeOpened()
    if (opened.length > 0) {
      this.#options.tasks.admit(opened)
      this.#fetchLoop!.add(opened.flatMap(({ task }) => task.inputs))
    }
    if (share.isComplete) this.#wasComplete = true
    const isRunning = share.isComplete || this.#options.tasks.running.length > 0
    if (this.#wasComplete && isRunning) this.#options.onRunning()
    else this.#options.onOpening()
  }

  /** Stop → settle N → commit N+1 → apply → close → join again: the heirs wait for it. */
  async #revoke(taskIds: ReadonlySet<string>): Promise<void> {
    if (taskIds.size === 0) return
    const { tasks } = this.#options
    await this.#settleAndCommit()
    const leaving = tasks.running.filter(({ task }) => taskIds.has(task.taskId))
    this.#fetchLoop!.remove(leaving.flatMap(({ task }) => task.inputs))
    tasks.close(taskIds)
    await this.#share.giveUp(taskIds)
    this.#share.rebalance()
  }

  #maybePurge(): void {
    const { clock, tasks, logger } = this.#options
    if (clock.monotonicMs() - this.#purgedAtMs < purgeIntervalMs) return
    this.#purgedAtMs = clock.monotonicMs()
    tasks
      .purgeRepartitionTopics()
      .catch((error: unknown) =>
        logger.warn({ err: error }, 'repartition topics could not be purged; tried again later'),
      )
  }

  #throwFailure(): void {
    if (this.#failure === undefined) return
    const { error } = this.#failure
    this.#failure = undefined
    throw error
  }

  #nextWakeInMs(): number {
    const nowMs = this.#options.clock.nowMs()
    let earliestMs = Infinity
    for (const { task } of this.#options.tasks.running) {
      earliestMs = Math.min(earliestMs, task.nextWakeMs())
    }
    return Math.max(0, earliestMs - nowMs)
  }

  /** Until something happens, or for so long. */
  async #wait(waitMs: number): Promise<void> {
    if (!this.#wasWoken) {
      await new Promise<void>((resolve) => {
        const cancel = this.#options.clock.setTimer(Math.max(1, Math.ceil(waitMs)), resolve)
        this.#wakeUp = () => {
          cancel()
          resolve()
        }
      })
      this.#wakeUp = undefined
    }
    this.#wasWoken = false
  }
}

/** Between two looks at the clock; small enough that a slow record does not stretch the slice. */
const recordsPerTurn = 32
const purgeIntervalMs = 30_000
/** A stop that cannot commit gives up after so many attempts: the work is repeated, not lost. */
const stopAttemptsMax = 3

/** A full disk of the embedded broker is no broker to wait for: somebody must free some space. */
const diskAttemptsMax = 4

const diskFailureOf = (error: unknown): StoreError | undefined => {
  const cause: unknown = error instanceof Error ? error.cause : undefined
  return cause instanceof StoreError ? cause : undefined
}

const actionOf = (error: unknown): ErrorAction => {
  if (error instanceof StoreError) return error.action === 'retry' ? 'stop' : error.action
  const { action } = error as { readonly action?: ErrorAction }
  return action ?? 'stop' // not one of ours: a bug, and nothing is known about the state it left
}
