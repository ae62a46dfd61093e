/**
 * Loads a file into the shop of a state directory, and waits for what becomes of the orders.
 *
 * The work of `millrace load`. Starts the instance itself, or uses the one that holds the state
 * directory; with `--bootstrap` it writes to Kafka, where replicas of the shop must run. May be
 * killed and started again at any time: the same file makes the same orders, once.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { ShopAccess } from '../../topologies/shop/http/shop-access.ts'
import type { ShopSummary } from '../../topologies/shop/shared/summary.ts'
import type { Settings } from '../config/settings.ts'
import { runningShop } from './connect-shop.ts'
import { exitCodes } from './exit-codes.ts'
import { kafkaSecurityOf } from './kafka-security.ts'
import { openKafkaShop } from './kafka-shop.ts'
import { CommandError } from './failure.ts'
import { type FileNeeds, LoadFile } from './load-file.ts'
import { LoadRejects } from './load-rejects.ts'
import { openInput } from './open-input.ts'
import { openKafka } from './open-kafka.ts'
import { FileSender, type SendReport } from './send-file.ts'
import { settleOrders } from './settle-orders.ts'
import { ShopInstance } from './shop-instance.ts'
import { StopSignals } from './stop-signals.ts'
import { ecomNames, givenNames } from './topic-names.ts'
import { printSummary, summaryExitCode } from './summary-text.ts'

const openMaxHere = 10_000
const openMaxRemote = 1_000
const lookEveryMs = 50
const settleMaxMs = 10_000

/** @returns the exit status */
export const loadOrders = async (settings: Settings, path: string): Promise<number> => {
  const stop = new StopSignals()
  const { document, format } = settings
  const input = await openInput(path, { document, interrupted: stop.requested })
  await using parts = new AsyncDisposableStack()
  parts.defer(() => input.handle.close())
  const file = new LoadFile(input, format)
  const needs = await file.needs(() => stop.isRequested)
  if (stop.isRequested) throw new CommandError('stopped before anything was loaded')
  const rejects = parts.use(new LoadRejects(file, settings.rejects ?? input.rejectsPath))
  if (needs.malformed > 0 || settings.rejects !== undefined) await rejects.open()
  if (needs.lines === 0) process.stderr.write(`millrace: ${path} has no lines\n`)
  else if (needs.malformed === needs.lines) await refuseAll(file, rejects, format)
  const load: Load = { settings, file, needs, rejects, stop }
  if (settings.bootstrap !== undefined) return await loadToKafka(load, settings.bootstrap)
  const running = await runningShop(settings.stateDir)
  return await (running === undefined ? loadHere(load) : loadInto(running, load))
}

interface Load {
  readonly settings: Settings
  readonly file: LoadFile
  readonly needs: FileNeeds
  readonly rejects: LoadRejects
  readonly stop: StopSignals
}

/** No shop is opened for a file without an order in it: it was meant otherwise. */
const refuseAll = async (file: LoadFile, rejects: LoadRejects, format: string): Promise<never> => {
  for await (const line of file.lines()) {
    if (!line.parsed.ok) await rejects.add(line, line.parsed.reason)
  }
  throw new CommandError(
    `no line of ${file.path} is an order, nothing was loaded; is --format ${format} right?`,
  )
}

const loadHere = async (load: Load): Promise<number> => {
  const { settings, stop } = load
  process.stderr.write(`millrace: opening ${settings.stateDir}\n`)
  await using instance = await ShopInstance.open(settings, { interrupted: stop.requested })
  const failed = instance.stopped.then(() => new Promise<never>(() => {}))
  const orFailed = <T>(work: Promise<T>): Promise<T> => Promise.race([work, failed])
  const report = await orFailed(loadAndWait(instance.shop, load, openMaxHere))
  if (!settings.exit && !stop.isRequested) {
    process.stderr.write(`millrace: loaded; running at ${instance.address} until Ctrl-C\n`)
    await orFailed(stop.requested)
  }
  if (!settings.exit) await orFailed(settleOrders(instance.shop, settings.drainMs))
  const summary = await instance.shop.summary()
  await instance.close()
  printSummary(settings.output, summary, settings.output === 'json' ? { load: report } : {})
  return exitCodeOf(report, summary)
}

const loadInto = async (shop: ShopAccess, load: Load): Promise<number> => {
  const { settings } = load
  process.stderr.write(`millrace: ${settings.stateDir} is in use; loading over its HTTP API\n`)
  const report = await loadAndWait(shop, load, openMaxRemote)
  const summary = await shop.summary()
  printSummary(settings.output, summary, settings.output === 'json' ? { load: report } : {})
  return exitCodeOf(report, summary)
}

const loadToKafka = async (load: Load, bootstrap: string): Promise<number> => {
  const { settings, stop } = load
  await using parts = new AsyncDisposableStack()
  const { connectTimeoutMs } = settings
  const names = givenNames(settings) ?? ecomNames
  const security = kafkaSecurityOf(settings)
  const wanted = { bootstrap, connectTimeoutMs, security, interrupted: stop.requested }
  const broker = await openKafka(wanted, names)
  parts.defer(() => broker.close())
  const { shop, failed } = await openKafkaShop(settings, { broker, names }, parts)
  const work = loadAndWait(shop, load, openMaxHere)
  const report = await Promise.race([work, failed])
  const summary = await shop.summary()
  printSummary(settings.output, summary, settings.output === 'json' ? { load: report } : {})
  return exitCodeOf(report, summary)
}

interface LoadReport extends SendReport {
  /** Lines whose order the shop does not take, such as another one under an id in use. */
  readonly refused: number
  readonly seconds: number
}

/** A load that made no order of any line did not do what it was called for. */
const exitCodeOf = (report: LoadReport, summary: ShopSummary): number => {
  const { lines, sent, alreadyThere } = report
  const isVain = lines > 0 && sent + alreadyThere === 0
  return report.isComplete && !isVain ? summaryExitCode(summary) : exitCodes.failure
}

const loadAndWait = async (
  shop: ShopAccess,
  { settings, file, needs, rejects, stop }: Load,
  openMax: number,
): Promise<LoadReport> => {
  const startedMs = performance.now()
  const sender = new FileSender({
    shop,
    file,
    needs,
    rejects,
    openMax,
    withStock: settings.stock,
    ratePerSec: settings.rate,
    isStopped: () => stop.isRequested,
  })
  const report = await sender.send()
  while (settings.exit && sender.open.count > 0 && !stop.isRequested) {
    await sender.open.look()
    if (sender.open.count > 0) await sleep(lookEveryMs)
  }
  if (settings.exit) await settleOrders(shop, settleMaxMs, () => stop.isRequested)
  const isComplete = report.isComplete && (!settings.exit || sender.open.count === 0)
  const seconds = Number(((performance.now() - startedMs) / 1000).toFixed(3))
  const { malformed, lines } = report
  process.stderr.write(
    `millrace: ${lines} lines read in ${seconds} s, ${malformed} malformed, `
      + `${sender.open.refused} refused\n`,
  )
  if (!isComplete)
    process.stderr.write('millrace: not finished; the same command goes on with it\n')
  return { ...report, isComplete, refused: sender.open.refused, seconds }
}
