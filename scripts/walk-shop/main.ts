/**
 * Walks the shop's API on Kafka with two replicas, finds its events, and prints what came of it.
 *
 * Started by `scripts/walk-shop.mjs`. 1. stdout carries the report, stderr the progress. 2. All
 * that was started is ended again, whatever happens. 3. Status 0 if nothing failed; what is
 * missing is told and is no failure; 1 if something failed, 2 if it was called wrongly.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { exitCodes } from '../../src/cli/exit-codes.ts'
import { StopSignals } from '../../src/cli/stop-signals.ts'
import { readCoverage } from './coverage.ts'
import { findEvent } from './find-events.ts'
import { ScriptError } from './project-script.ts'
import { EventReader } from './read-event.ts'
import { eventsOf } from './read-events.ts'
import { readTopics } from './read-topics.ts'
import { reportText, rowReport, searchReport, summaryOf, type WalkReport } from './report.ts'
import { searchedTopics, searchErased } from './search-erased.ts'
import { type Services, startServices } from './start-services.ts'
import { type RunningShop, startShop } from './start-shop.ts'
import { type Chapter, shopChapters } from './steps/shop-chapters.ts'
import { type Taken, walk } from './walk.ts'

/** A machine that has other work to do may take a minute for what is done in a moment. */
const patienceMs = 180_000

const usage = `usage: node scripts/walk-shop.mjs [options]
  --bootstrap HOST:PORT     a Kafka that runs, instead of one of scripts/kafka.mjs
  --schema-registry URL     a registry that runs, or 'built-in' for the project's own, instead of
                            Apicurio by scripts/registry.mjs
  -o, --output table|json   how the report is printed (default table)
`

interface WalkFlags {
  readonly bootstrap: string | undefined
  readonly registryUrl: string | undefined
  readonly isJson: boolean
}

const tell = (text: string): void => void process.stderr.write(`walk: ${text}\n`)

const main = async (flags: WalkFlags): Promise<number> => {
  const stop = new StopSignals()
  const abort = new AbortController()
  void stop.requested.then(() => abort.abort(new Error('stopped before its end')))
  const directory = mkdtempSync(join(tmpdir(), 'millrace-walk-'))
  const ends = new AsyncDisposableStack()
  ends.defer(() => rmSync(directory, { recursive: true, force: true }))
  try {
    const report = await walkOnKafka(flags, { directory, ends, signal: abort.signal })
    const text = flags.isJson ? JSON.stringify(report, undefined, 2) : reportText(report)
    process.stdout.write(`${text}\n`)
    return report.summary.failed === 0 ? exitCodes.ok : exitCodes.failure
  } catch (error) {
    // what was cut off says many things, of which none is the cause
    throw abort.signal.aborted ? abort.signal.reason : error
  } finally {
    tell('ending what was started')
    await ends.disposeAsync()
  }
}

interface Place {
  readonly directory: string
  readonly ends: AsyncDisposableStack
  readonly signal: AbortSignal
}

const walkOnKafka = async (flags: WalkFlags, place: Place): Promise<WalkReport> => {
  const { signal } = place
  const services = await startServices({ ...flags, ...place, tell })
  const run = `walk-${Date.now().toString(36)}`
  const walked: Walked[] = []
  for (const chapter of shopChapters)
    walked.push(await walkChapter(chapter, { ...place, services, run }))
  const taken = walked.flatMap((chapter) => chapter.taken)
  const expected = taken.flatMap(({ step, verdict }) => (verdict === 'ok' ? step.events! : []))
  const reader = new EventReader(services.registryUrl)
  const names = [...new Set([...expected.map(({ topic }) => topic), ...searchedTopics])]
  tell(`reading ${names.join(', ')}`)
  const records = await readTopics(names, services.consumer, signal)
  const topics = await eventsOf(records, reader)
  const rows = walked.flatMap((chapter) =>
    chapter.taken.map((each) => {
      const events = each.verdict === 'ok' ? each.step.events! : []
      const found = events.map((event) => findEvent(event, topics))
      return rowReport(each, found, chapter.instanceIds)
    }),
  )
  const all = [...rows, ...searchErased(records, run).map(searchReport)]
  const { registryName: registry } = services
  const summary = summaryOf(all, { registry, schemas: reader.schemaCount })
  return { rows: all, summary, documents: readCoverage() }
}

interface Walked {
  readonly taken: readonly Taken[]
  /** Of the replicas, in their order. */
  readonly instanceIds: readonly (string | undefined)[]
}

/** Both replicas are started over what the chapter before left, and ended. */
const walkChapter = async (
  { name, flags, steps }: Chapter,
  { services, run, ...place }: Place & { readonly services: Services; readonly run: string },
): Promise<Walked> => {
  const { directory, signal } = place
  tell(name)
  const replicas: RunningShop[] = []
  for (const replica of ['a', 'b']) {
    signal.throwIfAborted()
    tell(`starting replica ${replica}`)
    const stateDir = join(directory, replica)
    const allFlags = [...replicaFlags(services), ...flags]
    replicas.push(await startShop({ ...place, stateDir, flags: allFlags }))
  }
  const taken = await walk(steps, {
    addresses: replicas.map(({ address }) => address),
    run,
    signal,
    patienceMs,
    tell: ({ row, what }) => tell(`${row}: ${what}`),
  })
  await Promise.all(replicas.map((replica) => replica.stop()))
  return { taken, instanceIds: replicas.map(({ instanceId }) => instanceId) }
}

/** Shipments wait for the walk to move them. */
const replicaFlags = ({ consumer, registryUrl }: Services): readonly string[] => [
  '--bootstrap',
  consumer.bootstrap,
  '--schema-registry',
  registryUrl,
  '--register-schemas',
  '--record-headers',
  '--carrier-mode',
  'manual',
]

const flagsOf = (args: readonly string[]): WalkFlags => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      bootstrap: { type: 'string' },
      'schema-registry': { type: 'string' },
      output: { type: 'string', short: 'o', default: 'table' },
    },
  })
  if (!['table', 'json'].includes(values.output)) throw new Error('--output is table or json')
  return {
    bootstrap: values.bootstrap,
    registryUrl: values['schema-registry'],
    isJson: values.output === 'json',
  }
}

const run = async (args: readonly string[]): Promise<number> => {
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    process.stdout.write(usage)
    return exitCodes.ok
  }
  let flags
  try {
    flags = flagsOf(args)
  } catch (error) {
    process.stderr.write(`walk: ${(error as Error).message}\n${usage}`)
    return exitCodes.usage
  }
  try {
    return await main(flags)
  } catch (error) {
    tell(error instanceof ScriptError ? error.message : ((error as Error).message ?? String(error)))
    return exitCodes.failure
  }
}

process.exitCode = await run(process.argv.slice(2))
