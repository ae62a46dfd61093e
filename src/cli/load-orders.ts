/**
 * Loads a file into the shop of a state directory, and waits for what becomes of the orders.
 *
 * The work of `millrace load`. Starts the instance itself, or uses the one that holds the state
 * directory; with `--bootstrap` it writes to Kafka, where replicas of the shop must run. May be
 * killed and started again at any time: the same file makes the same orders, once.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { type ShopAccess } from '../../topologies/shop/http/shop-access.ts'
import { type Settings } from '../config/settings.ts'
import { runningShop } from './connect-shop.ts'
import { exitCodes } from './exit-codes.ts'
import { kafkaSecurityOf } from './kafka-security.ts'
import { openKafkaShop } from './kafka-shop.ts'
import { LoadFile } from './load-file.ts'
import { openKafka } from './open-kafka.ts'
import { FileSender, type SendReport } from './send-file.ts'
import { settleOrders } from './settle-orders.ts'
import { ShopInstance } from './shop-instance.ts'
import { StopSignals } from './stop-signals.ts'
import { printSummary, summaryExitCode } from './summary-text.ts'

const openMaxHere = 10_000
const openMaxRemote = 1_000
const lookEveryMs = 50
const settleMaxMs = 10_000

/** @returns the exit status */
export const loadOrders = async (settings: Settings, path: string): Promise<number> => {
  const file = new LoadFile(path, settings.format)
  await firstLine(file)
  if (settings.bootstrap !== undefined) return loadToKafka(settings, settings.bootstrap, file)
  const running = await runningShop(settings.stateDir)
  return running === undefined ? loadHere(settings, file) : loadInto(running, settings, file)
}

/** Fails before anything is opened if the file cannot be read. */
const firstLine = async (file: LoadFile): Promise<void> => {
  for await (const _line of file.lines()) return
}

const loadHere = async (settings: Settings, file: LoadFile): Promise<number> => {
  const stop = new StopSignals()
  process.stderr.write(`millrace: opening ${settings.stateDir}\n`)
  const instance = await ShopInstance.open(settings, { interrupted: stop.requested })
  try {
    const work = loadAndWait(instance.shop, { settings, file, stop, openMax: openMaxHere })
    const failed = instance.stopped.then(() => new Promise<never>(() => {}))
    const report = await Promise.race([work, failed])
    if (!settings.exit && !stop.isRequested) {
      process.stderr.write(`millrace: loaded; running at ${instance.address} until Ctrl-C\n`)
      await Promise.race([stop.requested, instance.stopped])
    }
    if (!settings.exit) await settleOrders(instance.shop, settings.drainMs)
    const summary = await instance.shop.summary()
    await instance.close()
    printSummary(settings.output, summary, settings.output === 'json' ? { load: report } : {})
    return report.isComplete ? summaryExitCode(summary) : exitCodes.failure
  } finally {
    await instance.close()
  }
}

const loadInto = async (shop: ShopAccess, settings: Settings, file: LoadFile): Promise<number> => {
  const stop = new StopSignals()
  process.stderr.write(`millrace: ${settings.stateDir} is in use; loading over its HTTP API\n`)
  const report = await loadAndWait(shop, { settings, file, stop, openMax: openMaxRemote })
  const summary = await shop.summary()
  printSummary(settings.output, summary, settings.output === 'json' ? { load: report } : {})
  return report.isComplete ? summaryExitCode(summary) : exitCodes.failure
}

const loadToKafka = async (
  settings: Settings,
  bootstrap: string,
  file: LoadFile,
): Promise<number> => {
  const stop = new StopSignals()
  await using parts = new AsyncDisposableStack()
  const broker = await openKafka({
    bootstrap,
    connectTimeoutMs: settings.connectTimeoutMs,
    security: kafkaSecurityOf(settings),
    interrupted: stop.requested,
  })
  parts.defer(() => broker.close())
  const { shop, failed } = await openKafkaShop(settings, broker, parts)
  const work = loadAndWait(shop, { settings, file, stop, openMax: openMaxHere })
  const report = await Promise.race([work, failed])
  const summary = await shop.summary()
  printSummary(settings.output, summary, settings.output === 'json' ? { load: report } : {})
  return report.isComplete ? summaryExitCode(summary) : exitCodes.failure
}

interface LoadTask {
  readonly settings: Settings
  readonly file: LoadFile
  readonly stop: StopSignals
  readonly openMax: number
}

interface LoadReport extends SendReport {
  /** Commands of this file in the dead letters: see `millrace order show`, and the log. */
  readonly refused: number
  readonly seconds: number
}

const loadAndWait = async (
  shop: ShopAccess,
  { settings, file, stop, openMax }: LoadTask,
): Promise<LoadReport> => {
  const startedMs = performance.now()
  const sender = new FileSender({
    shop,
    file,
    openMax,
    rejectsPath: settings.rejects ?? `${file.path}.rejects`,
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
